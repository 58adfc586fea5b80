"""What every page and answer gets: the member's language and time zone, what the limits say; when a device was seen.

And whose shop it is while staff look at it as a member.
"""

import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import resolve
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts import devices, impersonation, limits
from accounts.models import Impersonation


class MemberLocaleMiddleware:
    """After authentication: a signed-in member's own language and clock; everybody else keeps the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The cheap question first: a request without a session never asks the database who it is.
        if not request.session.get("_auth_user_id"):
            return self.get_response(request)
        member = request.user
        if not member.is_authenticated:
            return self.get_response(request)
        # Kept before the view: afterwards `request.user` may be looked up anew, and be nobody.
        language = member.language
        with translation.override(language), timezone.override(ZoneInfo(member.time_zone)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class EvenTimeMiddleware:
    """What is sent in at the doors is answered on the stroke of a clock, so that the time taken tells nobody apart.

    A stranger who joins costs some statements more than a member who is known already, and a stopwatch would see it.
    It stands outside of all that works for the answer; sessions, too, are saved within.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self.get_response(request)
        if settings.DOOR_SECONDS and request.method == "POST" and request.path.startswith(("/accounts/", "/_allauth/")):
            taken = time.monotonic() - began
            time.sleep(settings.DOOR_SECONDS - taken % settings.DOOR_SECONDS)
        return response


class LimitsMiddleware:
    """Retry-After on every 429, the cookie by which limits know a browser again, 503 while nobody can count."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        limits.finish(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        # A door whose guesses nobody counts stays shut; who is signed in goes on, for sessions are in the database.
        return limits.closed(request) if isinstance(exception, RedisError) else None


class DeviceSeenMiddleware:
    """Notes once in an hour that a signed-in browser was here; apps are noted where their token is looked up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.get("_auth_user_id") and request.user.is_authenticated:
            devices.note_seen(request.session, at=timezone.now())
        return self.get_response(request)


class LookingMiddleware:
    """While staff look at the shop as a member: that member's pages, a few of them, and nothing written anywhere.

    Before the language is chosen, for the pages are shown as the member sees them; the bar that ends it is drawn by
    base.html, in the language of the staff.
    """

    SEEN = {
        "mylist:list",
        "mylist:hidden",
        "accounts:me",
        "shop:home",
        "shop:styles",
        "shop:store",
        "shop:product",
        "shop:basket",
        "shop:orders",
        "shop:order",
        "media",
    }
    END = "accounts:look_end"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if impersonation.SESSION_KEY not in request.session:
            return self.get_response(request)
        look = impersonation.current(session=request.session, staff=request.user, at=timezone.now())
        if look is None:
            return self._over(request)
        request.looking = look  # type: ignore[attr-defined]
        request.user = look.member
        page = _page(request)
        if page == self.END and request.method == "POST":
            return self.get_response(request)
        if page not in self.SEEN or request.method not in {"GET", "HEAD", "OPTIONS"}:
            return _refusal(request, look)
        with connection.execute_wrapper(impersonation.refuse_writes):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, impersonation.LookOnly):
            return _refusal(request, request.looking)  # type: ignore[attr-defined]
        return None

    def _over(self, request: HttpRequest) -> HttpResponse:
        """The time is up, or one of the two may no longer: what was meant for the member is not done as the staff."""
        look = impersonation.end(session=request.session, at=timezone.now())
        if look is None or request.method not in {"GET", "HEAD"}:
            return HttpResponse(_("You no longer look at the shop as a member."), status=403, content_type="text/plain")
        return redirect("admin:accounts_user_change", look.member_id)


def _page(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Http404:
        return ""


def _refusal(request: HttpRequest, look: Impersonation) -> HttpResponse:
    assert look.staff is not None  # noqa: S101 - a look without its staff is over
    with translation.override(look.staff.language):
        if request.path_info.startswith(("/api/", "/_allauth/")):
            detail = _("You look at the shop as a member; nothing can be changed, and this is not shown.")
            problem = {"type": "/problems/looking", "title": "looking", "status": 403, "detail": detail}
            return JsonResponse(problem, status=403, content_type="application/problem+json")
        return render(request, "accounts/looking.html", status=403)
