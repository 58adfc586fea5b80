"""The members' pages, and the members' part of REST v1."""

from django.urls import path

from accounts import api, views

app_name = "accounts"
urlpatterns = [
    path("", views.me, name="me"),
    path("language/", views.language, name="language"),
    path("addresses/new/", views.address_new, name="address_new"),
    path("addresses/<int:address_id>/", views.address_edit, name="address_edit"),
    path("addresses/<int:address_id>/delete/", views.address_delete, name="address_delete"),
]
api_urlpatterns = [
    path("me/", api.MeView.as_view(), name="api-me"),
    path("addresses/", api.AddressListView.as_view(), name="api-addresses"),
    path("addresses/<int:pk>/", api.AddressView.as_view(), name="api-address"),
]
