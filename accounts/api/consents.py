"""What may be sent to the member, and the ledger of it."""

from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import consents
from accounts.authentication import member_of
from accounts.forms import ConsentForm
from accounts.models import ConsentEntry, User
from accounts.problems import refused

_SHOWN = 200


class WordsSerializer(serializers.Serializer):
    purpose = serializers.ChoiceField(ConsentEntry.Purpose.choices)
    words = serializers.CharField(help_text="Show them where the member chooses.")


class ConsentsSerializer(serializers.ModelSerializer):
    wording = serializers.SerializerMethodField(help_text="The version of the words.")
    words = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["order_channel", "reminder_channel", "email_consent", "sms_consent", "wording", "words"]

    def get_wording(self, member: User) -> str:
        return consents.WORDING

    @extend_schema_field(WordsSerializer(many=True))
    def get_words(self, member: User) -> list[dict[str, str]]:
        words = consents.WORDINGS[consents.WORDING]
        return [{"purpose": purpose, "words": _(sentence)} for purpose, sentence in words.items()]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The same rules, word for word, as the page's form."""
        member = cast(User, self.instance)
        kept = {name: getattr(member, name) for name in ConsentForm.base_fields}
        form = ConsentForm({**kept, **attrs}, member=member)
        if not form.is_valid():
            raise refused(form)
        return attrs


class ConsentEntrySerializer(serializers.ModelSerializer):
    class Meta:
        model = ConsentEntry
        fields = ["purpose", "channel", "given", "at", "source", "wording"]


class ConsentsView(APIView):
    @extend_schema(summary="What may be sent to me, by which way", responses=ConsentsSerializer)
    def get(self, request: Request) -> Response:
        return Response(ConsentsSerializer(member_of(request)).data)

    @extend_schema(
        summary="Change what may be sent to me",
        description="What is left out stays. A way needs its contact: no SMS without a phone.",
        request=ConsentsSerializer(partial=True),
        responses=ConsentsSerializer,
    )
    def patch(self, request: Request) -> Response:
        member = member_of(request)
        body = ConsentsSerializer(member, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        consents.choose(member=member, at=timezone.now(), source=consents.Source.APP, **body.validated_data)
        return Response(ConsentsSerializer(member).data)


class LedgerView(APIView):
    @extend_schema(
        operation_id="consents_ledger_list",
        summary="All I agreed to and took back, the newest first",
        description=f"At most {_SHOWN} entries; all of them are in the copy of all my data.",
        responses=ConsentEntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        entries = consents.ledger(member_of(request))[:_SHOWN]
        return Response(ConsentEntrySerializer(entries, many=True).data)
