"""History rows -> the engine's columns."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import islice

import numpy as np

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
        pieces.append(
            np.array(
                [
                    (
                        line.member_id,
                        line.product_id,
                        day_number(line.on),
                        line.quantity,
                        _UNKNOWN if line.need_id is None else line.need_id,
                        _UNKNOWN if line.category_id is None else line.category_id,
                        np.nan if line.package_size is None else line.package_size,
                        line.unit_price,
                    )
                    for line in piece
                ],
                dtype=np.float64,
            )
        )
    table = np.concatenate(pieces) if pieces else np.zeros((0, 8))
    customer, product, day, quantity, need, category, size, price = table.T
    return replenish.Purchases.from_columns(
        customer=customer,
        product=product,
        day=day,
        quantity=quantity,
        need=need,
        category=category,
        size=size,
        price=price,
    )


def day_number(on: date) -> int:
    """Days since 1970-01-01, as the engine counts them."""
    return (on - _EPOCH).days


def calendar_day(number: int) -> date:
    """The day that the engine counts as `number`."""
    return _EPOCH + timedelta(days=number)
