"""Who is looking, where they want to go on to, and what they may take back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User

_UNDO = "accounts_undo"


class MemberRequest(HttpRequest):
    """A request that login_required has let through."""

    user: User


def next_url(request: HttpRequest, otherwise: str) -> str:
    """Where the form wants to go afterwards, if that is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else otherwise


def offer_undo(request: HttpRequest, text: str, url: str, kept: dict[str, Any]) -> None:
    """Say what was done, beside a button that posts to `url`, where `take_back` gives `kept` back.

    Kept in the session, not in the address: addresses are written into logs.
    """
    request.session[_UNDO] = {"url": url, "kept": kept}
    messages.success(request, text, extra_tags=url)


def take_back(request: HttpRequest) -> dict[str, Any] | None:
    """What was kept for the address of this request, once; None when there is nothing (any more)."""
    undo = request.session.get(_UNDO)
    if not undo or undo["url"] != request.path:
        return None
    del request.session[_UNDO]
    return undo["kept"]
