"""What the list says tonight, put aside for a sample of its items before tomorrow's forecasts replace it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, CharField, ExpressionWrapper, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils import timezone

from mylist.models import ForecastCheck, Prediction
from shop import history

SAMPLE = 10_000
"""Forecasts kept a night, at most: a week of them tells the gap of a tenth to within half a percentage point."""

NEWCOMER = timedelta(days=90)
"""Somebody who first bought less than this ago is a new customer."""

# An older forecast was not renewed last night: its item's member is not predicted any more, or the round was missed.
_FRESH = timedelta(days=1)
_BATCH = 1000


def keep(*, at: datetime, size: int = SAMPLE) -> int:
    """Keep what is said at `at` of at most `size` items; returns how many, 0 where today's are kept already.

    The draw hangs on the item and the day alone, so that a second try takes the same. The days ahead are counted from
    `at`, whenever the forecast was made: an item bought since then has a new forecast, and this is what the list says.
    """
    today = timezone.localdate(at, timezone.get_default_timezone())
    if ForecastCheck.objects.filter(kept_on=today).exists():
        return 0
    drawn = list(
        Prediction.objects.filter(as_of__gt=at - _FRESH, as_of__lte=at)
        .annotate(lot=MD5(Concat(Cast("pk", CharField()), Value(f" {today}"))))
        .order_by("lot", "pk")
        .values_list("pk", flat=True)[:size]
    )
    checks = [check for start in range(0, len(drawn), _BATCH) for check in _checks(drawn[start : start + _BATCH], at)]
    # All or none: tomorrow nobody would ask for the rest.
    with transaction.atomic():
        ForecastCheck.objects.bulk_create(checks, batch_size=_BATCH, ignore_conflicts=True)
    return len(checks)


def _checks(item_ids: list[int], at: datetime) -> list[ForecastCheck]:
    newcomer = ~history.had_bought(by=at - NEWCOMER, member="item__member")
    columns = ("model_version", "p7", "p14", "p28", "expected_on", "lower_on", "upper_on")
    rows = (
        Prediction.objects.filter(pk__in=item_ids)
        .annotate(is_newcomer=ExpressionWrapper(newcomer, output_field=BooleanField()))
        .values("item_id", *columns, "item__times_bought", "is_newcomer")
    )
    today = timezone.localdate(at, timezone.get_default_timezone())
    return [ForecastCheck(kept_on=today, kept_at=at, times_bought=row.pop("item__times_bought"), **row) for row in rows]
