"""Purchase lines -> what a model needs to know of a pair (customer, product) and of a need in a household.

One purchase is one local calendar day of a pair, however many lines or baskets it took.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replenish.types import Days, Floats, Ints, Purchases

GRAIN = 1000
"""Quantities are counted in thousandths of a pack."""

MOST = 4e9
"""Quantities beyond so many packs are mistakes; they count as this many."""

SEEN = 4
"""Older purchases of a need than its last four are taken as used up."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is known of each pair at the end of ``as_of``, sorted by customer, product; columns of length n.

    ``need``: below -1 where it is unknown, and then the product's own.
    ``repeats``: purchase days after the first (x). ``recency``: days from the first to the last (t_x).
    ``age``: days from the first to ``as_of`` (T). ``packs``: the middle quantity of a purchase day.
    ``start``: row of the first purchase day in ``Events``. ``house``: row of the pair's need in ``Houses``.
    """

    customer: Ints
    product: Ints
    need: Ints
    category: Ints
    repeats: Floats
    recency: Floats
    age: Floats
    packs: Floats
    last_day: Days
    start: Ints
    house: Ints

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True, slots=True)
class Houses:
    """What a household bought for one need, whatever the product; columns of length m.

    Contents are counted in the unit of the need where every size is known, otherwise in packs.
    ``occasions``: days on which something was bought. ``span``: days from the first to the last.
    ``category``: of its products. ``bought``: contents of all purchases, net of returns.
    ``elapsed``: days since the last. ``recent``: (m, SEEN) contents of the last purchase days, newest first, 0
    where there were fewer; ``waited``: (m, SEEN) days from the purchase before to each of them.
    """

    category: Ints
    occasions: Floats
    span: Floats
    elapsed: Floats
    bought: Floats
    recent: Floats
    waited: Floats

    def __len__(self) -> int:
        return len(self.category)


@dataclass(frozen=True, slots=True)
class Events:
    """Every purchase day of every pair, by pair and day; columns of length m.

    ``pair``: row in ``Pairs``. ``packs``: bought on that day. ``price``: the lowest paid for a pack, nan = unknown.
    """

    pair: Ints
    day: Days
    packs: Floats
    price: Floats

    def __len__(self) -> int:
        return len(self.day)


def summarise(purchases: Purchases, *, as_of: int) -> tuple[Pairs, Houses]:
    """Pairs and households' needs as they stand at the end of day ``as_of``; see ``unfold``."""
    pairs, houses, _ = unfold(purchases, as_of=as_of)
    return pairs, houses


def unfold(purchases: Purchases, *, as_of: int) -> tuple[Pairs, Houses, Events]:
    """Pairs, households' needs and every purchase day as they stand at the end of day ``as_of``; later lines are not
    looked at.

    The order of lines makes no difference. A pair given back altogether (returns not less than purchases) is
    left out; any other return only lowers what is in the house. Need, category and size belong to the product:
    where lines of a pair differ, the greatest counts.
    """
    p = purchases.take((purchases.day <= as_of) & (purchases.quantity != 0))
    p = p.take(order_by(p.customer, p.product, p.day))
    pair = _runs(p.customer, p.product)
    quantity = _grains(p.quantity)
    whole = _sums(quantity, pair) > 0
    if not whole.all():
        kept = np.repeat(whole, np.diff(np.append(pair, len(p))))
        p, quantity = p.take(kept), quantity[kept]
        pair = _runs(p.customer, p.product)
    if len(p) == 0:
        return _nothing()
    of_pair = _labels(pair, len(p))
    need, category = np.maximum.reduceat(p.need, pair), np.maximum.reduceat(p.category, pair)
    need = np.where(need >= 0, need, -2 - p.product[pair])
    size = np.fmax.reduceat(p.size, pair)
    bought = quantity > 0
    days, price = (of_pair, p.day, quantity), p.price
    if not bought.all():
        days, price = (of_pair[bought], p.day[bought], quantity[bought]), price[bought]
    begin = _runs(*days[:2])
    events = Events(
        pair=days[0][begin],
        day=days[1][begin],
        packs=_sums(days[2], begin) / GRAIN,
        price=np.fmin.reduceat(price, begin),
    )
    start = _runs(events.pair)
    count = np.diff(np.append(start, len(events)))
    first, last = events.day[start], events.day[start + count - 1]
    houses, house = _houses(of_pair, p.day, quantity, p.customer[pair], need, category, size, as_of)
    pairs = Pairs(
        customer=p.customer[pair],
        product=p.product[pair],
        need=need,
        category=category,
        repeats=count - 1.0,
        recency=(last - first).astype(np.float64),
        age=(as_of - first).astype(np.float64),
        packs=_middles(events.packs, events.pair, start, count),
        last_day=last,
        start=start,
        house=house,
    )
    return pairs, houses, events


