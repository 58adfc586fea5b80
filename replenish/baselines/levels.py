"""From the product to the need, the category, the shop: what is rare borrows from the next level that is not.

``known``: (2, k) the level (0 the shop, 1 category, 2 need, 3 product) and identifier of each row of a table; row 0
is the whole shop. ``kinds``: (3, n) category, need and product of n observations, as in ``Habits``.
"""

from __future__ import annotations

import numpy as np

from replenish.intervals import columns
from replenish.types import Floats, Ints

ENOUGH = 30
"""From so many observations on a product, a need or a category speaks for itself."""

WEIGHT = 10.0
"""How many observations of its own outweigh, for a shop, what is taken for granted."""


def common(kinds: Ints) -> Ints:
    """The rows of a table: the shop and whatever was seen often enough."""
    known = [np.zeros((2, 1), np.int64)]
    for level, label in enumerate(kinds, start=1):
        found, count = np.unique(label[label != -1], return_counts=True)
        found = found[count >= ENOUGH]
        known.append(np.array([np.full(len(found), level), found], np.int64))
    return np.concatenate(known, axis=1)


def rows(known: Ints, kinds: Ints) -> Ints:
    """The row of the finest level known of each observation."""
    found = np.zeros(kinds.shape[1], np.int64)
    for level, label in enumerate(kinds, start=1):
        start, stop = np.searchsorted(known[0], [level, level + 1])
        column = columns(known[1, start:stop], label)
        found = np.where(column > 0, start + column - 1, found)
    return found


def means(known: Ints, kinds: Ints, values: Floats, *, typical: float) -> Floats:
    """The mean of ``values`` in each row; the shop's is drawn towards ``typical``."""
    total = _sums(known, kinds, values)
    count = _sums(known, kinds, np.ones(len(values)))
    total[0] += WEIGHT * typical
    count[0] += WEIGHT
    return np.asarray(total / count)


def _sums(known: Ints, kinds: Ints, values: Floats) -> Floats:
    sums = [np.array([values.sum()])]
    for level, label in enumerate(kinds, start=1):
        here = known[1, known[0] == level]
        sums.append(np.bincount(columns(here, label), values, len(here) + 1)[1:])
    return np.concatenate(sums)
