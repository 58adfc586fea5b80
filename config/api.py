"""The addresses of REST v1; each app brings its own."""

from accounts.urls import api_urlpatterns as accounts_api
from mylist.urls import api_urlpatterns as mylist_api
from shop.urls import api_urlpatterns as shop_api

urlpatterns = [*accounts_api, *shop_api, *mylist_api]
