"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.views import SpectacularAPIView

from accounts.urls import instead_of_allauth, instead_of_headless
from config import health, media

admin.site.site_header = admin.site.site_title = _("My List for staff")
admin.site.index_title = _("Shop and customers")

urlpatterns = [
    path("accounts/", include(instead_of_allauth)),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("accounts/3rdparty/", include("allauth.socialaccount.urls")),
    path("accounts/", include("accounts.providers.urls")),
    path("_allauth/app/v1/", include(instead_of_headless)),
    path("_allauth/", include("allauth.headless.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("members/", include("accounts.urls")),
    path("my-list/", include("mylist.urls")),
    path("api/v1/", include("config.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("media/<path:path>", media.picture, name="media"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("shop.urls")),
]
