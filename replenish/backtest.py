"""Rolling cut-off replay: what would each model have said on past days, and what happened then?

At every cut-off a contender is fitted and asked with the lines until that day alone (a copy: the later ones are never
in its hands) and judged on what was bought on the days after it. One purchase is one day of a pair (customer,
product). Judged are the pairs bought on at least two days by then and not given back; the list is judged by what is
bought again in the customer's next basket.

Everybody is judged on the same pairs, pooled over the cut-offs; rows of a single cut-off show how steady that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import replenish
from replenish import baselines, metrics
from replenish.types import HORIZONS, WINDOW, Days, Floats, Forecasts, Ints, Purchases

FOLLOW_UPS = (WINDOW, *reversed(HORIZONS))
"""How many days after a cut-off are looked at: the longest that the history has room for."""

LISTED = 10
"""Items at the head of a list that count."""

NEW = 60
"""A member is new for so many days from the first purchase."""

CATEGORIES = 8
"""So many categories, the largest, are judged one by one."""

EDGES = (0.0, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Chances are put into bins between these to see whether they are honest; most chances are small."""

ALL = "all"

TOLERANCE = 0.005
"""PR and NDCG may fall behind a rival by so much: less than what the draw of customers alone moves them."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A kind of model that takes part: ``fit(purchases, as_of=)`` and ``forecast(model, purchases, as_of=)``."""

    name: str
    fit: Callable[..., Any]
    forecast: Callable[..., Forecasts]


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of a chance from ``lower`` to ``upper``: the mean ``said``, the share ``seen``, how many."""

    lower: float
    upper: float
    said: float
    seen: float
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """How one contender did at one ``cutoff`` (day since 1970-01-01), or at all of them together (None).

    ``segment``: ``ALL``, or some of the pairs, as "purchases 3-4", "members new" or "category 17". ``figures``: value
    by name, nan where the follow-up or the purchases do not define it. ``bins``: said against seen of the chance
    within 14 days (7 where the follow-up is shorter), in the pooled row of ``ALL``.
    """

    contender: str
    cutoff: int | None
    segment: str
    follow_up: int
    figures: dict[str, float]
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate against one rival in one figure. ``passed``: nothing here speaks against the candidate."""

    rival: str
    figure: str
    candidate_value: float
    rival_value: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate is to be switched on, and why."""

    candidate: str
    comparisons: tuple[Comparison, ...]

    @property
    def passed(self) -> bool:
        return bool(self.comparisons) and all(one.passed for one in self.comparisons)


@dataclass(frozen=True, slots=True)
class _Truth:
    """The n pairs judged at one cut-off, by customer and product, and what became of them.

    ``wait``: days until bought again, inf: not in the follow-up. ``in_next``: in the customer's next basket.
    ``wanted``: how many items of that basket the customer had bought before, on however few days.
    """

    cutoff: int
    customer: Ints
    product: Ints
    category: Ints
    purchases: Ints
    new: NDArray[np.bool_]
    wait: Floats
    in_next: NDArray[np.bool_]
    wanted: Ints

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True, slots=True)
class _Judged:
    """Truth and answers side by side, of one cut-off or several. ``group``: one number a customer and cut-off."""

    follow_up: int
    group: Ints
    product: Ints
    wait: Floats
    in_next: NDArray[np.bool_]
    wanted: Ints
    answers: Forecasts

    def outcome(self, days: int) -> tuple[NDArray[np.bool_], Floats]:
        """Bought within ``days``, and the chance that was given for it; empty where the follow-up ends before."""
        rows = slice(None) if days <= self.follow_up else slice(0)
        chance: Floats = getattr(self.answers, f"p{days}")[rows]
        return self.wait[rows] <= days, chance


def contenders(names: Sequence[str] | None = None) -> list[Contender]:
    """Our own models and the baselines by name; all of them unless told which.

    Raises ValueError for a name that is none.
    """
    known = {kind: Contender(kind, partial(replenish.fit, kind=kind), replenish.forecast) for kind in replenish.KINDS}
    for name in baselines.NAMES:
        known[name] = Contender(name, partial(baselines.fit, name), baselines.forecast)
    strange = [name for name in names or () if name not in known]
    if strange:
        raise ValueError(f"there is no model {strange[0]!r}, only {', '.join(known)}")
    return [known[name] for name in (known if names is None else names)]


def follow_up_for(purchases: Purchases) -> int:
    """The longest of ``FOLLOW_UPS`` that leaves at least as many days of history before it; the shortest in a history
    shorter still."""
    span = int(purchases.day.max() - purchases.day.min()) + 1 if len(purchases) else 0
    return next((days for days in FOLLOW_UPS if span >= 2 * days), FOLLOW_UPS[-1])


def days_judged(follow_up: int) -> int:
    """The horizon that decides: 14 days, 7 where the follow-up is too short for them."""
    return 14 if follow_up >= 14 else 7


def cutoffs_for(purchases: Purchases, *, count: int = 3, follow_up: int = WINDOW) -> tuple[int, ...]:
    """Up to ``count`` days to look ahead from, ascending, whole weeks apart.

    The last one leaves exactly ``follow_up`` days to the end of the history. Left out are days at which nothing could
    be judged yet: fewer than seven days of history, or no pair bought twice. Empty where nothing is left.
    """
    if count < 1 or follow_up < 1:
        raise ValueError("count and follow_up must be at least 1")
    if len(purchases) == 0:
        return ()
    apart = max(1, follow_up * 3 // 8 // 7) * 7
    last = int(purchases.day.max()) - follow_up
    days = (last - apart * back for back in reversed(range(count)))
    first = int(purchases.day.min()) + 6
    return tuple(day for day in days if day >= first and len(_truth(purchases, day, follow_up)))


def replay(
    contenders: Sequence[Contender],
    purchases: Purchases,
    *,
    cutoffs: Sequence[int],
    follow_up: int = WINDOW,
    category_names: Sequence[str] | None = None,
    progress: Callable[[str, int], object] = lambda contender, cutoff: None,
) -> list[Row]:
    """How every contender did: for each its rows pooled over the ``cutoffs``, by segment and for each cut-off.

    ``purchases`` must reach ``follow_up`` days beyond the last cut-off, or what is not yet seen counts as not bought.
    ``category_names``: by category number, for the names of segments. ``progress`` is told of every contender and
    cut-off done. Dates are judged when the follow-up covers their 56 days, chances of a horizon when it covers that.

    Raises ValueError for a forecast that is missing or breaks its contract, naming the contender.
    """
    truths = [truth for day in sorted(set(cutoffs)) if len(truth := _truth(purchases, day, follow_up))]
    if not truths:
        return []
    segments = dict(_segments(truths, category_names))
    rows = []
    for contender in contenders:
        answers = []
        for truth in truths:
            answers.append(_ask(contender, purchases.take(purchases.day <= truth.cutoff), truth))
            progress(contender.name, truth.cutoff)
        pooled = _judged(truths, answers, follow_up)
        row = partial(Row, contender=contender.name, follow_up=follow_up)
        rows.append(row(cutoff=None, segment=ALL, figures=_figures(pooled), bins=_bins(pooled)))
        rows += [row(cutoff=None, segment=name, figures=_brief(pooled, some)) for name, some in segments.items()]
        for truth, answer in zip(truths, answers, strict=True):
            figures = _figures(_judged([truth], [answer], follow_up))
            rows.append(row(cutoff=truth.cutoff, segment=ALL, figures=figures))
    return rows


def verdict(rows: Sequence[Row], candidate: str, rivals: Sequence[str], *, tolerance: float = TOLERANCE) -> Verdict:
    """Is ``candidate`` to be switched on instead of the running model and the other ``rivals``?

    Decisive is the log loss of the chance of buying within 14 days (7 in a shop too young for 14), pooled over the
    cut-offs: a proper score, so only honest chances make it small (Gneiting and Raftery 2007), and the candidate's
    must be smaller than every rival's. Reminders and lists go by order as well: precision-recall and NDCG@10 must not
    be more than ``tolerance`` below any rival's. A figure that is not defined speaks for nobody: without a log loss
    nothing is switched on, without the others the log loss decides alone.

    Raises ValueError for a contender that has no rows, unless nothing at all could be judged.
    """
    pooled = {row.contender: row.figures for row in rows if row.cutoff is None and row.segment == ALL}
    if not pooled:
        return Verdict(candidate, ())
    for name in (candidate, *rivals):
        if name not in pooled:
            raise ValueError(f"{name!r} was not in the back-test, only {', '.join(pooled)}")
    mine, comparisons = pooled[candidate], []
    days = days_judged(rows[0].follow_up)
    for rival in rivals:
        theirs = pooled[rival]
        loss = f"logloss{days}"
        comparisons.append(Comparison(rival, loss, mine[loss], theirs[loss], mine[loss] < theirs[loss]))
        for figure in (f"pr_auc{days}", f"ndcg{LISTED}"):
            behind = mine[figure] < theirs[figure] - tolerance
            comparisons.append(Comparison(rival, figure, mine[figure], theirs[figure], not behind))
    return Verdict(candidate, tuple(comparisons))


def _truth(purchases: Purchases, cutoff: int, follow_up: int) -> _Truth:
    lines = purchases.take(purchases.day <= cutoff + follow_up)
    customers, customer = np.unique(lines.customer, return_inverse=True)
    products, product = np.unique(lines.product, return_inverse=True)
    pairs, pair = np.unique(customer * len(products) + product, return_inverse=True)
    owner = pairs // max(len(products), 1)
    past, bought = lines.day <= cutoff, lines.quantity > 0

    on_days, _ = _distinct(pair[past & bought], lines.day[past & bought])
    count = np.bincount(on_days, minlength=len(pairs))
    net = np.bincount(pair[past], lines.quantity[past], len(pairs))
    category = np.full(len(pairs), -1)
    np.maximum.at(category, pair[past], lines.category[past])
    first = np.full(len(customers), cutoff)
    np.minimum.at(first, customer[past & bought], lines.day[past & bought])

    # The next basket is the first day on which the customer buys anything, bought before or not.
    wait = np.full(len(pairs), np.inf)
    np.minimum.at(wait, pair[~past & bought], lines.day[~past & bought] - float(cutoff))
    next_basket = np.full(len(customers), np.inf)
    np.minimum.at(next_basket, owner, wait)
    had = (count > 0) & (net > 0)
    in_next = had & np.isfinite(wait) & (wait == next_basket[owner])
    wanted = np.bincount(owner, in_next, len(customers)).astype(np.int64)[owner]

    judged = had & (count >= 2)
    return _Truth(
        cutoff=cutoff,
        customer=customers[owner[judged]],
        product=products[pairs[judged] % max(len(products), 1)],
        category=category[judged],
        purchases=count[judged],
        new=(cutoff - first[owner] < NEW)[judged],
        wait=wait[judged],
        in_next=in_next[judged],
        wanted=wanted[judged],
    )


def _distinct(pair: Ints, day: Days) -> tuple[Ints, Days]:
    """Each pair and day once."""
    order = np.lexsort((day, pair))
    pair, day = pair[order], day[order]
    new = np.append(True, (np.diff(pair) != 0) | (np.diff(day) != 0))[: len(pair)]
    return pair[new], day[new]


def _segments(truths: list[_Truth], names: Sequence[str] | None) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Names of parts of all judged pairs, and which pairs they are."""
    purchases = np.concatenate([truth.purchases for truth in truths])
    for least, most in ((2, 2), (3, 4), (5, 9), (10, None)):
        label = f"{least}+" if most is None else str(least) if least == most else f"{least}-{most}"
        yield f"purchases {label}", (purchases >= least) & (purchases <= (most or purchases.max()))
    new = np.concatenate([truth.new for truth in truths])
    yield "members new", new
    yield "members known", ~new
    category = np.concatenate([truth.category for truth in truths])
    known, count = np.unique(category[category >= 0], return_counts=True)
    for number in known[np.argsort(-count, kind="stable")[:CATEGORIES]].tolist():
        yield f"category {names[number] if names else number}", category == number


