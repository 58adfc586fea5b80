"""Messages about the account itself: a contact was changed, a copy is ready, the account will be closed.

They go through the outbox like every other message. Codes do not: a code must not stand anywhere it can be read.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.models import User
from notify import outbox
from notify.gates import Allow, Answer
from notify.models import Message

PURPOSE = "account"


def gate(message: Message, at: datetime) -> Answer:
    """Always: whom it concerns has to know, whatever else the member wants to hear of."""
    return Allow()


def tell(
    *,
    member: User,
    template: str,
    key: str,
    at: datetime,
    email: str = "",
    phone: str = "",
    context: Mapping[str, object] | None = None,
) -> None:
    """Write `emails/account/<template>.txt` (first line: the subject) into the outbox, in the member's language.

    Goes to `email`, else to `phone` as SMS without the subject; with neither given, to the member's own e-mail, else
    phone; a member with none is not told. `key` makes the message one however often this is called with it.
    """
    if not email and not phone:
        email, phone = member.email, member.phone
    if not email and not phone:
        return
    words = {"member": member, "site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, **(context or {})}
    with translation.override(member.language), timezone.override(ZoneInfo(member.time_zone)):
        subject, _, text = render_to_string(f"emails/account/{template}.txt", words).strip().partition("\n")
    channel, recipient = (Message.Channel.EMAIL, email) if email else (Message.Channel.SMS, phone)
    outbox.post(
        key=key,
        purpose=PURPOSE,
        channel=channel,
        recipient=recipient,
        whose=str(member.pk),
        subject=subject.strip(),
        text=text.strip(),
        at=at,
    )
