"""Claim, ask, send, record: how a message leaves the outbox at least once, and as a rule exactly once.

A message is claimed by one conditional UPDATE, so that of many workers one acts. Nothing is sent inside a transaction,
and the record that it was sent is the very next statement after the provider's acceptance. A worker killed between the
two leaves a claim that runs out; the message then goes again under the same key (docs/decisions/0002).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from notify.channels import Channel, Refused, TryLater, email, sms
from notify.gates import Deny, Later, gate_for
from notify.models import Message
from notify.signals import message_dropped, message_sent

logger = logging.getLogger(__name__)

_CHANNELS: Mapping[str, Channel] = {Message.Channel.EMAIL: email, Message.Channel.SMS: sms}

# Waits after the first, second ... failure; when they are used up the message is dropped.
BACKOFF = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360))
MAX_ATTEMPTS = len(BACKOFF) + 1

# Why a message was dropped although its gate agreed.
REFUSED = "refused by the provider"
EXHAUSTED = "attempts used up"
UNDELIVERABLE = (REFUSED, EXHAUSTED)


def due_message_ids(*, at: datetime, limit: int) -> list[int]:
    """Messages to be sent at this moment, those due longest first; none that a worker was told of within a lease."""
    lately = Q(queued_at__isnull=False, queued_at__gt=at - settings.NOTIFY_LEASE)
    due = Message.objects.filter(~lately, _free(at)).order_by("due_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def mark_queued(*, message_ids: Sequence[int], at: datetime) -> None:
    """Note that a worker was told of these messages; should it never act, they are due again after a lease."""
    Message.objects.filter(pk__in=message_ids, status=Message.Status.WAITING).update(queued_at=at)


def claim(*, message_id: int, at: datetime) -> Message | None:
    """Make the message this worker's for a lease; None when it is another's, not due, or done."""
    # Durable: a caller's transaction would keep the claim from the other workers until the mail is long out.
    with transaction.atomic(durable=True):
        taken = Message.objects.filter(_free(at), pk=message_id).update(claimed_at=at, attempts=F("attempts") + 1)
    return Message.objects.get(pk=message_id) if taken == 1 else None


def send(*, message_id: int, at: datetime) -> None:
    """Send one message if it is free, due and its gate agrees; record what became of it and announce that.

    A failed delivery is recorded and tried again after a while, it does not raise. What the gate raises comes through,
    with the message free again a little later and the attempt not counted. Must not be called in a transaction.
    """
    message = claim(message_id=message_id, at=at)
    if message is None:
        return
    if message.attempts > MAX_ATTEMPTS:  # workers died over it
        _drop(message, reason=EXHAUSTED, at=at)
        return
    try:
        answer = gate_for(message.purpose)(message, at)
    except Exception:
        _release(message, until=at + BACKOFF[0], attempts=message.attempts - 1)
        raise
    match answer:
        case Deny(reason):
            _drop(message, reason=reason, at=at)
        case Later(until):
            _release(message, until=until, attempts=message.attempts - 1)
        case _:
            _deliver(message, at=at)


def _free(at: datetime) -> Q:
    """Waiting, due, and nobody at it whose lease still runs."""
    unclaimed = Q(claimed_at__isnull=True) | Q(claimed_at__lte=at - settings.NOTIFY_LEASE)
    return Q(status=Message.Status.WAITING, due_at__lte=at) & unclaimed


def _deliver(message: Message, *, at: datetime) -> None:
    try:
        with _CHANNELS[message.channel].session() as deliver:
            deliver(message)
            # The very next statement: every moment between acceptance and this record is a possible second mail.
            # Whoever holds the claim now, the message is sent.
            Message.objects.filter(pk=message.pk, status=Message.Status.WAITING).update(
                status=Message.Status.SENT, sent_at=at, last_error=""
            )
    except Refused as error:
        _drop(message, reason=REFUSED, at=at, error=str(error))
    except Exception as error:
        _failed(message, error, at=at)
    else:
        message_sent.send_robust(sender=Message, key=message.key, purpose=message.purpose, at=at)


def _failed(message: Message, error: Exception, *, at: datetime) -> None:
    # The class alone, where the words are a server's: they may repeat the address.
    what = str(error) if isinstance(error, TryLater) else type(error).__name__
    logger.warning("message %s failed at attempt %d: %s", message.pk, message.attempts, what)
    if message.attempts >= MAX_ATTEMPTS:
        _drop(message, reason=EXHAUSTED, at=at, error=what)
    else:
        wait = BACKOFF[message.attempts - 1]
        if isinstance(error, TryLater) and error.after:
            wait = max(wait, min(error.after, BACKOFF[-1]))
        _release(message, until=at + wait, attempts=message.attempts, error=what)


def _release(message: Message, *, until: datetime, attempts: int, error: str = "") -> None:
    _mine(message).update(claimed_at=None, queued_at=None, due_at=until, attempts=attempts, last_error=error)


def _drop(message: Message, *, reason: str, at: datetime, error: str = "") -> None:
    dropped = _mine(message).update(
        status=Message.Status.DROPPED, dropped_at=at, dropped_because=reason[:64], last_error=error
    )
    if dropped:
        message_dropped.send_robust(sender=Message, key=message.key, purpose=message.purpose, at=at, reason=reason[:64])


def _mine(message: Message):
    """The row, as long as nobody has taken it over since this worker claimed it."""
    return Message.objects.filter(pk=message.pk, status=Message.Status.WAITING, claimed_at=message.claimed_at)
