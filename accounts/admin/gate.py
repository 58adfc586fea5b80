"""Who gets into the admin at all: staff who have shown a second factor in this session."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import secure_admin_login
from allauth.account.utils import get_next_redirect_url
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts import second_factor
from accounts.models import User

SETTING_UP_FOR = "setting_up_for"
"""In the session: the staff page somebody wanted who had to set up a second factor first."""


def has_permission(request: HttpRequest) -> bool:
    """Asked before every page of the admin, as all of them pass through AdminSite.admin_view."""
    return AdminSite.has_permission(admin.site, request) and second_factor.is_shown(request)


@secure_admin_login  # strangers sign in as everybody does, with the same limits and codes; members are refused
def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """Lead staff to the page they asked for, or to what is still missing."""
    wanted = get_next_redirect_url(request) or reverse("admin:index")
    if second_factor.is_shown(request):
        return redirect(wanted)
    assert isinstance(request.user, User)  # noqa: S101 - secure_admin_login lets nobody else through
    if not second_factor.has_one(request.user):
        request.session[SETTING_UP_FOR] = wanted
        return redirect("mfa_index")
    return redirect(f"{second_factor.where_to_show(request.user)}?{urlencode({'next': wanted})}")


admin.site.has_permission = has_permission  # type: ignore[method-assign]
admin.site.login = login  # type: ignore[method-assign]
