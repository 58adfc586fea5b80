"""A copy of all that is kept about the member, and the end of the account."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import logout
from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import closing, exports, tasks
from accounts.authentication import member_of
from accounts.models import DataExport, User
from accounts.problems import Problem, refusal
from accounts.views.farewell import file_of


class ExportSerializer(serializers.ModelSerializer):
    class Meta:
        model = DataExport
        fields = ["id", "status", "asked_at", "ready_at", "expires_at"]


class ExportListView(APIView):
    @extend_schema(
        operation_id="me_exports_list",
        summary="The copies of my data that I asked for, newest first",
        responses=ExportSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(ExportSerializer(exports.of(member_of(request)), many=True).data)

    @extend_schema(
        operation_id="me_exports_create",
        summary="Ask for a copy of all my data",
        description="It is made within minutes: look at the list again. Asked while one is being made, it is that one.",
        request=None,
        responses={202: ExportSerializer, 429: refusal("too_many: three copies a day; Retry-After says when")},
    )
    def post(self, request: Request) -> Response:
        at = timezone.now()
        try:
            export = exports.ask(member=member_of(request), at=at)
        except exports.TooMany as refused:
            problem = Problem(429, "too_many", _("You have asked several times today."))
            problem.wait = (refused.until - at).total_seconds()
            raise problem from refused
        tasks.hand_out(export)
        return Response(ExportSerializer(export).data, status=202)


class OneAnswer(BaseContentNegotiation):
    """A zip if there is one, a problem in JSON if there is none: whatever an app says that it accepts."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ExportFileView(APIView):
    content_negotiation_class = OneAnswer

    @extend_schema(
        operation_id="me_exports_file",
        summary="The file of a copy",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: refusal("not ready, gone, or not mine")},
    )
    def get(self, request: Request, pk: int) -> FileResponse:
        return file_of(member_of(request), pk)


class ClosingSerializer(serializers.Serializer):
    closing_at = serializers.DateTimeField(allow_null=True, help_text="when the member is erased; null: not at all")


class ClosingView(APIView):
    @extend_schema(
        operation_id="me_closing_retrieve", summary="Whether my account will be closed", responses=ClosingSerializer
    )
    def get(self, request: Request) -> Response:
        return _closing(member_of(request))

    @extend_schema(
        operation_id="me_closing_create",
        summary="Close my account in seven days",
        description="Every device is signed out, this one as well. Sign in again and DELETE this to keep the account.",
        request=None,
        responses={200: ClosingSerializer, 403: refusal("staff: the account works for the shop")},
    )
    def post(self, request: Request) -> Response:
        try:
            member = closing.close(member=member_of(request), at=timezone.now())
        except closing.StaffStay as refused:
            raise Problem(403, "staff", _("This account works for the shop.")) from refused
        logout(request._request)
        return _closing(member)

    @extend_schema(
        operation_id="me_closing_destroy",
        summary="Keep my account after all",
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        closing.keep(member=member_of(request), at=timezone.now())
        return Response(status=204)


def _closing(member: User) -> Response:
    values: dict[str, Any] = {"closing_at": member.closing_at}
    return Response(ClosingSerializer(values).data)
