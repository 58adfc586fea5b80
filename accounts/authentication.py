"""Who calls the REST API. Apart from accounts.api: REST framework loads this while it is itself being loaded."""

from typing import TYPE_CHECKING, cast

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.http import HttpRequest

from accounts.models import User

if TYPE_CHECKING:
    from rest_framework.request import Request


class SessionTokenAuthentication(XSessionTokenAuthentication):
    """The session token an app got from allauth headless, in X-Session-Token.

    Stands first among the authentication classes, so that everybody unknown gets 401 and this header, not a 403.
    """

    def authenticate_header(self, request: HttpRequest) -> str:
        return 'Session realm="api", header="X-Session-Token"'


def member_of(request: "Request") -> User:
    """Who asks, for views that let only members in."""
    return cast(User, request.user)
