"""Which model makes the forecasts: fitted, tried on this shop's own past, and switched on only if it does better.

The rule, with its reasons, is docs/decisions/0006-when-a-model-is-switched-on.md. `FittedModel.scores` holds, for
staff to read: `cutoffs` (days tried, ISO 8601), `follow_up` (days looked ahead from each), `households` of `of`,
`running` (name of the contender that stood for the running model, or null), `table` (a dict for each contender: name,
role, version, figures) and `comparisons` (the candidate against each rival). A figure that is not defined is null.
"""

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from hashlib import sha256
from itertools import chain
from typing import Any

from django.db import transaction
from django.utils import timezone

import replenish
from mylist import switches
from mylist.models import FittedModel, ModelSwitch
from mylist.predictions.columns import calendar_day, columns, day_number
from replenish import backtest, baselines
from shop import history
from shop.models import OrderLine, Purchase

KINDS = replenish.KINDS
"""The kinds that this machine can fit."""

SIMPLEST = KINDS[0]
"""The kind that any machine can fit within seconds: what runs where nothing could be tried."""

CUTOFFS = 3
TRIED_LINES = 300_000
"""A back-test fits every contender at every cut-off: of a larger shop it sees whole households, about so many lines."""

FITTED_LINES = 1_000_000
"""More lines than these move no parameter any more (see replenish); they are not read either."""

FEWEST_PAIRS = 300
"""With fewer pairs judged than these, which model comes out ahead is a matter of luck."""

FIT_EVERY = timedelta(days=7)
FIT_EVERY_WHILE_YOUNG = timedelta(days=1)
STALE_AFTER = timedelta(days=8)
KEPT_FOR = timedelta(days=365)
KEPT_AT_LEAST = 10

_REMEMBERED = "running"
_AT_ONCE = 5_000
_Verdict = FittedModel.Verdict

Progress = Callable[[str, int], object]
"""Told of each step done, by name, and of how many steps there are."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackTest:
    """How every contender did on this shop's past.

    `steps`: how many `Progress` is told of. `versions`: of each kind, the version that was tried. `running`: the
    contender that stands for the running model; None where nothing can.
    """

    rows: list[backtest.Row]
    cutoffs: tuple[int, ...]
    follow_up: int
    households: int
    of: int
    steps: int
    versions: dict[str, str]
    running: str | None

    @property
    def tells(self) -> bool:
        """Whether enough pairs were judged for the better model to be more than the luckier one."""
        return any(figures["pairs"] >= FEWEST_PAIRS for figures in self.figures().values())

    def figures(self) -> dict[str, dict[str, float]]:
        """Of each contender, over all cut-offs."""
        return {row.contender: row.figures for row in self.rows if row.cutoff is None and row.segment == backtest.ALL}


@dataclass(frozen=True, slots=True)
class Decision:
    """Which kind is fitted on everything, what its back-test came to, and whether it is to run."""

    kind: str
    verdict: _Verdict
    runs: bool
    comparisons: Sequence[backtest.Comparison] = ()


# ---------------------------------------------------------------- the model that forecasts come from
def running_model(*, at: datetime) -> FittedModel:
    """The model that makes the forecasts. Where there is none that can be read, a light one is fitted to stand in."""
    running = switches.running()
    if running is None:
        return _stand_in(at, unreadable=None)
    return running if _readable(running) else _stand_in(at, unreadable=running)


def model_as_of(*, at: datetime) -> FittedModel:
    """The running model, unless it has seen what came after the day of `at`: then one that has not, fitted aside."""
    running = running_model(at=at)
    return running if _day(running.as_of) <= _day(at) else fit(at=at)


def is_stale(*, at: datetime) -> bool:
    """Whether a weekly fit has been missed. What was fitted and refused counts as a fit."""
    tried = FittedModel.objects.exclude(verdict=_Verdict.STAND_IN)
    return not tried.filter(fitted_at__gt=at - STALE_AFTER).exists()


def is_due(*, at: datetime) -> bool:
    """Whether it is time for a fit with its back-test: a week after the last, sooner while nothing proved is running.

    Where there was too little history to try anything a day is enough, after a model stood in no time at all.
    """
    if not history.returning_members(at).exists():
        return False
    last = FittedModel.objects.defer("data").exclude(verdict=_Verdict.STAND_IN).order_by("-fitted_at", "-pk").first()
    if last is None or last.fitted_at <= at - (FIT_EVERY_WHILE_YOUNG if last.verdict == _Verdict.YOUNG else FIT_EVERY):
        return True
    running = switches.running()
    return running is None or (running.verdict == _Verdict.STAND_IN and running.fitted_at > last.fitted_at)


def model_of(fitted: FittedModel) -> replenish.Model:
    """Parsed once a process: the parameters of a fitted model never change. ValueError where they cannot be read."""
    return _load(fitted.pk, fitted.checksum)


@lru_cache(maxsize=2)
def _load(fitted_id: int, checksum: str) -> replenish.Model:
    # The checksum is part of the key only: a number may be given out again where a database is restored.
    return replenish.load(bytes(FittedModel.objects.values_list("data", flat=True).get(pk=fitted_id)))


def _stand_in(at: datetime, unreadable: FittedModel | None) -> FittedModel:
    fitted = fit(at=at)
    meanwhile = switches.running()
    if meanwhile and meanwhile != unreadable:
        return meanwhile
    return switches.switch_on(fitted, by=None, at=at, reason=ModelSwitch.Reason.FIT, leaving=_left(unreadable)).fitted


def _readable(running: FittedModel) -> bool:
    """Whether this program can use it: not damaged, nor of a version from before or after this program's."""
    try:
        model_of(running)
    except ValueError as error:
        logger.warning("The running model (%s) cannot be read, another is fitted: %s", running.pk, error)
        return False
    return True


