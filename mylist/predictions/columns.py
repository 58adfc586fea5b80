"""History rows -> the engine's columns."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import islice

import numpy as np
from numpy.typing import NDArray

import replenish
from shop import history

_READ = 50_000
_EPOCH = date(1970, 1, 1)
_UNKNOWN = -1


def columns(lines: Iterable[history.Bought]) -> replenish.Purchases:
    """The engine's columns, read in pieces so that the rows of a large shop are never all objects at once."""
    lines = iter(lines)
    pieces = []
    while piece := list(islice(lines, _READ)):
        of = dict(zip(history.Bought._fields, zip(*piece, strict=True), strict=True))
        pieces.append(
            {
                "customer": np.array(of["member_id"], np.int64),
                "product": np.array(of["product_id"], np.int64),
                "day": np.array(of["day"], np.int32),
                "quantity": np.array(of["quantity"], np.float64),
                "need": _known(of["need_id"]),
                "category": _known(of["category_id"]),
                "size": np.array(of["package_size"], np.float64),
                "price": np.array(of["unit_price"], np.float64),
            }
        )
    if not pieces:
        return replenish.Purchases.empty()
    return replenish.Purchases.from_columns(
        **{name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    )


def day_number(on: date) -> int:
    """Days since 1970-01-01, as the engine counts them."""
    return (on - _EPOCH).days


def calendar_day(number: int) -> date:
    """The day that the engine counts as `number`."""
    return _EPOCH + timedelta(days=number)


def _known(ids: Iterable[int | None]) -> NDArray[np.int64]:
    return np.array([_UNKNOWN if one is None else one for one in ids], np.int64)
