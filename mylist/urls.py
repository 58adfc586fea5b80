app_name = "mylist"
urlpatterns: list = []
api_urlpatterns: list = []