def _ask(contender: Contender, past: Purchases, truth: _Truth) -> Forecasts:
    """The contender's answers for the judged pairs, in their order."""
    found = contender.forecast(contender.fit(past, as_of=truth.cutoff), past, as_of=truth.cutoff)
    asked = np.stack([truth.customer, truth.product])
    everything = np.concatenate([asked, np.stack([found.customer, found.product])], axis=1)
    # Stable, so that a pair's question stands right before its answer.
    order = np.lexsort((everything[1], everything[0]))
    same = (np.diff(everything[:, order]) == 0).all(axis=0)
    questions = np.flatnonzero(order < len(truth))
    answered = np.append(same, False)[questions]
    if not answered.all():
        raise ValueError(f"{contender.name} has no forecast for {int((~answered).sum())} of {len(truth)} judged pairs")
    if (np.append(same, False)[questions + 1]).any():
        raise ValueError(f"{contender.name} has two forecasts for one pair")
    answers = found.take(order[questions + 1] - len(truth))
    _check(contender.name, answers)
    return answers


def _check(name: str, answers: Forecasts) -> None:
    chances = np.stack([np.zeros(len(answers)), answers.p7, answers.p14, answers.p28, np.ones(len(answers))])
    dates = np.stack([np.zeros(len(answers)), answers.lower_days, answers.median_days, answers.upper_days])
    if not all(np.isfinite(values).all() for values in (chances, dates, answers.score)):
        raise ValueError(f"{name} has forecasts that are no finite numbers")
    if (np.diff(chances, axis=0) < 0).any():
        raise ValueError(f"{name} has chances that break 0 <= p7 <= p14 <= p28 <= 1")
    if (np.diff(dates, axis=0) < 0).any():
        raise ValueError(f"{name} has dates that break 0 <= lower <= median <= upper")


