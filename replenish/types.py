"""What goes in and what comes out: purchases and forecasts, as columns of plain numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Days = NDArray[np.int32]
Floats = NDArray[np.float64]

HORIZONS = (7, 14, 28)
"""Days ahead for which a chance of buying is given."""

WINDOW = 56
"""Dates are given under the condition of a return within this many days."""


@dataclass(frozen=True, slots=True)
class Purchases:
    """Purchase lines as columns of one length, in any order.

    ``customer``, ``product``: identifiers. ``day``: local calendar day, days since 1970-01-01.
    ``quantity``: packs; 0 or less is a return. ``need``: what the product is for, -1 = unknown (then the
    product is its own need). ``category``: -1 = unknown. ``size``: contents of one pack in the unit of the
    need, nan = unknown. ``price``: paid for one pack, nan = unknown.
    """

    customer: Ints
    product: Ints
    day: Days
    quantity: Floats
    need: Ints
    category: Ints
    size: Floats
    price: Floats

    @classmethod
    def from_columns(
        cls,
        *,
        customer: ArrayLike,
        product: ArrayLike,
        day: ArrayLike,
        quantity: ArrayLike | None = None,
        need: ArrayLike | None = None,
        category: ArrayLike | None = None,
        size: ArrayLike | None = None,
        price: ArrayLike | None = None,
    ) -> Self:
        """Purchases from anything array-like; columns left out are unknown (quantity: one pack a line).

        Raises ValueError, naming the column, for another shape, length or kind of number, for fractions where
        whole numbers are asked for, and for quantities that are not finite.
        """
        n = len(_column("customer", customer))
        unknown = np.full(n, -1, np.int64)
        found = cls(
            customer=_whole("customer", customer, np.int64),
            product=_whole("product", product, np.int64),
            day=_whole("day", day, np.int32),
            quantity=np.ones(n) if quantity is None else _real("quantity", quantity),
            need=unknown if need is None else _whole("need", need, np.int64),
            category=unknown if category is None else _whole("category", category, np.int64),
            size=np.full(n, np.nan) if size is None else _real("size", size),
            price=np.full(n, np.nan) if price is None else _real("price", price),
        )
        for field in fields(cls):
            rows = len(getattr(found, field.name))
            if rows != n:
                raise ValueError(f"{field.name} has {rows} rows, customer has {n}")
        if not np.isfinite(found.quantity).all():
            raise ValueError("quantity must be finite")
        return found

    @classmethod
    def empty(cls) -> Self:
        return cls.from_columns(customer=[], product=[], day=[])

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, rows: NDArray[Any]) -> Self:
        """The given rows: a boolean mask of length n, or row numbers in the order wanted."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Forecasts:
    """One row for each (customer, product) bought and not wholly given back, by customer, best score first.

    ``p7 p14 p28``: chance of buying within so many days after ``as_of``, without condition.
    ``median_days lower_days upper_days``: 50, 10 and 90 % quantile of the days from ``as_of`` to the next
    purchase GIVEN that it comes within 56 days. ``interval_days``: the usual gap. ``supply_left``: share, 0 to
    1, of what was last bought for the need that is probably still there. ``suggested_quantity``: packs.
    ``last_day``: day of the last purchase. ``purchases``: days on which it was bought. ``score``: ranks a
    customer's items for the next basket, higher first.
    """

    customer: Ints
    product: Ints
    p7: Floats
    p14: Floats
    p28: Floats
    median_days: Floats
    lower_days: Floats
    upper_days: Floats
    interval_days: Floats
    supply_left: Floats
    suggested_quantity: Days
    last_day: Days
    purchases: Days
    score: Floats

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, rows: NDArray[Any]) -> Self:
        """The given rows: a boolean mask of length n, or row numbers in the order wanted."""
        return type(self)(*(column[rows] for _, column in self.columns()))

    def columns(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Name and values of every column, in order."""
        return ((f.name, getattr(self, f.name)) for f in fields(self))


def _whole(name: str, values: ArrayLike, dtype: type[np.signedinteger[Any]]) -> NDArray[Any]:
    column = _column(name, values)
    if column.size == 0:
        return np.zeros(0, dtype)
    if column.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold whole numbers, not {column.dtype}")
    if column.dtype.kind == "f" and not (np.isfinite(column) & (column == np.floor(column))).all():
        raise ValueError(f"{name} must hold whole numbers")
    limits = np.iinfo(dtype)
    if column.min() < limits.min or column.max() > limits.max:
        raise ValueError(f"{name} does not fit into {np.dtype(dtype).name}")
    return column.astype(dtype)


def _real(name: str, values: ArrayLike) -> Floats:
    column = _column(name, values)
    if column.size and column.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold numbers, not {column.dtype}")
    return column.astype(np.float64)


def _column(name: str, values: ArrayLike) -> NDArray[Any]:
    column = np.asarray(values)
    if column.ndim != 1:
        raise ValueError(f"{name} must be one column, not of shape {column.shape}")
    return column
