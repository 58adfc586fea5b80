"""The signed-in member."""

from typing import Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers

from accounts import members
from accounts.authentication import SessionTokenAuthentication
from accounts.models import User


class SessionTokenScheme(OpenApiAuthenticationExtension):
    target_class = SessionTokenAuthentication
    name = "sessionToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Session-Token",
            "description": "meta.session_token of a sign-in under /_allauth/app/v1/",
        }


class MeSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["member_no", "name", "email", "phone", "language", "time_zone", "reminder_channel"]
        read_only_fields = ["member_no", "email", "phone"]
        extra_kwargs = {"name": {"allow_blank": False}}


@extend_schema_view(
    get=extend_schema(summary="The signed-in member"),
    patch=extend_schema(
        summary="Change the member's wishes",
        description="E-mail and phone cannot be changed here: a contact counts only once it is proved.",
    ),
)
class MeView(generics.RetrieveUpdateAPIView):
    serializer_class = MeSerializer
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> User:
        return cast(User, self.request.user)

    def perform_update(self, serializer: serializers.BaseSerializer) -> None:
        serializer.instance = members.change_profile(member=self.get_object(), **serializer.validated_data)
