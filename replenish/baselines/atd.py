"""Aggregate time distribution (ATD): the gaps of all households, given that the present one has lasted so long.

R. Bhagat, S. Muralidharan, A. Lobzhanidze, S. Vishwanath (2018), Buy It Again: Modeling Repeat Purchase
Recommendations, KDD. Gaps of a product are log-normal, whoever buys it; mu and sigma by maximum likelihood, the
mean and deviation of log gaps:

    S(t)              = Phi((mu - ln t) / sigma)
    P(next within h)  = 1 - S(t + h) / S(t)          t days after the last purchase

Where the paper recommends for a time of its choice, we condition on the gap running now. A product with few gaps
has its need's, its category's or the shop's distribution. The last purchase fell in the middle of its day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from replenish.baselines.baseline import TYPICAL_GAP, Baseline
from replenish.baselines.habits import Habits
from replenish.baselines.levels import common, means, rows
from replenish.types import Floats, Ints

MIDDAY = 0.5

NARROWEST = 0.1
"""Log gaps of a product deviate at least this much, however alike the few seen are."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A log-normal gap (``mu``, ``sigma``) that has lasted ``elapsed`` days (above zero) already."""

    mu: Floats
    sigma: Floats
    elapsed: Floats

    def chance(self, days: float) -> Floats:
        """Chance of a purchase within ``days``."""
        return np.asarray(-np.expm1(self._log_longer(self.elapsed + days) - self._log_longer(self.elapsed)))

    def quantile(self, level: float, window: float) -> Floats:
        """Days until the next purchase at ``level`` given that it comes within ``window`` days."""
        log_longer = self._log_longer(self.elapsed) + np.log1p(-level * self.chance(window))
        return np.asarray(np.exp(self.mu - self.sigma * ndtri_exp(log_longer)) - self.elapsed)

    def _log_longer(self, days: Floats) -> Floats:
        """log S: the tail keeps its digits where S itself would be zero."""
        return np.asarray(log_ndtr((self.mu - np.log(days)) / self.sigma))


@dataclass(frozen=True, slots=True)
class AggregateTime(Baseline):
    """``mu``, ``sigma``: mean and deviation of log gaps in each of the ``known`` levels."""

    known: Ints
    mu: Floats
    sigma: Floats

    @classmethod
    def fit(cls, habits: Habits) -> Self:
        kinds, logs = habits.kinds[:, habits.of], np.log(habits.gaps)
        known, typical = common(kinds), float(np.log(TYPICAL_GAP))
        mu = means(known, kinds, logs, typical=typical)
        square = means(known, kinds, logs**2, typical=typical**2 + 1)
        return cls(known, mu, np.maximum(np.sqrt(np.maximum(square - mu**2, 0.0)), NARROWEST))

    def expect(self, habits: Habits) -> Waiting:
        row = rows(self.known, habits.kinds)
        return Waiting(self.mu[row], self.sigma[row], habits.elapsed + MIDDAY)
