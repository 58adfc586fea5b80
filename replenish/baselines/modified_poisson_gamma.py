"""Modified Poisson-Gamma times repeat customer probability: "Buy It Again" as Amazon ran it.

R. Bhagat, S. Muralidharan, A. Lobzhanidze, S. Vishwanath (2018), Buy It Again: Modeling Repeat Purchase
Recommendations, KDD. As ``poisson_gamma.py``, with a rate that is low right after a purchase, highest one mean gap
m later and falls from there on; t days after the last of n purchase days that spanned t_x, T days after the first,

    lambda            = (n + alpha) / (t_x + 2 |m - t| + beta)    for t < 2 m, where both agree
                        (n + alpha) / (T + beta)                  from then on
    Q                 = (customers who came back + w q) / (customers + w)
    P(next within h)  = Q (1 - exp(-h lambda))

Q is the repeat customer probability of the product. The paper leaves out products below a threshold of Q; here it
multiplies the chance, and w = 2 customers at the mean q of the shop keep a rare product from 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replenish.baselines.habits import Habits
from replenish.baselines.levels import WEIGHT
from replenish.baselines.p_top import Rate
from replenish.baselines.poisson_gamma import PoissonGamma
from replenish.intervals import columns
from replenish.types import Floats, Ints

PRIOR_CUSTOMERS = 2.0

TYPICAL_RETURN = 0.2
"""Share of pairs bought again where nothing is known."""


@dataclass(frozen=True, slots=True)
class ModifiedPoissonGamma(PoissonGamma):
    """``back``: repeat customer probability of a product not seen and of each of the ``products``."""

    products: Ints
    back: Floats

    @classmethod
    def fit(cls, habits: Habits) -> Self:
        gamma = PoissonGamma.fit(habits)
        again = (habits.pairs.repeats > 0).astype(np.float64)
        shop = (again.sum() + WEIGHT * TYPICAL_RETURN) / (len(again) + WEIGHT)
        products, of = np.unique(habits.pairs.product, return_inverse=True)
        came_back, customers = np.bincount(of, again, len(products)), np.bincount(of, minlength=len(products))
        back = (came_back + PRIOR_CUSTOMERS * shop) / (customers + PRIOR_CUSTOMERS)
        return cls(gamma.known, gamma.alpha, gamma.beta, products, np.append(shop, back))

    def expect(self, habits: Habits) -> Rate:
        alpha, beta = self.prior(habits)
        pairs, since = habits.pairs, habits.elapsed
        mean_gap = pairs.recency / np.maximum(pairs.repeats, 1)
        watched = np.where(since < 2 * mean_gap, pairs.recency + 2 * np.abs(mean_gap - since), pairs.age)
        return Rate((habits.count + alpha) / (watched + beta), self.back[columns(self.products, pairs.product)])
