"""The member's language and time zone, for every page and answer."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation


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
        with translation.override(member.language), timezone.override(ZoneInfo(member.time_zone)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", member.language)
        return response
