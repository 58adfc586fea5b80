"""What the whole shop knows of its products, needs and categories: how often people come back, and of late.

A survey is taken when a model is fitted and kept with it, so that the forecast of one household needs nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replenish.intervals import Events, Pairs
from replenish.types import Floats, Ints

COLUMNS = (
    "buyers",
    "back_28",
    "back_14",
    "repeat",
    "regular",
    "times",
    "pairs",
    "gap",
    "last",
    "week",
    "fortnight",
    "season",
    "price",
    "offer",
)
"""What is known of a product, need or category.

``buyers``: households that bought it in the last 28 days (logarithm). ``back_28``, ``back_14``: share of the pairs
known for so many days that were bought in them. ``repeat``, ``regular``: share of pairs bought twice, of those three
times. ``times``: purchase days a pair. ``pairs``: how many (logarithm). ``gap``: mean days between purchases.
``last``: days since anybody bought it. ``week``, ``fortnight``, ``season``: sales of late against those before,
1 = as ever. ``price``, ``offer``: mean price, ever and in the last fortnight. Shares and ratios are drawn towards the
usual as if by a few pairs.
"""

NEVER = 1e4

DEAREST = 1e12
"""A price beyond this is a mistake, and as good as unknown."""


@dataclass(frozen=True, slots=True)
class Group:
    """``known``: products, needs or categories, ascending. ``table``: (known + 1, COLUMNS); the last row, the middle of
    each column, stands for what is not known."""

    known: Ints
    table: Floats

    @classmethod
    def take(cls, of_pair: Ints, pairs: Pairs, events: Events, *, as_of: int) -> Group:
        known, row = np.unique(of_pair, return_inverse=True)
        n = len(known)
        silence, ago, of_event = pairs.age - pairs.recency, as_of - events.day, row[events.pair]

        def count(some: NDArray[np.bool_] | Floats) -> Floats:
            return np.bincount(row, some, n).astype(np.float64)

        def bought(some: NDArray[np.bool_] | Floats) -> Floats:
            return np.bincount(of_event, some, n).astype(np.float64)

        pair_count, repeaters = np.bincount(row, minlength=n), count(pairs.repeats > 0)
        last = np.full(n, NEVER)
        np.minimum.at(last, row, silence)
        eight_weeks = bought(ago < 56)
        priced = np.abs(events.price) < DEAREST
        paid, late = np.where(priced, events.price, 0.0), ago < 14
        price = bought(paid) / np.maximum(bought(priced), 1)
        columns = {
            "buyers": np.log1p(count(silence < 28)),
            "back_28": (count((pairs.age >= 28) & (silence < 28)) + 0.5) / (count(pairs.age >= 28) + 10),
            "back_14": (count((pairs.age >= 14) & (silence < 14)) + 0.5) / (count(pairs.age >= 14) + 10),
            "repeat": (repeaters + 1) / (pair_count + 5),
            "regular": (count(pairs.repeats > 1) + 1) / (repeaters + 3),
            "times": count(pairs.repeats + 1) / np.maximum(pair_count, 1),
            "pairs": np.log1p(pair_count),
            "gap": (count(pairs.recency) + 30) / (count(pairs.repeats) + 1),
            "last": last,
            "week": (bought(ago < 7) + 0.5) / (eight_weeks + 4) * 8,
            "fortnight": (bought(ago < 14) + 1) / (eight_weeks + 4) * 4,
            "season": (eight_weeks + 3) / (bought(ago < 168) + 9) * 3,
            "price": price,
            "offer": (bought(paid * late) + price) / (bought(priced & late) + 1),
        }
        table = np.stack([columns[name] for name in COLUMNS], axis=1)
        return cls(
            known, np.append(table, np.median(table, axis=0)[None] if n else np.zeros((1, len(COLUMNS))), axis=0)
        )

    def rows(self, of_pair: Ints) -> Ints:
        """The row of ``table`` for each pair."""
        if len(self.known) == 0:
            return np.zeros(len(of_pair), np.int64)
        least, most = self.known[0], self.known[-1]
        if most - least < 4 * (len(self.known) + len(of_pair)):
            # Numbers that lie close together are looked up, which takes a fraction of the time of a search.
            row_of = np.full(most - least + 2, len(self.known))
            row_of[self.known - least] = np.arange(len(self.known))
            inside = (of_pair >= least) & (of_pair <= most)
            return row_of[np.where(inside, of_pair - least, -1)]
        row = np.minimum(np.searchsorted(self.known, of_pair), len(self.known) - 1)
        return np.where(self.known[row] == of_pair, row, len(self.known))

    def column(self, name: str) -> Floats:
        return self.table[:, COLUMNS.index(name)]


@dataclass(frozen=True, slots=True)
class Survey:
    """What the shop knows at the end of a day, by product, by need and by category."""

    product: Group
    need: Group
    category: Group

    @classmethod
    def take(cls, pairs: Pairs, events: Events, *, as_of: int) -> Survey:
        groups = (pairs.product, pairs.need, pairs.category)
        return cls(*(Group.take(of_pair, pairs, events, as_of=as_of) for of_pair in groups))
