"""What baselines look at: pairs (customer, product) with their gaps, and the kinds of product they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replenish.intervals import Houses, Pairs, summarise
from replenish.types import Floats, Ints, Purchases


@dataclass(frozen=True, slots=True)
class Habits:
    """Pairs at the end of a day; columns of length n unless said otherwise.

    ``kinds``: (3, n) category, need and product of each pair, -1 = unknown. ``gaps``: days between two purchases
    one after the other, by pair and in time; ``of``: the row of the pair each gap belongs to.
    """

    pairs: Pairs
    houses: Houses
    kinds: Ints
    gaps: Floats
    of: Ints

    @classmethod
    def until(cls, purchases: Purchases, *, as_of: int) -> Self:
        """The habits in ``purchases`` at the end of day ``as_of``; later lines are not looked at."""
        pairs, houses = summarise(purchases, as_of=as_of)
        lines = purchases.take((purchases.day <= as_of) & (purchases.quantity != 0))
        pair = _rows(pairs, lines)
        lines, pair = lines.take(pair >= 0), pair[pair >= 0]
        need = np.full(len(pairs), -1, np.int64)
        np.maximum.at(need, pair, lines.need)
        bought = lines.quantity > 0
        # A pair and a day in one number: sorted and freed of doubles in one go.
        days = np.unique(pair[bought] * (2**32) + (lines.day[bought].astype(np.int64) + 2**31))
        pair, day = days >> 32, days & (2**32 - 1)
        again = pair[1:] == pair[:-1]
        return cls(
            pairs=pairs,
            houses=houses,
            kinds=np.array([pairs.category, need, pairs.product]),
            gaps=np.diff(day)[again].astype(np.float64),
            of=pair[1:][again],
        )

    @property
    def count(self) -> Floats:
        """Days on which each pair was bought."""
        return self.pairs.repeats + 1

    @property
    def elapsed(self) -> Floats:
        """Days since its last purchase."""
        return self.pairs.age - self.pairs.recency


def _rows(pairs: Pairs, lines: Purchases) -> Ints:
    """The row of the pair each line belongs to; -1: none, as it was given back altogether."""
    if len(pairs) == 0:
        return np.full(len(lines), -1, np.int64)
    customers, products = np.unique(pairs.customer), np.unique(pairs.product)
    known = np.searchsorted(customers, pairs.customer) * len(products) + np.searchsorted(products, pairs.product)
    who = np.minimum(np.searchsorted(customers, lines.customer), len(customers) - 1)
    what = np.minimum(np.searchsorted(products, lines.product), len(products) - 1)
    wanted = who * len(products) + what
    row = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found = (known[row] == wanted) & (customers[who] == lines.customer) & (products[what] == lines.product)
    return np.where(found, row, -1)
