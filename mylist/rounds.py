"""The nightly round: everybody's forecasts made anew, in shards that any worker may take.

What is still to be done stands in the database and not in the broker: a shard is done in the transaction that writes
its forecasts, so a message that is lost or comes twice costs time and nothing else. See docs/operations.md.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from mylist.models import Shard
from shop import history

NIGHT = timedelta(hours=2)
"""A night's round is due from 2 o'clock on, by the shop's clock. A missed one is made up for, whatever the hour."""

STALLED = timedelta(minutes=5)
"""A round at work finishes a shard every few seconds, and a broker gives back what a lost worker had in hand within its
visibility timeout. After so long without a shard the messages are taken for lost."""

LINES = 10_000
"""About so many lines of history make a shard: well under a second's work, while which its members cannot order."""

MEMBERS = 1000
"""A shard has no more members than this, however short their histories are."""


def begin(*, at: datetime) -> list[Shard]:
    """Cut everybody who has a list into shards, instead of those of the round before."""
    ids = list(history.returning_members(at).order_by("pk").values_list("pk", flat=True))
    size = max(1, min(MEMBERS, LINES * len(ids) // max(1, history.count_lines(until=at))))
    parts = [ids[start : start + size] for start in range(0, len(ids), size)]
    with transaction.atomic():
        Shard.objects.all().delete()
        return Shard.objects.bulk_create(
            Shard(began_at=at, first_member_id=part[0], last_member_id=part[-1], members=len(part)) for part in parts
        )


def is_due(*, at: datetime) -> bool:
    """Whether this night's round has not begun yet."""
    began_at = Shard.objects.aggregate(newest=Max("began_at"))["newest"]
    return began_at is None or _night(began_at) < _night(at)


def left() -> QuerySet[Shard]:
    """What has not been done yet of the newest round."""
    return Shard.objects.filter(done_at=None).order_by("pk")


def stalled(*, at: datetime) -> QuerySet[Shard]:
    """What is left of a round that has come to a halt; nothing of one that is at work."""
    last = Shard.objects.aggregate(begun=Max("began_at"), done=Max("done_at"))
    moments = [moment for moment in last.values() if moment]
    return left() if moments and at - max(moments) >= STALLED else Shard.objects.none()


def _night(at: datetime) -> date:
    return (timezone.localtime(at, timezone.get_default_timezone()) - NIGHT).date()