def order_by(*columns: NDArray[Any]) -> Ints:
    """Row numbers by the first of some columns of whole numbers, then the second ...; equal rows in any order.

    Packed into one number where they fit, as sorting one column is several times faster than sorting three.
    """
    if len(columns[0]) == 0:
        return np.zeros(0, np.int64)
    least = [int(column.min()) for column in columns]
    bits = [(int(column.max()) - low).bit_length() for column, low in zip(columns, least, strict=True)]
    if sum(bits) > 63:
        return np.lexsort(columns[::-1])
    key = np.zeros(len(columns[0]), np.int64)
    for column, low, width in zip(columns, least, bits, strict=True):
        key <<= width
        key |= column.astype(np.int64) - low
    return np.argsort(key)


def gaps(purchases: Purchases, *, as_of: int) -> tuple[Ints, Floats]:
    """Length in days of every gap between two purchases of a pair until ``as_of``, by customer and product, and
    the category it belongs to."""
    p = purchases.take((purchases.day <= as_of) & (purchases.quantity > 0))
    p = p.take(np.lexsort((p.category, p.day, p.product, p.customer)))
    p = p.take(_runs(p.customer, p.product, p.day))
    same = (p.customer[1:] == p.customer[:-1]) & (p.product[1:] == p.product[:-1])
    return p.category[1:][same], np.diff(p.day)[same].astype(np.float64)


def next_days(purchases: Purchases, pairs: Pairs, *, as_of: int, until: int) -> Floats:
    """Days from ``as_of`` to the first purchase of each pair after it and not after ``until``; inf: none."""
    later = (purchases.day > as_of) & (purchases.day <= until) & (purchases.quantity > 0)
    p = purchases.take(later)
    everyone = np.concatenate([pairs.customer, p.customer])
    everything = np.concatenate([pairs.product, p.product])
    order = np.lexsort((everything, everyone))
    label = np.empty(len(order), np.int64)
    label[order] = _labels(_runs(everyone[order], everything[order]), len(order))
    wait = np.full(len(order), np.inf)
    np.minimum.at(wait, label[len(pairs) :], p.day.astype(np.float64) - as_of)
    return wait[label[: len(pairs)]]


def columns(known: Ints, category: Ints) -> Ints:
    """The column of each category in tables with the whole shop in column 0 and ``known`` (ascending) after it;
    whatever is not known has the whole shop's."""
    if len(known) == 0:
        return np.zeros(len(category), np.int64)
    at = np.minimum(np.searchsorted(known, category), len(known) - 1)
    return np.where(known[at] == category, at + 1, 0)


def members(labels: Ints, wanted: Ints) -> Iterator[Ints]:
    """Row numbers of each of the ``wanted`` labels (ascending), in turn."""
    by_label = np.argsort(labels, kind="stable")
    ordered = labels[by_label]
    bounds = zip(np.searchsorted(ordered, wanted), np.searchsorted(ordered, wanted, "right"), strict=True)
    for start, stop in bounds:
        yield by_label[start:stop]


