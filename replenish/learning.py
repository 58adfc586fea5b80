"""Learning: what the shop's past fortnights teach about the next one.

``fit`` goes back to several past days, looks at each pair as it stood then and at what was bought afterwards, trains
the networks on that, and holds the result against the weeks just past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replenish.course import Course
from replenish.features import features
from replenish.habits import Habits, fit_habits
from replenish.households import SPANS, fit_trips, signs, trips_after
from replenish.intervals import next_days, unfold
from replenish.model import KINDS, KINDS_OF_MODEL, LEVELS, Kind, Model, View
from replenish.network import Examples, sigmoid, train
from replenish.shop import Survey
from replenish.types import WINDOW, Floats, Ints, Purchases

STEP = 14
BACK = 10
"""Past days looked at: every ``STEP`` days, so many times."""

ENOUGH = 1_000_000
"""More lines than these are fitted on a sample of whole households: parameters no longer move, time would."""

ONCE = 4
"""Of the pairs bought once, most of all pairs, every so manieth is looked at."""

JOINED = 8
"""Every so manieth household is also looked at as if it had joined two to seventeen weeks before."""

PRIOR_RETURNS = 100.0
"""How many who came back outweigh what is taken for granted of dates."""

ENOUGH_TO_SPREAD = 200_000
"""From about so many pairs the range of the inputs is taken."""

LEAST = 200
TRUSTED = 2_000
"""Purchases in the past fortnights below which no network is trained, and which count as much as the closed form."""


def fit(purchases: Purchases, *, as_of: int, kind: str = KINDS[-1]) -> Model:
    """The model of a ``kind`` (one of ``KINDS``, else ValueError) from all purchases until the end of day
    ``as_of``; later lines are not looked at."""
    if kind not in KINDS:
        raise ValueError(f"there is no model of kind {kind!r}, only {', '.join(KINDS)}")
    form = KINDS_OF_MODEL[kind]
    purchases = _sample(purchases.take((purchases.day <= as_of) & (purchases.quantity != 0)))
    habits = fit_habits(purchases, as_of=as_of)
    past = list(_past(habits, purchases, as_of, form.names))
    pairs, _, events = unfold(purchases, as_of=as_of)
    model = Model(
        version=form.version,
        as_of=as_of,
        habits=habits,
        survey=Survey.take(pairs, events, as_of=as_of),
        trips=fit_trips(*(np.concatenate(column) for column in zip(*(one.households for one in past), strict=True))),
        **_train(past, form),
        shift=np.zeros(len(SPANS)),
        levels=LEVELS,
    )
    return _check(model, purchases)


class Past(NamedTuple):
    """What was seen on a past day: of pairs, and of households their signs, trips to come, and whether these are known
    to the end."""

    names: tuple[str, ...]
    examples: Examples
    households: tuple[Floats, Ints, NDArray[np.bool_]]


def _past(habits: Habits, purchases: Purchases, as_of: int, names: tuple[str, ...] | None) -> Iterator[Past]:
    """Views of the shop on past days, the latest first, each with what then happened; and of some households as they
    would look had they joined only lately, so that new members are told apart from old ones who seldom buy."""
    for back in range(1, BACK + 1):
        day = as_of - back * STEP
        view = View.at(habits, purchases, as_of=day)
        if len(view.pairs) == 0 and back > 1:
            return
        yield _seen(view, purchases, day, as_of, names)
        joined = _joined_lately(purchases.take(purchases.day <= day), day, seed=back)
        if len(joined):
            yield _seen(View.at(habits, joined, as_of=day, survey=view.evidence.survey), purchases, day, as_of, names)


def _joined_lately(purchases: Purchases, day: int, *, seed: int) -> Purchases:
    """Every so manieth household with the lines of its last weeks alone."""
    rng = np.random.default_rng(seed)
    customers, row = np.unique(purchases.customer, return_inverse=True)
    weeks = rng.integers(2, 18, len(customers))
    chosen = rng.random(len(customers)) < 1 / JOINED
    return purchases.take(chosen[row] & (purchases.day > day - 7 * weeks[row]))


def _seen(view: View, purchases: Purchases, day: int, as_of: int, names: tuple[str, ...] | None) -> Past:
    """What the ``view`` showed, and what was bought between its ``day`` and ``as_of``."""
    house = view.evidence.households
    wait = next_days(purchases, view.pairs, as_of=day, until=as_of)
    customers = view.pairs.customer[np.flatnonzero(np.append(True, np.diff(house.of_pair) != 0))[: len(house)]]
    trips = trips_after(purchases, customers, as_of=day)
    known = np.array(SPANS) <= as_of - day
    found, table = features(view.evidence, names)
    rows = np.flatnonzero((view.pairs.repeats > 0) | (np.random.default_rng(as_of - day).random(len(wait)) < 1 / ONCE))
    ahead = trips[house.of_pair[rows]]
    examples = Examples(
        inputs=np.ascontiguousarray(table.T[rows]),
        happened=(wait[rows, None] <= np.array(SPANS)).astype(np.float32),
        counts=(known & (ahead > 0)).astype(np.float32),
        log_trips=np.log(np.maximum(ahead, 1)).astype(np.float32),
    )
    return Past(found, examples, (signs(house), trips, np.broadcast_to(known, trips.shape)))


def _train(past: list[Past], form: Kind) -> dict[str, Any]:
    """The networks of a model and what belongs to them; none where too little was bought. Uses up ``past``."""
    names = past[0].names
    parts = [one.examples for one in past]
    bought = float(sum((part.happened * part.counts)[:, 1].sum() for part in parts))
    found = {
        "names": names,
        **{name: np.zeros((len(names), 1), np.float32) for name in ("least", "most", "centre", "scale")},
        "networks": (),
        "trust": 0.0,
    }
    if bought < LEAST:
        return found
    count = sum(len(part) for part in parts)
    # A household younger than any, a price higher than all: the networks can't know, so they are shown the nearest
    # they do know. The rarest thousandth at either end counts as not known.
    some = np.concatenate([part.inputs[:: max(1, count // ENOUGH_TO_SPREAD)] for part in parts])
    least, most = np.quantile(some, [0.001, 0.999], axis=0).astype(np.float32)
    some = np.clip(some, least, most)
    centre, scale = some.mean(axis=0, dtype=np.float64), some.std(axis=0, dtype=np.float64) + 1e-6
    centre, scale = centre.astype(np.float32), scale.astype(np.float32)
    # Mixed once, so that each batch is of neighbours: picking rows from all over the memory takes longer than the rest.
    # Half precision is plenty for inputs, and they are what a fit needs memory for.
    place = np.random.default_rng(0).permutation(count)
    examples = Examples(
        np.empty((count, len(names)), np.float16),
        *(np.empty((count, len(SPANS)), np.float32) for _ in range(3)),
    )
    start = 0
    past.clear()
    while parts:
        part = parts.pop()
        rows = place[start : (start := start + len(part))]
        examples.inputs[rows] = (np.clip(part.inputs, least, most) - centre) / scale
        examples.happened[rows], examples.counts[rows] = part.happened, part.counts
        examples.log_trips[rows] = part.log_trips
    return found | {
        "least": least[:, None],
        "most": most[:, None],
        "centre": centre[:, None],
        "scale": scale[:, None],
        "networks": tuple(train(examples, form.hidden, seed=seed, passes=form.passes) for seed in range(form.networks)),
        "trust": bought / (bought + TRUSTED),
    }


def _check(model: Model, purchases: Purchases) -> Model:
    """The model held against the weeks just past: its log-odds are shifted so that as many pairs are said to be bought
    as were, and its quantiles moved to where the 10, 50 and 90 % fell."""
    seen = np.zeros(len(SPANS))
    said: list[list[Floats]] = [[] for _ in SPANS]
    for back in (14, 28, WINDOW):
        view = View.at(model.habits, purchases, as_of=model.as_of - back)
        wait = next_days(purchases, view.pairs, as_of=model.as_of - back, until=model.as_of)
        again = view.pairs.repeats > 0
        chances = model.chances(view)[:, again]
        for span, days in enumerate(SPANS):
            if days <= back:
                seen[span] += (wait[again] <= days).sum()
                said[span].append(chances[span])
    shift = [_shift(np.concatenate(chances), bought) for chances, bought in zip(said, seen.tolist(), strict=True)]
    model = replace(model, shift=np.array(shift))
    # Dates are judged by the last view, which has the whole window behind it.
    returned = again & np.isfinite(wait)
    if not returned.any():
        return model
    share = Course(model.chances(view)[:, returned]).share(wait[returned])
    weight = len(share) / (len(share) + PRIOR_RETURNS)
    return replace(model, levels=weight * np.quantile(share, LEVELS) + (1 - weight) * LEVELS)


def _shift(chances: Floats, seen: float) -> float:
    """What to add to the log-odds of ``chances`` so that they add up to the purchases ``seen``; it stays near zero as
    if another ``PRIOR_RETURNS`` purchases had been foreseen rightly."""
    odds = np.log(chances) - np.log1p(-chances)
    shift = 0.0
    for _ in range(30):
        now, prior = sigmoid(odds + shift), PRIOR_RETURNS * np.exp(shift)
        step = (now.sum() + prior - seen - PRIOR_RETURNS) / ((now * (1 - now)).sum() + prior)
        shift -= float(np.clip(step, -1, 1))
    return shift


def _sample(purchases: Purchases) -> Purchases:
    """Every second, third ... household where there are more than ``ENOUGH`` lines; the same ones every time."""
    step = -(-len(purchases) // ENOUGH)
    if step <= 1:
        return purchases
    chosen = np.unique(purchases.customer)[::step]
    return purchases.take(np.isin(purchases.customer, chosen))
