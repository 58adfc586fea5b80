"""Small shops for the tests of baselines."""

import numpy as np

from replenish.types import Purchases

TODAY = 1_000


def bought(member, *since, product=1, category=1, need=-1):
    """Purchases of a product by a member, so many days before today."""
    count = len(since)
    return Purchases.from_columns(
        customer=[member] * count,
        product=[product] * count,
        day=TODAY - np.array(since, int),
        category=[category] * count,
        need=[need] * count,
    )


def weekly(member, count, *, every=7, since=0, product=1):
    """``count`` purchases, the last one ``since`` days before today."""
    return bought(member, *(since + every * np.arange(count)), product=product)


def joined(*parts):
    names = ("customer", "product", "day", "quantity", "need", "category", "size", "price")
    return Purchases(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


NONE = Purchases.empty()
SHOP = joined(*(weekly(member, 20, since=member % 7) for member in range(40)))