def mean_gaps(pairs: Pairs, known: Ints, *, typical: float, weight: float = 10.0) -> Floats:
    """Mean gap in days of the whole shop and each category in ``known``, drawn towards ``typical`` (a category:
    towards the shop's) as if ``weight`` such gaps had been seen."""
    days, count = pairs.recency.sum(), pairs.repeats.sum()
    shop = (days + weight * typical) / (count + weight)
    column = columns(known, pairs.category)
    days_of = np.bincount(column, pairs.recency, len(known) + 1)
    count_of = np.bincount(column, pairs.repeats, len(known) + 1)
    means: Floats = (days_of + weight * shop) / (count_of + weight)
    means[0] = shop
    return means


def _houses(
    of_pair: Ints, day: Days, quantity: Floats, customer: Ints, need: Ints, category: Ints, size: Floats, as_of: int
) -> tuple[Houses, Ints]:
    """Needs of households, and for every pair the row of its need.

    ``of_pair``, ``day``, ``quantity`` (grains): of each line; the others of each pair.
    """
    by_need = order_by(customer, need)
    first = _runs(customer[by_need], need[by_need])
    house = np.empty(len(customer), np.int64)
    house[by_need] = _labels(first, len(customer))
    sized = np.isfinite(size) & (size > 0)
    all_sized = np.logical_and.reduceat(sized[by_need], first)[house]
    contents = np.rint(quantity * np.where(all_sized, size, 1.0)[of_pair])
    of_line = house[of_pair]
    returned = quantity < 0
    order = order_by(of_line, 2 * day.astype(np.int64) + returned)
    of_line, contents, when = of_line[order], contents[order], day[order]
    bought = np.flatnonzero(~returned[order])
    days = _runs(of_line[bought], when[bought])
    day_house, when = of_line[bought][days], when[bought][days]
    start = _runs(day_house)
    if returned.any():
        # A return counts against the last purchase before it, so a day's amount runs on to the next purchase day;
        # a return of something bought before the history begins counts against nothing.
        contents[np.arange(len(order)) < bought[days][start][of_line]] = 0.0
    amount = np.maximum(_sums(contents, bought[days]), 0.0) / GRAIN
    count = np.diff(np.append(start, len(when)))
    end = start + count - 1
    recent, waited = np.zeros((len(start), SEEN)), np.zeros((len(start), SEEN))
    for back in range(SEEN):
        there = count > back
        row = end[there] - back
        recent[there, back] = amount[row]
        again = count > back + 1
        waited[again, back] = when[end[again] - back] - when[end[again] - back - 1]
    houses = Houses(
        category=np.maximum.reduceat(category[by_need], first),
        occasions=count.astype(np.float64),
        span=(when[end] - when[start]).astype(np.float64),
        elapsed=(as_of - when[end]).astype(np.float64),
        bought=_sums(amount, start),
        recent=recent,
        waited=waited,
    )
    return houses, house


def _grains(quantity: Floats) -> Floats:
    """Whole grains: their sums are exact, so that they do not depend on the order of lines."""
    grains = np.rint(np.clip(quantity, -MOST, MOST) * GRAIN)
    # A quantity too small to count still is a purchase, or a return.
    return np.where(grains == 0, np.sign(quantity), grains)


def _middles(values: Floats, group: Ints, start: Ints, count: Ints) -> Floats:
    """The lower median of each group of consecutive values."""
    middles: Floats = values[np.lexsort((values, group))][start + (count - 1) // 2]
    return middles


def _runs(*columns: NDArray[np.generic]) -> Ints:
    """Where a run of equal rows begins."""
    n = len(columns[0])
    new = np.zeros(n, bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


def _labels(starts: Ints, n: int) -> Ints:
    """The number of the run each of n rows belongs to."""
    return np.repeat(np.arange(len(starts)), np.diff(np.append(starts, n)))


def _sums(values: Floats, starts: Ints) -> Floats:
    """The sum of each run; the last one ends with the values."""
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0)


def _nothing() -> tuple[Pairs, Houses, Events]:
    whole, real, days = np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int32)
    pairs = Pairs(whole, whole, whole, whole, real, real, real, real, days, whole, whole)
    houses = Houses(whole, real, real, real, real, np.zeros((0, SEEN)), np.zeros((0, SEEN)))
    return pairs, houses, Events(whole, days, real, real)
