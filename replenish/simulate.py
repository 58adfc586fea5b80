"""Households with known habits, for tests, benchmarks and the demo shop; and pairs that obey BG/NBD exactly.

Everything random comes from the Generator that is handed in: the same seed gives the same purchases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replenish.bgnbd import History
from replenish.types import Days, Floats, Ints, Purchases

HABITS = ("regular", "fading", "stocking", "switching", "gone", "new")
"""What kind of household a member is."""

SHARES = (0.40, 0.13, 0.15, 0.14, 0.10, 0.08)
"""How common each of ``HABITS`` is, unless told otherwise."""

WEEKDAYS = np.array([0.10, 0.09, 0.10, 0.11, 0.16, 0.25, 0.19])
"""Monday to Sunday: the day households like to shop."""


@dataclass(frozen=True, slots=True)
class Products:
    """What can be bought, columns of length n: ``need`` it satisfies, ``use_days`` a household takes for one
    pack, ``popularity`` (any positive weights)."""

    need: Ints
    use_days: Floats
    popularity: Floats

    def __post_init__(self) -> None:
        if not len(self.need) == len(self.use_days) == len(self.popularity):
            raise ValueError("need, use_days and popularity must have one length")
        if len(self.need) == 0 or not ((self.use_days > 0) & (self.popularity > 0)).all():
            raise ValueError("there must be products, with use_days and popularity above zero")


@dataclass(frozen=True, slots=True)
class SimulatedPurchases:
    """Lines by day and member: ``member`` and ``product`` count from 0, ``day`` since 1970-01-01,
    ``minute_of_day`` local (one for all lines of a member's trip), ``quantity`` packs. ``habit``: one of
    ``HABITS`` for each member, by member number."""

    member: Ints
    product: Ints
    day: Days
    minute_of_day: Days
    quantity: Days
    habit: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.member)

    def purchases(self, products: Products) -> Purchases:
        """The same lines as the engine reads them; the category is the need."""
        need = products.need[self.product]
        return Purchases.from_columns(
            customer=self.member,
            product=self.product,
            day=self.day,
            quantity=self.quantity,
            need=need,
            category=need,
        )


@dataclass(slots=True)
class _Pantry:
    """One row for each need of each household. ``empty_on``: the day the last pack runs out."""

    member: Ints
    product: Ints
    other: Ints
    use_days: Floats
    empty_on: Floats
    ends: Floats


def simulate(
    products: Products,
    rng: np.random.Generator,
    *,
    members: int,
    start_day: int,
    days: int,
    shares: tuple[float, ...] = SHARES,
) -> SimulatedPurchases:
    """What ``members`` households buy on ``days`` days from ``start_day`` on.

    A household goes shopping about weekly, keeps to a favourite weekday and hour, and takes what would run out
    before the next trip, now and then something out of the ordinary. *Fading* households use less and less,
    *stocking* ones take two or three packs at once (which last as much longer), *switching* ones alternate
    within a need, *gone* ones stop, *new* ones begin late. ``shares``: how common each of ``HABITS`` is.
    """
    habit = rng.choice(len(HABITS), members, p=np.asarray(shares) / np.sum(shares))
    trip_gap = np.clip(rng.lognormal(np.log(6.5), 0.4, members), 2.5, 21.0)
    weekday = rng.choice(7, members, p=WEEKDAYS)
    hour = rng.choice([10.0, 12.5, 16.5, 19.0], members, p=[0.27, 0.13, 0.2, 0.4]) + rng.normal(0, 0.7, members)
    begins = start_day + rng.uniform(0, 1, members) * np.where(habit == HABITS.index("new"), 0, trip_gap)
    begins += np.where(habit == HABITS.index("new"), days * rng.uniform(0.8, 0.97, members), 0)
    gone_after = np.where(habit == HABITS.index("gone"), days * rng.uniform(0.3, 0.85, members), np.inf)
    pantry = _stock(products, rng, begins, days)
    next_trip = np.floor(begins)
    lines: list[tuple[Ints, Ints, NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    for day in range(start_day, start_day + days):
        out = (next_trip <= day) & (day < start_day + gone_after)
        if out.any():
            today = (day - start_day) / days
            member, product, quantity = _basket(pantry, products, rng, habit, out, trip_gap, day, today)
            minute = np.clip(60 * (hour + rng.normal(0, 0.8, members)), 7 * 60, 22 * 60 - 1).astype(np.int32)
            lines.append((member, product, np.full(len(member), day), minute[member], quantity))
        gap = np.maximum(1, np.rint(trip_gap * rng.lognormal(0, 0.3, members)))
        # 1970-01-01 was a Thursday. A trip moves to the favourite day when that is at most two days off.
        shift = (weekday - (day + gap + 3) + 3) % 7 - 3
        gap = np.maximum(1, gap + np.where((np.abs(shift) <= 2) & (rng.random(members) < 0.7), shift, 0))
        next_trip = np.where(out, day + gap, next_trip)
    member, product, on, minute, quantity = (
        (np.concatenate(column) for column in zip(*lines, strict=True)) if lines else (np.zeros(0, int),) * 5
    )
    return SimulatedPurchases(
        member=member.astype(np.int64),
        product=product.astype(np.int64),
        day=on.astype(np.int32),
        minute_of_day=minute.astype(np.int32),
        quantity=quantity.astype(np.int32),
        habit=np.array(HABITS)[habit],
    )


def _stock(products: Products, rng: np.random.Generator, begins: Floats, days: int) -> _Pantry:
    """The needs each household has, the product it takes for each, and how long that lasts there."""
    needs, of_product = np.unique(products.need, return_inverse=True)
    weight = np.bincount(of_product, products.popularity)
    members = len(begins)
    count = np.clip(rng.poisson(9, members) + 2, 1, len(needs))
    # Adding Gumbel noise to log weights and taking the largest draws without replacement by weight.
    keys = np.log(weight) + rng.gumbel(size=(members, len(needs)))
    rank = np.argsort(np.argsort(-keys, axis=1), axis=1)
    member, need = np.nonzero(rank < count[:, None])
    product, other = _choose(products, of_product, need, rng), _choose(products, of_product, need, rng)
    pace = rng.lognormal(0, 0.25, members)[member] * rng.lognormal(0, 0.25, len(member))
    use_days = products.use_days[product] * pace
    return _Pantry(
        member=member,
        product=product,
        other=other,
        use_days=use_days,
        empty_on=begins[member] + rng.uniform(0, 1, len(member)) * use_days,
        ends=begins[member] + rng.exponential(2.5 * days, len(member)),
    )


def _choose(products: Products, of_product: Ints, need: Ints, rng: np.random.Generator) -> Ints:
    """A product for each need, by popularity."""
    order = np.argsort(of_product, kind="stable")
    weight = np.cumsum(products.popularity[order])
    start = np.searchsorted(of_product[order], need)
    stop = np.searchsorted(of_product[order], need, side="right")
    below = np.where(start > 0, weight[start - 1], 0.0)
    drawn = below + rng.random(len(need)) * (weight[stop - 1] - below)
    return order[np.clip(np.searchsorted(weight, drawn, side="right"), start, stop - 1)]


def _basket(
    pantry: _Pantry,
    products: Products,
    rng: np.random.Generator,
    habit: Ints,
    out: NDArray[np.bool_],
    trip_gap: Floats,
    day: int,
    share_of_time: float,
) -> tuple[Ints, Ints, Ints]:
    """Members, products and packs of what those who are ``out`` today take home; fills up the pantry.

    By member, no product twice. ``share_of_time``: how far the simulation is, 0 to 1.
    """
    there = np.flatnonzero(out[pantry.member])
    member = pantry.member[there]
    ahead = trip_gap[member] * rng.uniform(0.2, 1.0, len(there))
    wanted = (pantry.empty_on[there] - day <= ahead) & (pantry.ends[there] > day) & (rng.random(len(there)) > 0.07)
    rows, kind = there[wanted], habit[member[wanted]]
    n = len(rows)
    stocks = (kind == HABITS.index("stocking")) & (rng.random(n) < 0.6)
    quantity = np.where(stocks, rng.integers(2, 4, n), 1 + (rng.random(n) < 0.04))
    switches = (kind == HABITS.index("switching")) & (rng.random(n) < 0.5)
    product = np.where(switches, pantry.other[rows], pantry.product[rows])
    slower = np.where(kind == HABITS.index("fading"), 1 + 2.5 * share_of_time, 1.0)
    lasts = quantity * pantry.use_days[rows] * slower * rng.lognormal(0, 0.12, n)
    pantry.empty_on[rows] = np.maximum(pantry.empty_on[rows], day) + lasts
    treats = np.flatnonzero(out & (rng.random(len(out)) < 0.15))
    share = products.popularity / products.popularity.sum()
    treat = rng.choice(len(share), len(treats), p=share)
    members = np.concatenate([pantry.member[rows], treats])
    taken = np.concatenate([product, treat])
    packs = np.concatenate([quantity, np.ones(len(treats), np.int64)])
    _, once = np.unique(members * len(share) + taken, return_index=True)
    return members[once], taken[once], packs[once]


@dataclass(frozen=True, slots=True)
class SimulatedPairs:
    """Purchases of pairs under BG/NBD: ``pair`` and ``time`` (days after the pair's first purchase, without that
    one) of every repeat purchase up to ``age + ahead``, and the ``age`` of each pair at the moment of looking."""

    pair: Ints
    time: Floats
    age: Floats

    def history(self) -> History:
        """What can be known of the pairs at their ``age``."""
        past = self.time <= self.age[self.pair]
        pair, n = self.pair[past], len(self.age)
        recency = np.zeros(n)
        np.maximum.at(recency, pair, self.time[past])
        return History(np.bincount(pair, minlength=n).astype(np.float64), recency, self.age)

    def waiting(self) -> Floats:
        """Days from the moment of looking to the next purchase of each pair; inf where there is none."""
        wait = np.full(len(self.age), np.inf)
        later = self.time > self.age[self.pair]
        np.minimum.at(wait, self.pair[later], self.time[later] - self.age[self.pair[later]])
        return wait


def simulate_bgnbd(
    rng: np.random.Generator,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
    pairs: int,
    days: float,
    ahead: float = 0.0,
) -> SimulatedPairs:
    """Pairs whose first purchases fall evenly on the first three quarters of ``days``, watched to the end of it
    and, for what is still to come, ``ahead`` days longer."""
    rate = rng.gamma(r, 1 / alpha, pairs)
    leaves = rng.beta(a, b, pairs)
    age = days - rng.uniform(0, 0.75 * days, pairs)
    alive, clock = np.arange(pairs), np.zeros(pairs)
    found: list[tuple[Ints, Floats]] = []
    while len(alive):
        clock[alive] += rng.exponential(1, len(alive)) / np.maximum(rate[alive], 1e-300)
        alive = alive[clock[alive] <= age[alive] + ahead]
        found.append((alive, clock[alive].copy()))
        alive = alive[rng.random(len(alive)) >= leaves[alive]]
    pair, time = (np.concatenate(column) for column in zip(*found, strict=True))
    return SimulatedPairs(pair=pair, time=time, age=age)
