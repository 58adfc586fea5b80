"""The signed-in member."""

from typing import Any, cast

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers

from accounts import birthdays, consents, members
from accounts.authentication import SessionTokenAuthentication
from accounts.forms import channel_missing
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
    birthday_source = serializers.CharField(
        read_only=True, help_text="import, member or staff: who said so, or deleted it; empty where nobody did."
    )
    birthday_certainty = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "member_no",
            "name",
            "email",
            "phone",
            "language",
            "time_zone",
            "reminder_channel",
            "birthday",
            "birthday_source",
            "birthday_certainty",
        ]
        read_only_fields = ["member_no", "email", "phone"]
        extra_kwargs = {"name": {"allow_blank": False}}

    @extend_schema_field(serializers.ChoiceField(birthdays.Certainty.choices))
    def get_birthday_certainty(self, member: User) -> str:
        return birthdays.certainty(member)

    def validate_reminder_channel(self, channel: str) -> str:
        if problem := channel_missing(cast(User, self.instance), "reminder_channel", channel):
            raise serializers.ValidationError(problem)
        return channel


@extend_schema_view(
    get=extend_schema(summary="The signed-in member"),
    patch=extend_schema(
        summary="Change what the member says about the own person",
        description="E-mail and phone change under /_allauth/app/v1/account/: a contact counts only once it is proved. "
        "`birthday` null forgets it.",
    ),
)
class MeView(generics.RetrieveUpdateAPIView):
    serializer_class = MeSerializer
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> User:
        return cast(User, self.request.user)

    @transaction.atomic
    def perform_update(self, serializer: serializers.BaseSerializer) -> None:
        wishes, member, at = dict(serializer.validated_data), self.get_object(), timezone.now()
        if "birthday" in wishes:
            source = User.BirthdaySource.MEMBER
            try:
                birthdays.change(member=member, birthday=wishes.pop("birthday"), source=source, at=at)
            except birthdays.Impossible:
                raise serializers.ValidationError({"birthday": [_("Nobody alive has this birthday.")]}) from None
        if "reminder_channel" in wishes:
            channel = wishes.pop("reminder_channel")
            consents.choose(member=member, at=at, source=consents.Source.APP, reminder_channel=channel)
        serializer.instance = members.change_profile(member=member, **wishes)
