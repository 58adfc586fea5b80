"""Who is looking, and where they want to go on to."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User


class MemberRequest(HttpRequest):
    """A request that login_required has let through."""

    user: User


def next_url(request: HttpRequest, otherwise: str) -> str:
    """Where the form wants to go afterwards, if that is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else otherwise
