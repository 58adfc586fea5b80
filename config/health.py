"""Is the process alive, and can it serve? For the load balancer and the supervisor."""

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse


def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database and the cache answer, 503 naming the one that doesn't; no reasons to strangers."""
    parts = {"database": _answers(connection.ensure_connection), "cache": _answers(lambda: cache.get("readyz"))}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _answers(ask) -> bool:
    try:
        ask()
    except Exception:  # whatever a driver raises, it is not ready
        return False
    return True
