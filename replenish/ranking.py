"""Due items -> order on the list."""

from __future__ import annotations

import numpy as np

from replenish.types import Floats, Ints


def order(customer: Ints, product: Ints, score: Floats) -> Ints:
    """Row numbers by customer, best score first; equal scores by product, so that the answer never wavers."""
    return np.lexsort((product, -score, customer))


def ranks(customer: Ints, product: Ints, score: Floats) -> Ints:
    """Place of every row on its customer's list, from 1."""
    rows = order(customer, product, score)
    ordered = customer[rows]
    start = np.searchsorted(ordered, ordered)
    place = np.empty(len(rows), np.int64)
    place[rows] = np.arange(len(rows)) - start + 1
    return place
