"""The sums of the last year, read for a page: how far what was said is from what was seen."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from mylist.checks.judging import HORIZONS, monday
from mylist.checks.segments import ALL, labels
from mylist.models import ChanceScore, DateScore, ForecastCheck


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked about: chances within `horizon` days, said in the last `weeks`, by a model (None: any)."""

    horizon: int = 14
    weeks: int = 13
    model_version: str | None = None
    segment: str = ALL


@dataclass(slots=True)
class Chances:
    """Chances said, and how often it was bought; shares are 0..1. None of the shares is asked of no forecast."""

    count: int = 0
    said_sum: float = 0.0
    seen_sum: int = 0

    def add(self, count: int, said: float, seen: int) -> None:
        self.count, self.said_sum, self.seen_sum = self.count + count, self.said_sum + said, self.seen_sum + seen

    @property
    def said(self) -> float:
        return self.said_sum / self.count

    @property
    def seen(self) -> float:
        return self.seen_sum / self.count


@dataclass(slots=True)
class Tenths:
    """Chances apart by tenth, 0 to 9."""

    tenths: dict[int, Chances] = field(default_factory=lambda: defaultdict(Chances))

    @property
    def all(self) -> Chances:
        total = Chances()
        for one in self.tenths.values():
            total.add(one.count, one.said_sum, one.seen_sum)
        return total

    @property
    def gap(self) -> float:
        """The expected calibration error: how far said and seen are apart in a tenth, on average over forecasts."""
        return sum(abs(one.said_sum - one.seen_sum) for one in self.tenths.values()) / self.all.count


@dataclass(slots=True)
class Dates:
    """Dates said of what was bought within 56 days. None of the shares is asked of no purchase."""

    count: int = 0
    days_off_sum: int = 0
    early: int = 0
    late: int = 0

    def add(self, count: int, days_off: int, early: int, late: int) -> None:
        self.count, self.days_off_sum = self.count + count, self.days_off_sum + days_off
        self.early, self.late = self.early + early, self.late + late

    @property
    def within(self) -> float:
        """The share bought within the window, which is meant to be .8."""
        return 1 - (self.early + self.late) / self.count

    @property
    def early_share(self) -> float:
        return self.early / self.count

    @property
    def late_share(self) -> float:
        return self.late / self.count

    @property
    def days_off(self) -> float:
        return self.days_off_sum / self.count


@dataclass(frozen=True, slots=True)
class Quality:
    """What a choice has to show: all of it, by week (its Monday) and by model, newest model last."""

    chances: Tenths
    dates: Dates
    chances_by_week: dict[date, Tenths]
    dates_by_week: dict[date, Dates]
    chances_by_model: dict[str, Tenths]
    dates_by_model: dict[str, Dates]


@dataclass(frozen=True, slots=True)
class Offered:
    """What there is to choose from; segments by their key."""

    model_versions: list[str]
    segments: dict[str, str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Forecasts that are kept and not judged yet, and the day on which the first of them is."""

    count: int
    first_on: date | None


def quality(choice: Choice, *, at: datetime) -> Quality:
    """Two statements, whatever the shop's size: the sums of a year are a few hundred rows a segment."""
    chances = Tenths()
    by_week: dict[date, Tenths] = defaultdict(Tenths)
    by_model: dict[str, Tenths] = defaultdict(Tenths)
    said = _asked(ChanceScore.objects.filter(horizon=choice.horizon), choice, at)
    for week, model, tenth, *sums in said.values_list("week", "model_version", "bin", "count", "said", "seen"):
        for tenths in (chances, by_week[week], by_model[model]):
            tenths.tenths[tenth].add(*sums)
    dates = Dates()
    dates_by_week: dict[date, Dates] = defaultdict(Dates)
    dates_by_model: dict[str, Dates] = defaultdict(Dates)
    came = _asked(DateScore.objects.all(), choice, at)
    for week, model, *sums in came.values_list("week", "model_version", "count", "days_off", "early", "late"):
        for group in (dates, dates_by_week[week], dates_by_model[model]):
            group.add(*sums)
    return Quality(
        chances=chances,
        dates=dates,
        chances_by_week=dict(by_week),
        dates_by_week=dict(dates_by_week),
        chances_by_model=dict(by_model),
        dates_by_model=dict(dates_by_model),
    )


def offered() -> Offered:
    """What the sums at hand can be asked about."""
    known = ChanceScore.objects.order_by()
    return Offered(
        model_versions=sorted(known.values_list("model_version", flat=True).distinct()),
        segments=labels(set(known.values_list("segment", flat=True).distinct())),
    )


def _asked(scores: Any, choice: Choice, at: datetime) -> Any:
    since = monday(at - timedelta(weeks=choice.weeks))
    found = scores.filter(segment=choice.segment, week__gte=since).order_by("week", "model_version")
    return found.filter(model_version=choice.model_version) if choice.model_version else found


def waiting(*, at: datetime) -> Waiting:
    """What an empty page can say of when it will be filled: not before tomorrow, as this is written once a day."""
    kept = ForecastCheck.objects.aggregate(first=Min("kept_on"), count=Count("pk"))
    tomorrow = timezone.localdate(at, timezone.get_default_timezone()) + timedelta(days=1)
    first = kept["first"] and max(kept["first"] + timedelta(days=min(HORIZONS) + 1), tomorrow)
    return Waiting(count=kept["count"], first_on=first)
