"""Beat's net and the sending of one message."""

from celery import shared_task
from django.utils import timezone

from notify import dispatch

# A scan hands on at most so many; with a scan each 15 s that is 130 a second, more than two workers send.
_SCAN_LIMIT = 2000


@shared_task
def dispatch_messages() -> int:
    """Tell the workers of every message that is due."""
    at = timezone.now()
    message_ids = dispatch.due_message_ids(at=at, limit=_SCAN_LIMIT)
    for message_id in message_ids:
        send_message.delay(message_id=message_id)
    # Last: with the broker away nothing is marked, and the next scan finds the same messages.
    dispatch.mark_queued(message_ids=message_ids, at=at)
    return len(message_ids)


@shared_task(acks_late=True)
def send_message(*, message_id: int) -> None:
    dispatch.send(message_id=message_id, at=timezone.now())