def _left(unreadable: FittedModel | None) -> FittedModel.Status:
    return FittedModel.Status.UNREADABLE if unreadable else FittedModel.Status.RETIRED


# ---------------------------------------------------------------- fitting
def fit(*, at: datetime, kind: str = SIMPLEST) -> FittedModel:
    """Fit a kind of model on the history up to `at`, without a back-test, and keep it aside."""
    return _store(_fit(kind, at), kind, at, verdict=_Verdict.STAND_IN, status=FittedModel.Status.KEPT)


def fit_candidates(
    *,
    at: datetime,
    kinds: Sequence[str] = KINDS,
    switch: bool | None = None,
    progress: Progress = lambda step, steps: None,
) -> FittedModel:
    """Try `kinds` and the baselines on the past, fit the best kind on everything, and switch it on if it does better.

    `switch`: True runs it whatever its back-test says, False keeps it aside. Returns what was fitted.
    """
    wished, unreadable = switches.last_wish(), None
    if (running := switches.running()) and not _readable(running):
        running, unreadable = None, running
    test = _back_test(at, kinds, running, progress)
    decision = _decide(test, kinds, running)
    model = _fit(decision.kind, at)
    progress(decision.kind, test.steps)
    with transaction.atomic():
        # What staff switched while the back-test went on, it knows nothing of: then theirs stays.
        runs = decision.runs and switches.last_wish() == wished if switch is None else switch
        status = FittedModel.Status.KEPT if decision.runs else FittedModel.Status.REFUSED
        scores = _scores(test, decision)
        fitted = _store(model, decision.kind, at, verdict=decision.verdict, status=status, scores=scores)
        if runs:
            reason = ModelSwitch.Reason.FIT if decision.runs else ModelSwitch.Reason.BY_HAND
            fitted = switches.switch_on(fitted, by=None, at=at, reason=reason, leaving=_left(unreadable)).fitted
    switches.prune(fitted_before=at - KEPT_FOR, keep=KEPT_AT_LEAST)
    logger.info("Fitted %s %s: %s, %s.", decision.kind, fitted.version, fitted.verdict, fitted.status)
    return fitted


def _fit(kind: str, at: datetime) -> replenish.Model:
    purchases, _, _ = _history(at, FITTED_LINES)
    return replenish.fit(purchases, as_of=day_number(_day(at)), kind=kind)


def _store(model: replenish.Model, kind: str, at: datetime, **facts: Any) -> FittedModel:
    data = replenish.dump(model)
    return FittedModel.objects.create(
        kind=kind,
        version=model.version,
        as_of=at,
        fitted_at=timezone.now(),
        data=data,
        checksum=sha256(data).hexdigest(),
        **facts,
    )


# ---------------------------------------------------------------- the back-test and what it decides
def _back_test(at: datetime, kinds: Sequence[str], running: FittedModel | None, progress: Progress) -> BackTest:
    purchases, households, of = _history(at, TRIED_LINES)
    follow_up = backtest.follow_up_for(purchases)
    cutoffs = backtest.cutoffs_for(purchases, count=CUTOFFS, follow_up=follow_up)
    present = [running.kind] if running and running.kind in KINDS else []
    names = list(dict.fromkeys([*kinds, *present, *baselines.NAMES]))
    steps = len(names) * len(cutoffs) + 1
    versions: dict[str, str] = {}
    rows = backtest.replay(
        [_noting_version(one, versions) for one in backtest.contenders(names)],
        purchases,
        cutoffs=cutoffs,
        follow_up=follow_up,
        progress=lambda contender, cutoff: progress(contender, steps),
    )
    test = BackTest(rows, cutoffs, follow_up, households, of, steps, versions, running=None)
    if running and versions.get(running.kind) == running.version:
        return replace(test, running=running.kind)
    # A version this program cannot fit: what its own back-test said has to do, on other days than ours.
    if running and (remembered := _remembered(running)):
        row = backtest.Row(_REMEMBERED, None, backtest.ALL, follow_up, remembered)
        return replace(test, rows=[*rows, row], running=_REMEMBERED)
    return test


