app_name = "shop"
urlpatterns: list = []
api_urlpatterns: list = []
