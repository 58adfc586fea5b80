"""BG/NBD a pair, fitted a category: a habit comes back at random while it lives, and may end after any purchase.

P. S. Fader, B. G. S. Hardie, K. L. Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24(2); likelihood and chances in ``replenish/bgnbd.py``:

    P(alive)          = 1 / (1 + [x > 0] a / (b + x - 1) ((alpha + T) / (alpha + t_x))^(r + x))
    P(next within h)  = P(alive) (1 - ((alpha + T) / (alpha + T + h))^(r + x))

The paper's customer is a pair (household, product). A category's parameters are drawn towards the shop's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replenish.baselines.baseline import Baseline
from replenish.baselines.habits import Habits
from replenish.bgnbd import Curve, History, curve, fit_parameters
from replenish.intervals import columns, members
from replenish.types import Floats, Ints

SPREAD = 0.7
"""How far, in logarithms, a category strays from the shop before its pairs must say so."""


@dataclass(frozen=True, slots=True)
class BgNbdPair(Baseline):
    """``parameters``: (4, k + 1) logarithms of r, alpha, a, b of the shop and of each of the k ``categories``."""

    categories: Ints
    parameters: Floats

    @classmethod
    def fit(cls, habits: Habits) -> Self:
        history, category = _history(habits), habits.pairs.category
        categories = np.unique(category[category != -1])
        shop = fit_parameters(history)
        own = [fit_parameters(history.take(some), centre=shop, spread=SPREAD) for some in members(category, categories)]
        return cls(categories, np.array([shop, *own]).T)

    def expect(self, habits: Habits) -> Curve:
        return curve(self.parameters[:, columns(self.categories, habits.pairs.category)], _history(habits))


def _history(habits: Habits) -> History:
    return History(habits.pairs.repeats, habits.pairs.recency, habits.pairs.age)
