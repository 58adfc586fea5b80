"""Poisson-Gamma: every pair has a rate of its own, and the rates of a product's buyers are Gamma.

R. Bhagat, S. Muralidharan, A. Lobzhanidze, S. Vishwanath (2018), Buy It Again: Modeling Repeat Purchase
Recommendations, KDD. lambda ~ Gamma(alpha, beta) over those who came back to a product, fitted to their observed
rates n / T by moments; after n purchase days in the T days since the first,

    lambda            = (n + alpha) / (T + beta)
    P(next within h)  = 1 - exp(-h lambda)

as in the paper, where the mean rate stands for the whole posterior. A product with few who came back has the
Gamma of its need, its category or the shop. Habits never end here, so chances are too high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replenish.baselines.baseline import TYPICAL_GAP, Baseline
from replenish.baselines.habits import Habits
from replenish.baselines.levels import common, means, rows
from replenish.baselines.p_top import Rate, frequency
from replenish.types import Floats, Ints

TYPICAL_SHAPE = 0.5
"""alpha where nothing is known: about what a supermarket shows."""

GREATEST_SHAPE = 100.0
"""Rates differ at least as much as this shape makes them, however alike the few seen are."""


@dataclass(frozen=True, slots=True)
class PoissonGamma(Baseline):
    """``alpha`` (shape) and ``beta`` (rate, in days) of the Gamma in each of the ``known`` levels."""

    known: Ints
    alpha: Floats
    beta: Floats

    @classmethod
    def fit(cls, habits: Habits) -> Self:
        back = habits.pairs.repeats > 0
        kinds, rate = habits.kinds[:, back], frequency(habits)[back]
        known, typical = common(kinds), 1 / TYPICAL_GAP
        mean = means(known, kinds, rate, typical=typical)
        square = means(known, kinds, rate**2, typical=typical**2 * (1 + 1 / TYPICAL_SHAPE))
        variance = np.maximum(square - mean**2, mean**2 / GREATEST_SHAPE)
        return cls(known, mean**2 / variance, mean / variance)

    def expect(self, habits: Habits) -> Rate:
        alpha, beta = self.prior(habits)
        rate = (habits.count + alpha) / (habits.pairs.age + beta)
        return Rate(rate, np.ones(len(rate)))

    def prior(self, habits: Habits) -> tuple[Floats, Floats]:
        """alpha and beta of each pair's product."""
        row = rows(self.known, habits.kinds)
        return self.alpha[row], self.beta[row]
