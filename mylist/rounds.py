"""The nightly round: everybody's forecasts made anew, in shards that any worker may take.

What is still to be done stands in the database and not in the broker: a shard is done in the transaction that writes
its forecasts, so a message that is lost or comes twice costs time and nothing else. See docs/operations.md.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, QuerySet

from mylist.models import Shard
from shop import history

EVERY = timedelta(hours=20)
"""A round is for one night; the beat asks more often, so that a missed night is made up for."""

STALLED = timedelta(minutes=10)
"""A round at work finishes a shard every few seconds. After so long without one its messages are taken for lost."""

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
    """Whether it is time for a new round."""
    began_at = Shard.objects.aggregate(newest=Max("began_at"))["newest"]
    return began_at is None or at - began_at >= EVERY


def left() -> QuerySet[Shard]:
    """What has not been done yet of the newest round."""
    return Shard.objects.filter(done_at=None).order_by("pk")


def stalled(*, at: datetime) -> QuerySet[Shard]:
    """What is left of a round that has come to a halt; nothing of one that is at work."""
    last = Shard.objects.aggregate(begun=Max("began_at"), done=Max("done_at"))
    moments = [moment for moment in last.values() if moment]
    return left() if moments and at - max(moments) >= STALLED else Shard.objects.none()