def _judged(truths: list[_Truth], answers: list[Forecasts], follow_up: int) -> _Judged:
    """Everything of several cut-offs in one table; the same customer is another one at each of them."""
    everybody = np.unique(np.concatenate([truth.customer for truth in truths]))
    groups = [np.searchsorted(everybody, truth.customer) + i * len(everybody) for i, truth in enumerate(truths)]
    columns = zip(*(answer.columns() for answer in answers), strict=True)
    return _Judged(
        follow_up=follow_up,
        group=np.concatenate(groups),
        product=np.concatenate([truth.product for truth in truths]),
        wait=np.concatenate([truth.wait for truth in truths]),
        in_next=np.concatenate([truth.in_next for truth in truths]),
        wanted=np.concatenate([truth.wanted for truth in truths]),
        answers=Forecasts(*(np.concatenate([values for _, values in column]) for column in columns)),
    )


def _figures(judged: _Judged) -> dict[str, float]:
    """Everything there is to say of some answers."""
    pairs = {"pairs": float(len(judged.wait))}
    return pairs | _when(judged) | _whether(judged) | _reminders(judged) | _lists(judged)


def _when(judged: _Judged) -> dict[str, float]:
    """Dates are given under the condition of a return within the window, and judged by those who did return."""
    back = np.isfinite(judged.wait) if judged.follow_up >= WINDOW else np.zeros(len(judged.wait), bool)
    back &= judged.wait <= WINDOW
    days, said = judged.wait[back], judged.answers.take(back)
    lower, median, upper = said.lower_days, said.median_days, said.upper_days
    losses = [metrics.pinball(days, at, level) for level, at in ((0.1, lower), (0.5, median), (0.9, upper))]
    below, above = metrics.outside(days, lower, upper)
    return {
        "share_back_in_H": float(back.mean()) if judged.follow_up >= WINDOW else float("nan"),
        "mae_days": metrics.mae(days, median),
        "medae_days": metrics.median_error(days, median),
        "within3d": metrics.within(days, median, 3),
        "within7d": metrics.within(days, median, 7),
        "bias_days": metrics.bias(days, median),
        "pinball10": losses[0],
        "pinball50": losses[1],
        "pinball90": losses[2],
        "pinball_mean": sum(losses) / 3,
        "coverage80": metrics.coverage(days, lower, upper),
        "below_lower": below,
        "above_upper": above,
        "width80_days": metrics.width(lower, upper),
    }


