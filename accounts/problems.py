"""Errors of the REST API as problem details (RFC 9457)."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.forms import BaseForm
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

# Django's own exceptions, which REST framework answers without a name of their own.
_CODES: dict[type[Exception], str] = {Http404: "not_found", PermissionDenied: "permission_denied"}


class Problem(APIException):
    """A refusal with a machine-readable name.

    `code` is the last part of the type, `detail` a sentence for people, `extra` what a client needs to mend it.
    """

    wait: float | None = None

    def __init__(self, status: int, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail=str(detail), code=code)
        self.status_code = status
        self.extra = extra


def refusal(description: str) -> OpenApiResponse:
    """A refusal as a view documents it; config.openapi adds the body, the same for all."""
    return OpenApiResponse(OpenApiTypes.OBJECT, description)


def refused(form: BaseForm) -> ValidationError:
    """What a page's form says of its fields, for an API that goes by the same rules."""
    return ValidationError({field: [str(error) for error in errors] for field, errors in form.errors.items()})


def _waited_too_long(exc: Exception) -> bool:
    """Whether a row stayed locked for the whole of lock_timeout: lock_not_available, SQLSTATE 55P03 of PostgreSQL."""
    return isinstance(exc, OperationalError) and getattr(exc.__cause__, "sqlstate", None) == "55P03"


def problem_details(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal has type, title, status and detail; fields go under `errors`."""
    if isinstance(exc, RequestDataTooBig):
        exc = Problem(413, "body_too_large", "The body of the request is too large.")
    if _waited_too_long(exc):
        exc = Problem(409, "in_progress", "Another request of yours is still being worked on; send this one again.")
        exc.wait = 1  # seconds, which REST framework sends as Retry-After
    response = exception_handler(exc, context)
    if response is None:
        return None
    code: Any = getattr(exc, "default_code", None) or _CODES.get(type(exc), "error")
    if isinstance(exc, Problem):
        code = exc.get_codes()
    body: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": str(code).replace("_", " "),
        "status": response.status_code,
    }
    if isinstance(exc, ValidationError):
        body |= {"type": "/problems/invalid", "title": "invalid", "errors": response.data}
    elif isinstance(response.data, dict):
        body["detail"] = str(response.data.get("detail", ""))
    if isinstance(exc, Problem):
        body |= exc.extra
    response.data = body
    response.content_type = "application/problem+json"
    return response
