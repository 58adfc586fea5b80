"""P-Top, the personal top: what a household bought most often, it will buy again.

With n purchase days in the T days since the first:

    order of the list     n; of equals, what was bought last
    P(next within h)    = 1 - exp(-h n / T)

There is nothing to learn. Hard to beat for the next basket: H. Hu, X. He, J. Gao, Z.-L. Zhang (2020), Modeling
Personalized Item Frequency Information for Next-basket Recommendation, SIGIR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replenish.baselines.baseline import Baseline
from replenish.baselines.habits import Habits
from replenish.types import Floats


@dataclass(frozen=True, slots=True)
class Rate:
    """Purchases at random, ``per_day`` each (above zero), by the ``share`` of pairs that are ever bought again."""

    per_day: Floats
    share: Floats

    def chance(self, days: float) -> Floats:
        """Chance of a purchase within ``days``, without condition."""
        return self.share * -np.expm1(-days * self.per_day)

    def quantile(self, level: float, window: float) -> Floats:
        """Days until the next purchase at ``level`` given that it comes within ``window`` days."""
        return -np.log1p(level * np.expm1(-window * self.per_day)) / self.per_day


@dataclass(frozen=True, slots=True)
class PTop(Baseline):
    @classmethod
    def fit(cls, habits: Habits) -> Self:
        return cls()

    def expect(self, habits: Habits) -> Rate:
        return Rate(frequency(habits), np.ones(len(habits.pairs)))

    def score(self, habits: Habits) -> Floats:
        return habits.count + 1 / (2 + habits.elapsed)


def frequency(habits: Habits) -> Floats:
    """Purchases a day since the first, n / T."""
    return habits.count / np.maximum(habits.pairs.age, 1)
