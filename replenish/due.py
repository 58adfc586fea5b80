"""A forecast at a given day: when, how sure, how much is left and how much to suggest."""

from __future__ import annotations

import math

import numpy as np

from replenish.bgnbd import Curve, History, Model, curve
from replenish.intervals import Houses, Pairs, summarise
from replenish.ranking import order
from replenish.types import HORIZONS, WINDOW, Floats, Forecasts, Purchases

SOONEST = 0.5
"""No date is put nearer than this many days: the next purchase comes after ``as_of``."""


def forecast(model: Model, purchases: Purchases, *, as_of: int) -> Forecasts:
    """What each customer in ``purchases`` will buy again, seen from the end of day ``as_of``.

    ``purchases`` may hold any customers (all, a shard, one) with their whole history; what comes out for one of
    them depends on nobody else but through ``model``. Lines after ``as_of`` are not looked at.
    """
    pairs, houses = summarise(purchases, as_of=as_of)
    own = model.rows(pairs.category)
    expected = curve(model.parameters[:, own], History(pairs.repeats, pairs.recency, pairs.age))
    usual = usual_gap(pairs, model.gaps[own])
    left = supply_left(houses, model.gaps[model.rows(houses.category)])[pairs.house]
    return assemble(pairs, expected, usual=usual, left=left, levels=model.levels)


def assemble(pairs: Pairs, expected: Curve, *, usual: Floats, left: Floats, levels: Floats) -> Forecasts:
    """Forecasts from the chance curve of each pair. ``levels``: lower, median and upper quantile to be read."""
    chances = [expected.chance(float(h)) for h in HORIZONS]
    lower, median, upper = (np.maximum(expected.quantile(level, WINDOW), SOONEST) for level in levels)
    score = chances[HORIZONS.index(14)]
    found = Forecasts(
        customer=pairs.customer,
        product=pairs.product,
        p7=chances[0],
        p14=chances[1],
        p28=chances[2],
        median_days=median,
        lower_days=lower,
        upper_days=upper,
        interval_days=usual,
        supply_left=left,
        suggested_quantity=np.maximum(1, np.rint(pairs.packs)).astype(np.int32),
        last_day=pairs.last_day,
        purchases=(pairs.repeats + 1).astype(np.int32),
        score=score,
    )
    return found.take(order(found.customer, found.product, found.score))


def usual_gap(pairs: Pairs, typical: Floats) -> Floats:
    """The gap of each pair, drawn towards its category's as if one such gap had been seen."""
    return np.asarray((pairs.recency + typical) / (pairs.repeats + 1))


def supply_left(houses: Houses, typical: Floats) -> Floats:
    """Share of what was last bought for the need that is still there, 0 to 1.

    What a household uses in a day is what it bought before its last purchase over the days that lasted, drawn
    towards one average purchase every ``typical`` days. What was left when it bought again adds to what it took.
    """
    last = houses.recent[:, 0]
    average = houses.bought / houses.occasions
    use = (houses.bought - last + average) / (houses.span + typical)
    stock = np.zeros(len(houses))
    for back in range(houses.recent.shape[1] - 1, -1, -1):
        stock = np.maximum(stock - use * houses.waited[:, back], 0.0) + houses.recent[:, back]
    rest = np.maximum(stock - use * houses.elapsed, 0.0)
    return np.clip(rest / np.where(last > 0, last, 1.0), 0.0, 1.0)


def quantity_for(days: float, *, interval_days: float, packs: float = 1.0) -> int:
    """Whole packs that last ``days`` days where ``packs`` are bought every ``interval_days``; at least one.

    Raises ValueError for an interval or a number of packs that is not above zero.
    """
    if not (interval_days > 0 and packs > 0):
        raise ValueError("interval_days and packs must be above zero")
    return max(1, math.ceil(round(days / interval_days * packs, 6)))
