"""What became of a reminder's message, written down on the reminder."""

from datetime import datetime

from django.db import transaction

from mylist.models import Reminder, ReminderLine
from notify.models import Message

PURPOSE = "reminder"
_KEY = "reminder-"
_CHUNK = 500


def message_key(reminder_id: int) -> str:
    """The outbox key of a reminder's message."""
    return f"{_KEY}{reminder_id}"


def reminder_id_of(key: str) -> int:
    """The reminder whose message has this key."""
    return int(key.removeprefix(_KEY))


def on_message_sent(*, key: str, purpose: str, at: datetime, **_: object) -> None:
    """Listens to the outbox."""
    if purpose == PURPOSE:
        record_sent(reminder_id=reminder_id_of(key), at=at)


def on_message_dropped(*, key: str, purpose: str, at: datetime, reason: str, **_: object) -> None:
    """Listens to the outbox."""
    if purpose == PURPOSE:
        record_dropped(reminder_id=reminder_id_of(key), reason=reason, at=at)


def record_sent(*, reminder_id: int, at: datetime) -> None:
    """The message is out. Twice is once."""
    Reminder.objects.filter(pk=reminder_id, status=Reminder.Status.PLANNED).update(
        status=Reminder.Status.SENT, sent_at=at
    )


@transaction.atomic
def record_dropped(*, reminder_id: int, reason: str, at: datetime) -> None:
    """The message will never go out; what it named may be brought up again. Twice is once."""
    dropped = Reminder.objects.filter(pk=reminder_id, status=Reminder.Status.PLANNED).update(
        status=Reminder.Status.DROPPED, dropped_at=at, dropped_because=reason
    )
    if dropped:
        ReminderLine.objects.filter(reminder=reminder_id).delete()


def catch_up(*, at: datetime) -> int:
    """Record what a worker that died after sending could not announce; returns how many reminders that were."""
    reminder_ids = list(
        Reminder.objects.filter(status=Reminder.Status.PLANNED, planned_at__lte=at).values_list("pk", flat=True)
    )
    found = 0
    for start in range(0, len(reminder_ids), _CHUNK):
        keys = [message_key(pk) for pk in reminder_ids[start : start + _CHUNK]]
        for message in Message.objects.filter(key__in=keys).exclude(status=Message.Status.WAITING):
            found += 1
            reminder_id = reminder_id_of(message.key)
            if message.sent_at:
                record_sent(reminder_id=reminder_id, at=message.sent_at)
            else:
                record_dropped(reminder_id=reminder_id, reason=message.dropped_because, at=message.dropped_at or at)
    return found