def _whether(judged: _Judged) -> dict[str, float]:
    """Chances of every judged pair; the follow-up covers each horizon, so nothing is censored."""
    found: dict[str, float] = {}
    for days in HORIZONS:
        happened, chance = judged.outcome(days)
        found |= {
            f"base{days}": float(happened.mean()) if len(happened) else float("nan"),
            f"roc_auc{days}": metrics.roc_auc(happened, chance),
            f"pr_auc{days}": metrics.pr_auc(happened, chance),
            f"brier{days}": metrics.brier(happened, chance),
            f"brier_skill{days}": metrics.brier_skill(happened, chance),
            f"logloss{days}": metrics.log_loss(happened, chance),
            f"ece{days}": metrics.ece(happened, chance),
        }
    return found


def _reminders(judged: _Judged) -> dict[str, float]:
    """How often a reminder is right: with as many as are due, from an even chance on, and with one a customer."""
    happened, chance = judged.outcome(14)
    precision, sent = metrics.precision_from(0.5, happened, chance)
    rows = slice(len(chance))
    return {
        "reminder14_breakeven_precision": metrics.break_even_precision(happened, chance),
        "reminder14_n_p50": float(sent) if len(chance) else float("nan"),
        "reminder14_precision_p50": precision,
        "reminder14_precision_top1_per_customer": metrics.precision_at_first(
            judged.group[rows], judged.product[rows], chance, happened
        ),
    }


