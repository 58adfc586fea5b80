"""The members' pages, and the members' part of REST v1."""

from django.urls import path

from accounts.api import addresses as api_addresses
from accounts.api import me as api_me
from accounts.views import addresses, me

app_name = "accounts"
urlpatterns = [
    path("", me.me, name="me"),
    path("language/", me.language, name="language"),
    path("addresses/new/", addresses.new, name="address_new"),
    path("addresses/<int:address_id>/", addresses.edit, name="address_edit"),
    path("addresses/<int:address_id>/delete/", addresses.delete, name="address_delete"),
]
api_urlpatterns = [
    path("me/", api_me.MeView.as_view(), name="api-me"),
    path("addresses/", api_addresses.AddressListView.as_view(), name="api-addresses"),
    path("addresses/<int:pk>/", api_addresses.AddressView.as_view(), name="api-address"),
]
