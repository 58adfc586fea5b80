"""A forecast at a given day: when, how sure, how much is left and how much to suggest."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from replenish.course import Course
from replenish.intervals import Pairs, columns
from replenish.model import Model, View
from replenish.ranking import order
from replenish.types import HORIZONS, WINDOW, Floats, Forecasts, Purchases

SOONEST = 0.5
"""No date is put nearer than this many days: the next purchase comes after ``as_of``."""


MOST = np.iinfo(np.int32).max
"""No suggestion is greater, however absurd a quantity the history holds."""


class Expectation(Protocol):
    """When each pair is bought next, as any model puts it."""

    def chance(self, days: float, /) -> Floats: ...

    def quantile(self, level: float, window: float, /) -> Floats: ...


def forecast(model: Model, purchases: Purchases, *, as_of: int) -> Forecasts:
    """What each customer in ``purchases`` will buy again, seen from the end of day ``as_of``.

    ``purchases`` may hold any customers (all, a shard, one) with their whole history; what comes out for one of
    them depends on nobody else but through ``model``. Lines after ``as_of`` are not looked at.
    """
    view = View.at(model.habits, purchases, as_of=as_of, survey=model.survey)
    pairs, habits = view.pairs, model.habits
    usual = usual_gap(pairs, habits.gaps[columns(habits.categories, pairs.category)])
    course = Course(model.chances(view))
    return assemble(pairs, course, usual=usual, left=view.evidence.left, levels=model.levels)


def assemble(pairs: Pairs, expected: Expectation, *, usual: Floats, left: Floats, levels: Floats) -> Forecasts:
    """Forecasts from the chance curve of each pair. ``levels``: lower, median and upper quantile to be read."""
    # Rounding in the last bit may turn the order of two that are equal; the promise is kept to the bit.
    p7, p14, p28 = np.maximum.accumulate([np.clip(expected.chance(days), 0.0, 1.0) for days in HORIZONS])
    dates = np.maximum.accumulate([expected.quantile(level, WINDOW) for level in levels])
    lower, median, upper = np.clip(dates, SOONEST, WINDOW)
    found = Forecasts(
        customer=pairs.customer,
        product=pairs.product,
        p7=p7,
        p14=p14,
        p28=p28,
        median_days=median,
        lower_days=lower,
        upper_days=upper,
        interval_days=usual,
        supply_left=left,
        suggested_quantity=np.clip(np.rint(pairs.packs), 1, MOST).astype(np.int32),
        last_day=pairs.last_day,
        purchases=(pairs.repeats + 1).astype(np.int32),
        score=p14,
    )
    return found.take(order(found.customer, found.product, found.score))


def usual_gap(pairs: Pairs, typical: Floats) -> Floats:
    """The gap of each pair, drawn towards its category's as if one such gap had been seen."""
    return np.asarray((pairs.recency + typical) / (pairs.repeats + 1))


def quantity_for(days: float, *, interval_days: float, packs: float = 1.0) -> int:
    """Whole packs that last ``days`` days where ``packs`` are bought every ``interval_days``; at least one.

    Raises ValueError for an interval or a number of packs that is not above zero.
    """
    if not (interval_days > 0 and packs > 0):
        raise ValueError("interval_days and packs must be above zero")
    return max(1, math.ceil(round(days / interval_days * packs, 6)))