def _lists(judged: _Judged) -> dict[str, float]:
    """The first items of the list against what the next basket held of things bought before."""
    score = judged.answers.score
    listed = (LISTED, judged.group, judged.product, score, judged.in_next)
    of_all, ceiling = metrics.recall_of_all_at(*listed, judged.wanted)
    return {
        "rank_customers_all": float(len(np.unique(judged.group[judged.wanted > 0]))),
        f"recall{LISTED}_of_all_repeat_items": of_all,
        "ceiling_recall_of_all_repeat_items": ceiling,
        "rank_customers": float(len(np.unique(judged.group[judged.in_next]))),
        f"recall{LISTED}": metrics.recall_at(*listed),
        f"ndcg{LISTED}": metrics.ndcg_at(*listed),
        f"hit{LISTED}": metrics.hit_at(*listed),
    }


def _brief(judged: _Judged, some: NDArray[np.bool_]) -> dict[str, float]:
    """Is a segment told the truth? Chances against what was seen, and the dates' windows."""
    found = {"pairs": float(some.sum())}
    for days in HORIZONS:
        happened, chance = judged.outcome(days)
        part = some[: len(chance)]
        happened, chance = happened[part], chance[part]
        found |= {
            f"base{days}": float(happened.mean()) if len(happened) else float("nan"),
            f"said{days}": float(chance.mean()) if len(chance) else float("nan"),
            f"logloss{days}": metrics.log_loss(happened, chance),
            f"ece{days}": metrics.ece(happened, chance),
        }
    return found


def _bins(judged: _Judged) -> tuple[Bin, ...]:
    said, seen, count = metrics.reliability(*judged.outcome(days_judged(judged.follow_up)), EDGES)
    found = zip(EDGES[:-1], EDGES[1:], said.tolist(), seen.tolist(), count.tolist(), strict=True)
    return tuple(Bin(*one) for one in found if one[-1])
