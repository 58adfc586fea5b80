"""Purchase lines -> what a model needs to know of a pair (customer, product) and of a need in a household.

One purchase is one local calendar day of a pair, however many lines or baskets it took.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replenish.types import Days, Floats, Ints, Purchases

SEEN = 4
"""Older purchases of a need than its last four are taken as used up."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is known of each pair at the end of ``as_of``, sorted by customer, product; columns of length n.

    ``repeats``: purchase days after the first (x). ``recency``: days from the first to the last (t_x).
    ``age``: days from the first to ``as_of`` (T). ``packs``: the middle quantity of a purchase day.
    ``house``: row of the pair's need in ``Houses``.
    """

    customer: Ints
    product: Ints
    category: Ints
    repeats: Floats
    recency: Floats
    age: Floats
    packs: Floats
    last_day: Days
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


def summarise(purchases: Purchases, *, as_of: int) -> tuple[Pairs, Houses]:
    """Pairs and households' needs as they stand at the end of day ``as_of``; later lines are not looked at.

    The order of lines makes no difference. A pair given back altogether (returns not less than purchases) is
    left out; any other return only lowers what is in the house. Need, category and size belong to the product:
    where lines of a pair differ, the greatest counts.
    """
    p = purchases.take((purchases.day <= as_of) & (purchases.quantity != 0))
    # Quantities take part in the order, so that sums do not depend on the order of lines, to the last bit.
    p = p.take(np.lexsort((p.quantity, p.day, p.product, p.customer)))
    pair = _runs(p.customer, p.product)
    net = _sums(p.quantity, pair)
    kept = np.repeat(net > 0, np.diff(np.append(pair, len(p))))
    p = p.take(kept)
    if len(p) == 0:
        return _none()
    pair = _runs(p.customer, p.product)
    of_pair = _labels(pair, len(p))
    need, category = np.maximum.reduceat(p.need, pair), np.maximum.reduceat(p.category, pair)
    need = np.where(need >= 0, need, -2 - p.product[pair])
    bought = p.quantity > 0
    days = _runs(of_pair[bought], p.day[bought])
    day_pair, day = of_pair[bought][days], p.day[bought][days]
    start = _runs(day_pair)
    count = np.diff(np.append(start, len(day)))
    first, last = day[start], day[start + count - 1]
    size = np.fmax.reduceat(p.size, pair)[of_pair]
    houses, of_line = _houses(p, need[of_pair], category[of_pair], size, as_of)
    return (
        Pairs(
            customer=p.customer[pair],
            product=p.product[pair],
            category=category,
            repeats=count - 1.0,
            recency=(last - first).astype(np.float64),
            age=(as_of - first).astype(np.float64),
            packs=_middles(_sums(p.quantity[bought], days), day_pair, start, count),
            last_day=last,
            house=of_line[pair],
        ),
        houses,
    )


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


def _houses(p: Purchases, need: Ints, category: Ints, size: Floats, as_of: int) -> tuple[Houses, Ints]:
    """Needs of households, and for every line of ``p`` the row of its need."""
    order = np.lexsort((p.quantity < 0, p.day, need, p.customer))
    house = _runs(p.customer[order], need[order])
    labels = _labels(house, len(p))
    of_line = np.empty(len(p), np.int64)
    of_line[order] = labels
    sized = np.isfinite(size[order]) & (size[order] > 0)
    all_sized = np.logical_and.reduceat(sized, house)[labels]
    quantity = p.quantity[order]
    contents = quantity * np.where(all_sized, size[order], 1.0)
    bought = np.flatnonzero(quantity > 0)
    days = _runs(labels[bought], p.day[order][bought])
    day_house, day = labels[bought][days], p.day[order][bought][days]
    start = _runs(day_house)
    # A return counts against the last purchase before it, so a day's amount runs on to the next purchase day;
    # a return of something bought before the history begins counts against nothing.
    contents[np.arange(len(p)) < bought[days][start][labels]] = 0.0
    amount = np.maximum(_sums(contents, bought[days]), 0.0)
    count = np.diff(np.append(start, len(day)))
    end = start + count - 1
    recent, waited = np.zeros((len(start), SEEN)), np.zeros((len(start), SEEN))
    for back in range(SEEN):
        there = count > back
        row = end[there] - back
        recent[there, back] = amount[row]
        again = count > back + 1
        waited[again, back] = day[end[again] - back] - day[end[again] - back - 1]
    houses = Houses(
        category=np.maximum.reduceat(category[order], house),
        occasions=count.astype(np.float64),
        span=(day[end] - day[start]).astype(np.float64),
        elapsed=(as_of - day[end]).astype(np.float64),
        bought=_sums(amount, start),
        recent=recent,
        waited=waited,
    )
    return houses, of_line


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


def _none() -> tuple[Pairs, Houses]:
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    pairs = Pairs(whole, whole, whole, real, real, real, real, np.zeros(0, np.int32), whole)
    return pairs, Houses(whole, real, real, real, real, np.zeros((0, SEEN)), np.zeros((0, SEEN)))