def _decide(test: BackTest, kinds: Sequence[str], running: FittedModel | None) -> Decision:
    if not test.tells:
        kind = SIMPLEST if SIMPLEST in kinds else kinds[0]
        return Decision(kind, _Verdict.YOUNG, runs=kind == SIMPLEST and (running is None or running.kind == kind))
    found = {}
    for kind in kinds:
        rivals = [*baselines.NAMES, *([test.running] if test.running and test.running != kind else [])]
        found[kind] = backtest.verdict(test.rows, kind, rivals)
    figures = test.figures()
    barred = switches.barred()
    passed = [kind for kind in kinds if found[kind].passed]
    allowed = [kind for kind in passed if (kind, test.versions[kind]) not in barred]
    best = min(allowed or passed or kinds, key=lambda kind: _loss(figures[kind]))
    decision = partial(Decision, comparisons=found[best].comparisons)
    if allowed:
        if best == test.running:
            return decision(best, _Verdict.REFIT, runs=True)
        return decision(best, _Verdict.BETTER if test.running else _Verdict.FIRST, runs=True)
    if passed and running:
        return decision(best, _Verdict.BARRED, runs=False)
    if running is None:
        kind = SIMPLEST if SIMPLEST in kinds else best
        return Decision(kind, _Verdict.ONLY, runs=True, comparisons=found[kind].comparisons)
    simple = any(not one.passed for one in found[best].comparisons if one.rival in baselines.NAMES)
    return decision(best, _Verdict.SIMPLE if simple else _Verdict.WORSE, runs=False)


def _noting_version(contender: backtest.Contender, versions: dict[str, str]) -> backtest.Contender:
    def noting(*arguments: Any, **options: Any) -> Any:
        model = contender.fit(*arguments, **options)
        if contender.name in KINDS:
            versions[contender.name] = model.version
        return model

    return replace(contender, fit=noting)


def _remembered(running: FittedModel) -> dict[str, float] | None:
    for row in running.scores.get("table", ()):
        if row["name"] == running.kind:
            return {name: math.nan if value is None else value for name, value in row["figures"].items()}
    return None


def _loss(figures: dict[str, float]) -> float:
    """Log loss of the chance within 14 days, or 7 in a young shop; infinite where it is not defined."""
    return next((loss for days in (14, 7) if not math.isnan(loss := figures[f"logloss{days}"])), math.inf)


def _scores(test: BackTest, decision: Decision) -> dict[str, Any]:
    def role(name: str) -> str:
        if name == decision.kind:
            return "candidate"
        if name == test.running:
            return "running"
        return "baseline" if name in baselines.NAMES else "kind"

    table = [
        {"name": name, "role": role(name), "version": test.versions.get(name, ""), "figures": _plain(figures)}
        for name, figures in test.figures().items()
    ]
    return {
        "cutoffs": [calendar_day(number).isoformat() for number in test.cutoffs],
        "follow_up": test.follow_up,
        "households": test.households,
        "of": test.of,
        "running": test.running,
        "table": table,
        "comparisons": [_plain(asdict(one)) for one in decision.comparisons],
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no nan."""
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}


# ---------------------------------------------------------------- history
def _history(at: datetime, lines: int) -> tuple[replenish.Purchases, int, int]:
    """Purchases until `at`: of everybody, or of every second, third ... household where there are more than `lines`.

    Returns also how many households these are, and of how many.
    """
    there_are = (
        Purchase.objects.filter(purchased_at__lte=at).count()
        + OrderLine.objects.filter(order__placed_at__lte=at).count()
    )
    members = list(history.returning_members(at).order_by("pk").values_list("pk", flat=True))
    step = max(1, -(-there_are // lines))
    if step == 1:
        return columns(history.bought(until=at)), len(members), len(members)
    return columns(_bought(members[::step], at)), len(members[::step]), len(members)


def _bought(member_ids: list[int], at: datetime) -> Iterable[history.Bought]:
    chunks = (member_ids[start : start + _AT_ONCE] for start in range(0, len(member_ids), _AT_ONCE))
    return chain.from_iterable(history.bought(until=at, member_ids=chunk) for chunk in chunks)


def _day(at: datetime) -> date:
    return timezone.localdate(at, timezone.get_default_timezone())
