"""Where the way to a provider begins and ends, under allauth's names; and what apps find in place of allauth's."""

from allauth.headless.constants import Client
from django.urls import path

from accounts.providers import services, views

urlpatterns = [
    path("google/login/", views.login(services.GoogleAdapter), name="google_login"),
    path("google/login/callback/", views.callback(services.GoogleAdapter), name="google_callback"),
    path("facebook/login/", views.login(services.FacebookAdapter), name="facebook_login"),
    path("facebook/login/callback/", views.callback(services.FacebookAdapter), name="facebook_callback"),
    path("line/login/", views.login(services.LineAdapter), name="line_login"),
    path("line/login/callback/", views.callback(services.LineAdapter), name="line_callback"),
    path("oidc/<slug:provider_id>/login/", views.openid_connect_login, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", views.openid_connect_callback, name="openid_connect_callback"),
]
app_urlpatterns = [
    path("account/providers", views.AppAccountsView.as_api_view(client=Client.APP)),
    path("auth/provider/signup", views.AppNameView.as_api_view(client=Client.APP)),
]
