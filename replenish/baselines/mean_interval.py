"""The mean interval: what most shops do. Due one mean gap after the last purchase, however long ago that was.

For a pair (household, product) with mean gap m, last bought t days ago:

    due in                m - t days, at least one
    window                from .15 to 2 gaps after the last purchase (a mean alone says nothing of it; see below)
    P(next within h)    = 1 - exp(-h / m)
    order of the list     -|m - t|: what is due today first

A pair bought once has the mean gap of its product, need, category or shop. No paper: the rule is folklore.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replenish.baselines.baseline import TYPICAL_GAP, Baseline
from replenish.baselines.habits import Habits
from replenish.baselines.levels import common, means, rows
from replenish.types import Floats, Ints

LEVELS = (0.1, 0.5, 0.9)
SPREAD = (0.15, 1.0, 2.0)
"""The 10, 50 and 90 % quantile in usual gaps after the last purchase. An interval has no window of its own and the
figures reported for it do not tell theirs: these constants come out at the same coverage (57 % where 80 are due)."""

SOONEST = 1.0
"""What is overdue is expected tomorrow."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One usual gap after the last purchase; chances as of accidents, once a gap."""

    usual: Floats
    elapsed: Floats

    def chance(self, days: float) -> Floats:
        """Chance of a purchase within ``days``."""
        return -np.expm1(-days / self.usual)

    def quantile(self, level: float, window: float) -> Floats:
        """Days until the next purchase at ``level``, at most ``window``."""
        due = self.usual * np.interp(level, LEVELS, SPREAD) - self.elapsed
        return np.clip(due, SOONEST, window)

    def nearness(self) -> Floats:
        """How near the due day is, before or after: zero at best."""
        return -np.abs(self.usual - self.elapsed)


@dataclass(frozen=True, slots=True)
class MeanInterval(Baseline):
    """``gaps``: mean gap in each of the ``known`` levels."""

    known: Ints
    gaps: Floats

    @classmethod
    def fit(cls, habits: Habits) -> Self:
        kinds = habits.kinds[:, habits.of]
        known = common(kinds)
        return cls(known, means(known, kinds, habits.gaps, typical=TYPICAL_GAP))

    def expect(self, habits: Habits) -> Interval:
        return Interval(self.usual(habits), habits.elapsed)

    def score(self, habits: Habits) -> Floats:
        return self.expect(habits).nearness()

    def usual(self, habits: Habits) -> Floats:
        repeats = habits.pairs.repeats
        own = habits.pairs.recency / np.maximum(repeats, 1)
        return np.where(repeats > 0, own, self.gaps[rows(self.known, habits.kinds)])
