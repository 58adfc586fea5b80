"""Who calls the REST API."""

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from rest_framework.request import Request


class SessionTokenAuthentication(XSessionTokenAuthentication):
    """The session token an app got from allauth headless, in X-Session-Token; 401 (not 403) without one."""

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="api", header="X-Session-Token"'
