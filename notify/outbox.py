"""The way into the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from notify.gates import gate_for
from notify.models import Message


def post(
    *,
    key: str,
    purpose: str,
    channel: str,
    recipient: str,
    whose: str = "",
    subject: str,
    text: str,
    html: str = "",
    headers: Mapping[str, str] | None = None,
    at: datetime,
    due_at: datetime | None = None,
) -> Message:
    """Write a message into the outbox, in the caller's transaction: it exists exactly if what caused it does.

    The same key twice is the same message, as it was first written. It goes out at `due_at` (`at`, if none is given)
    or soon after, if the gate of its purpose agrees then. `whose` is what the caller will find all messages of one
    person by. Raises NoGate when the purpose has no gate.
    """
    gate_for(purpose)
    message, _created = Message.objects.get_or_create(
        key=key,
        defaults={
            "purpose": purpose,
            "channel": channel,
            "recipient": recipient,
            "whose": whose,
            "subject": subject,
            "text": text,
            "html": html,
            "headers": dict(headers or {}),
            "created_at": at,
            "due_at": due_at or at,
        },
    )
    return message


def post_all(messages: Sequence[Message]) -> None:
    """As post, for many messages not saved yet, in one go; where a key is taken, the first message under it stays."""
    for purpose in {message.purpose for message in messages}:
        gate_for(purpose)
    Message.objects.bulk_create(messages, ignore_conflicts=True)
