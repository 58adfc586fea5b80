"""What every page and answer gets: the member's language and time zone, what the limits say; when a device was seen."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from redis.exceptions import RedisError

from accounts import devices, limits


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
        # Kept before the view, for afterwards it may be somebody else, or nobody: `request.user` is looked up anew then.
        language = member.language
        with translation.override(language), timezone.override(ZoneInfo(member.time_zone)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
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
