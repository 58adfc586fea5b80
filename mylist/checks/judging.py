"""What became of the kept forecasts: filled in every night, summed up by week, forgotten one by one."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Case, Count, DurationField, ExpressionWrapper, F, IntegerField, Q, QuerySet, Sum, When
from django.db.models.functions import Cast, Floor, Least, TruncWeek
from django.utils import timezone

from mylist.checks.segments import TIMES, segments_of
from mylist.models import ChanceScore, DateScore, ForecastCheck
from shop import history

HORIZONS = (7, 14, 28)
"""Days ahead for which the list says a chance."""

WINDOW = timedelta(days=56)
"""Dates are said under the condition of a purchase within this time."""

LATE = timedelta(days=7)
"""How long a purchase made elsewhere may take to arrive by an import and still be counted in full."""

YEAR = timedelta(days=366)
"""How long the sums are kept."""

_BATCH = 500
_CELL = ("week", "model_version", "times", "is_newcomer", "item__product__category_id")


def judge(*, at: datetime) -> int:
    """Bring outcomes and sums up to `at`; returns how many kept forecasts were found to have been bought.

    The sums of a week are made anew as long as its forecasts are there, so that again, at once or after being cut off
    halfway, gives the same. A week's forecasts go when the last of them is judged and a late import can't change it.
    """
    found = _fill_in(at)
    # Beyond the newest line known nobody can tell whether something was bought.
    known = min(at, history.reaches() or at)
    chances, dates = list(_chances(known)), list(_dates(known))
    with transaction.atomic():
        _replace(ChanceScore, chances, ["count", "said", "seen"])
        _replace(DateScore, dates, ["count", "days_off", "early", "late"])
        a_year_ago = monday(at - YEAR)
        ForecastCheck.objects.filter(kept_on__lt=max(monday(known - WINDOW - LATE), a_year_ago)).delete()
        ChanceScore.objects.filter(week__lt=a_year_ago).delete()
        DateScore.objects.filter(week__lt=a_year_ago).delete()
    return found


def _fill_in(at: datetime) -> int:
    """Write down the first purchase since each forecast; one that was imported late may be earlier than the known."""
    found = 0
    for first in history.first_bought(member="item__member", product="item__product", after="kept_at", until=at):
        bought = (
            ForecastCheck.objects.annotate(first=first)
            .filter(Q(bought_at=None, first__isnull=False) | Q(first__lt=F("bought_at")))
            .values_list("pk", "first", "item__member__time_zone")
        )
        checks = [
            ForecastCheck(pk=pk, bought_at=moment, bought_on=moment.astimezone(ZoneInfo(zone)).date())
            for pk, moment, zone in bought
        ]
        # In short statements of their own: SQLite makes shoppers wait for a long one.
        for start in range(0, len(checks), _BATCH):
            ForecastCheck.objects.bulk_update(checks[start : start + _BATCH], ["bought_at", "bought_on"])
        found += len(checks)
    return found


def _chances(known: datetime) -> Iterator[ChanceScore]:
    """A sum for each week, model, segment, horizon and tenth, of all forecasts whose horizon is over."""
    for horizon in HORIZONS:
        ahead, chance = timedelta(days=horizon), F(f"p{horizon}")
        cells = (
            _told(known - ahead)
            .annotate(bin=Least(Cast(Floor(chance * 10), IntegerField()), 9))
            .values(*_CELL, "bin")
            .annotate(
                count=Count("pk"), said=Sum(chance), seen=Count("pk", filter=Q(bought_at__lte=F("kept_at") + ahead))
            )
        )
        for key, sums in _by_segment(cells, "bin", ("count", "said", "seen")).items():
            week, model_version, segment, tenth = key
            count, said, seen = sums
            # Rounded, for a database may add floats in another order the next time.
            yield ChanceScore(
                week=week,
                model_version=model_version,
                segment=segment,
                horizon=horizon,
                bin=tenth,
                count=count,
                said=round(said, 6),
                seen=seen,
            )


def _dates(known: datetime) -> Iterator[DateScore]:
    """A sum for each week, model and segment, of all forecasts whose item was bought within the window of dates."""
    off = Case(
        When(bought_on__gte=F("expected_on"), then=F("bought_on") - F("expected_on")),
        default=F("expected_on") - F("bought_on"),
        output_field=DurationField(),
    )
    cells = (
        _told(known - WINDOW)
        .filter(bought_at__lte=F("kept_at") + WINDOW)
        .values(*_CELL)
        .annotate(
            count=Count("pk"),
            off=Sum(ExpressionWrapper(off, DurationField())),
            early=Count("pk", filter=Q(bought_on__lt=F("lower_on"))),
            late=Count("pk", filter=Q(bought_on__gt=F("upper_on"))),
        )
    )
    for key, sums in _by_segment(cells, None, ("count", "off", "early", "late")).items():
        week, model_version, segment, _ = key
        count, days_off, early, late = sums
        yield DateScore(
            week=week,
            model_version=model_version,
            segment=segment,
            count=count,
            days_off=days_off // timedelta(days=1),
            early=early,
            late=late,
        )


def _told(by: datetime) -> QuerySet[ForecastCheck]:
    return ForecastCheck.objects.filter(kept_at__lte=by).annotate(week=TruncWeek("kept_on"), times=TIMES).order_by()


def _by_segment(cells: Any, tenth: str | None, names: tuple[str, ...]) -> dict[tuple, list[Any]]:
    """The cells of one statement added up for each segment: (week, model, segment, tenth) -> sums."""
    found: dict[tuple, list[Any]] = {}
    for cell in cells:
        for segment in segments_of(
            times=cell["times"], is_newcomer=cell["is_newcomer"], category_id=cell["item__product__category_id"]
        ):
            key = (cell["week"], cell["model_version"], segment, cell[tenth] if tenth else None)
            values = [cell[name] for name in names]
            so_far = found.get(key)
            found[key] = values if so_far is None else [one + more for one, more in zip(so_far, values, strict=True)]
    return found


def _replace(model: type[ChanceScore] | type[DateScore], scores: list[Any], sums: list[str]) -> None:
    """The sums of the weeks at hand instead of those written before."""
    manager: Any = model._default_manager
    manager.filter(week__in={score.week for score in scores}).delete()
    unique = next(iter(constraint.fields for constraint in model._meta.total_unique_constraints))
    # Another process that does the same at this moment writes the same.
    manager.bulk_create(scores, batch_size=_BATCH, update_conflicts=True, unique_fields=unique, update_fields=sums)


def monday(at: datetime) -> date:
    """The first day of a moment's week, in the shop's time zone."""
    day = timezone.localdate(at, timezone.get_default_timezone())
    return day - timedelta(days=day.weekday())
