"""What is looked at to tell whether a pair will be bought again: one function for each kind of evidence.

Counts fade with several half-lives, in days and in the household's own trips, so that habits long gone and habits of
late can be told apart; silence is held against the pair's own gaps and those of its product, need and category.
Ideas came from Bhagat et al. (KDD 2018), ReCANet (SIGIR 2022), SLRC (WWW 2019) and PCIC (RecSys 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replenish.households import Households
from replenish.intervals import Events, Pairs, order_by
from replenish.shop import COLUMNS, DEAREST, Group, Survey
from replenish.types import Floats, Ints

Matrix = NDArray[np.float32]
Column = NDArray[Any]

DAYS = (7, 15, 40, 100, 200)
TRIPS = (2, 5, 12, 25)
"""Half-lives of faded counts."""

FAR = 1e4


@dataclass(frozen=True, slots=True)
class Evidence:
    """All there is to look at, seen from the end of ``as_of``. ``lasts``, ``left``: of each pair's need, days the
    stock lasts from the last purchase on, and share still there. ``curve``: (n, 2) log-odds of a purchase within 14
    and 56 days after BG/NBD."""

    pairs: Pairs
    events: Events
    households: Households
    survey: Survey
    lasts: Floats
    left: Floats
    curve: Floats
    as_of: int


def features(evidence: Evidence, names: tuple[str, ...] | None = None) -> tuple[tuple[str, ...], Matrix]:
    """Names, and (features, n) values: logarithms throughout, as what matters is how many times, not how many.

    ``names``: those wanted, in that order; all of them unless told.
    """
    found = _own(evidence)
    found |= _household(evidence, found)
    found |= _need(evidence, found)
    for group in ("product", "need", "category"):
        if names is None or any(f"{group}_{name}" in names for name in (*COLUMNS, "silence_gaps")):
            found |= _shop(evidence, found, group)
    if names is None or any(name.startswith(("price_", "kind_")) for name in names):
        found |= _price(evidence, found)
        found |= _category(evidence, found)
    names = tuple(found) if names is None else names
    table = np.empty((len(names), len(evidence.pairs)), np.float32)
    for row, name in zip(table, names, strict=True):
        values = found[name]
        np.abs(values, out=row, casting="same_kind")
        row += 1
        np.copysign(np.log(row, out=row), values, out=row, casting="same_kind")
    return names, table


def _own(e: Evidence) -> dict[str, Column]:
    """The pair's own purchases: how often, how regular, how long ago."""
    pairs, label, start = e.pairs, e.events.pair, e.pairs.start
    n = len(pairs)
    count, silence = pairs.repeats + 1, pairs.age - pairs.recency
    end = start + pairs.repeats.astype(np.int64)
    ago, since = (e.as_of - e.events.day).astype(np.float64), e.households.since
    trips, first_trip = since[end], since[start]
    found: dict[str, Column] = {
        "count": count,
        "silence": silence,
        "age": pairs.age,
        "trips": trips,
        "first_trip": first_trip,
    }
    for half in DAYS:
        found[f"days_{half}"] = np.bincount(label, np.exp2(-ago / half), n)
    for half in TRIPS:
        found[f"trips_{half}"] = np.bincount(label, np.exp2(-since / half), n)
    for half in (5, 25):
        fade = 2.0 ** (-1 / half)
        found[f"share_{half}"] = found[f"trips_{half}"] * (1 - fade) / (1 - fade ** (first_trip + 1))
    found["share"] = pairs.repeats / np.maximum(first_trip, 1)

    # Gaps: row i is the gap after purchase day i; the last day of a pair has none.
    inner = np.ones(len(label), bool)
    inner[end] = False
    gap = np.zeros(len(label))
    gap[:-1] = np.diff(e.events.day)
    gap[~inner] = 0.0
    again = np.maximum(pairs.repeats, 1)
    mean = pairs.recency / again
    found["gap"] = mean
    found["silence_gaps"] = silence / np.maximum(mean, 1)
    found["spread"] = np.sqrt(np.maximum(np.bincount(label, gap * gap, n) / again - mean**2, 0)) / np.maximum(mean, 1)
    found["last_gap"] = np.where(pairs.repeats > 0, gap[np.maximum(end - 1, 0)], 0.0)
    found["longest"] = np.maximum.reduceat(gap, start) if n else np.zeros(0)
    found["shortest"] = np.minimum.reduceat(np.where(inner, gap, FAR), start) if n else np.zeros(0)
    # Own hazard: of the gaps that lasted as long as the present silence, how many ended within a fortnight?
    now = silence[label]
    longer = inner & (gap > now)
    lasted = np.bincount(label, longer, n)
    found["hazard"] = (np.bincount(label, longer & (gap <= now + 14), n) + 0.3) / (lasted + 1.5)
    found["survived"] = (lasted + 0.3) / count
    steps = np.zeros(len(label))
    steps[:-1] = -np.diff(since)
    longer = inner & (steps > trips[label])
    ended = np.bincount(label, longer & (steps <= trips[label] + 3), n)
    found["trip_hazard"] = (ended + 0.3) / (np.bincount(label, longer, n) + 1.5)
    away = (gap - now - 7) / (5 + 0.25 * gap)
    found["echo"] = np.bincount(label, np.where(inner, np.exp(-0.5 * away * away), 0.0), n) / count

    packs = e.events.packs
    bought = np.bincount(label, packs, n)
    found["packs"] = packs[end]
    found["packs_more"] = packs[end] * count / np.maximum(bought, 1e-9)
    used = np.where(pairs.repeats > 0, (bought - packs[end]) / np.maximum(pairs.recency, 1), 0.0)
    found["packs_last"] = np.where(
        pairs.repeats > 0, np.clip(packs[end] / np.maximum(used, 1e-3) - silence, -200, 200), 0
    )
    found["stock"] = np.clip(e.lasts - silence, -200, 200)
    found["left"] = e.left
    found["curve_14"], found["curve_56"] = np.expm1(np.abs(e.curve.T)) * np.sign(e.curve.T)
    return found


def _household(e: Evidence, own: dict[str, Column]) -> dict[str, Column]:
    """The household's trips, and the chance that one of those to come has the product in its basket."""
    h, label = e.households, e.events.pair
    row, n = h.of_pair, len(e.households)
    ago = e.as_of - e.events.day
    of_event = row[label]
    lines = np.bincount(of_event, minlength=n)
    per_trip = lines / np.maximum(h.trips, 1)
    of_house = {
        "house_14": h.rates[:, 0],
        "house_28": h.rates[:, 1],
        "house_84": h.rates[:, 2],
        "house_silence": h.silence,
        "house_age": h.age,
        "basket": per_trip,
        "basket_28": np.bincount(of_event, np.exp2(-ago / 28), n) * (14 * np.log(2) / 28),
        "house_items": np.bincount(row, minlength=n).astype(np.float64),
        # How large the last baskets were beside the usual ones: after a large one comes a small one.
        "basket_last": np.bincount(of_event, h.since < 1, n) / np.maximum(per_trip, 1e-9),
        "basket_week": np.bincount(of_event, ago < 7, n)
        / np.maximum(per_trip * np.maximum(h.rates[:, 1], 0.1) / 2, 1e-9),
    }
    found: dict[str, Column] = {name: values[row] for name, values in of_house.items()}
    trips = found["house_28"]
    for name in ("share", "share_5", "share_25"):
        found[f"basket_{name}"] = -np.expm1(trips * np.log1p(-np.minimum(own[name], 0.999)))
    found["weight"] = own["days_40"] / np.bincount(of_event, np.exp2(-ago / 40), n)[row]
    return found


def _need(e: Evidence, own: dict[str, Column]) -> dict[str, Column]:
    """Other products of the same need in the same household."""
    found: dict[str, Column] = {}
    pairs = e.pairs
    m = int(pairs.house.max()) + 1 if len(pairs) else 0
    house = pairs.house
    for name in ("days_15", "days_40", "trips_5", "trips_25", "count"):
        total = np.bincount(house, own[name], m)[house]
        found[f"need_{name}"] = total
        found[f"of_need_{name}"] = own[name] / np.maximum(total, 1e-12)
    silence, trips, age = (
        _least(house, own["silence"], m),
        _least(house, own["trips"], m),
        -_least(house, -pairs.age, m),
    )
    found["need_silence"], found["need_trips"], found["need_age"] = silence[house], trips[house], age[house]
    found["need_items"] = np.bincount(house, minlength=m)[house].astype(np.float64)
    # Days on which anything was bought for the need; two brands on one day are one purchase of it.
    of_event = house[e.events.pair]
    order = order_by(of_event, e.events.day)
    of_event, day = of_event[order], e.events.day[order]
    new = np.append(True, (np.diff(of_event) != 0) | (np.diff(day) != 0))[: len(order)]
    of_event, day = of_event[new], day[new]
    times = np.bincount(of_event, minlength=m)
    gap = np.where(times > 1, (age - silence) / np.maximum(times - 1, 1), 0.0)
    # "Own", as the survey has times and gaps of the need as well.
    found["need_own_times"], found["need_own_gap"] = times[house].astype(np.float64), gap[house]
    found["need_own_silence_gaps"] = found["need_silence"] / np.maximum(found["need_own_gap"], 1)
    found["need_faded_40"] = np.bincount(of_event, np.exp2(-(e.as_of - day) / 40), m)[house]
    return found


def _category(e: Evidence, own: dict[str, Column]) -> dict[str, Column]:
    """Other products of the same category in the same household."""
    found: dict[str, Column] = {}
    pairs = e.pairs
    order = order_by(e.households.of_pair, pairs.category)
    who, what = e.households.of_pair[order], pairs.category[order]
    new = np.append(True, (np.diff(who) != 0) | (np.diff(what) != 0))[: len(order)]
    kind = np.empty(len(pairs), np.int64)
    kind[order] = np.cumsum(new) - 1
    m = int(new.sum())
    found["kind_silence"] = _least(kind, own["silence"], m)[kind]
    for name in ("days_15", "days_40", "trips_5", "trips_25"):
        found[f"kind_{name}"] = np.bincount(kind, own[name], m)[kind]
    return found


def _shop(e: Evidence, own: dict[str, Column], group: str) -> dict[str, Column]:
    """How everybody else takes to the product, its need or its category."""
    survey: Group = getattr(e.survey, group)
    row = survey.rows(getattr(e.pairs, group))
    found: dict[str, Column] = {f"{group}_{name}": survey.column(name)[row] for name in COLUMNS}
    found[f"{group}_silence_gaps"] = own["silence"] / np.maximum(found[f"{group}_gap"], 1)
    return found


def _price(e: Evidence, product: dict[str, Column]) -> dict[str, Column]:
    """What it costs of late, beside what it cost everybody and this household; 1 where nothing is known."""
    label, n = e.events.pair, len(e.pairs)
    end = e.pairs.start + e.pairs.repeats.astype(np.int64)
    usual, offer = product["product_price"], product["product_offer"]
    priced = np.abs(e.events.price) < DEAREST
    price = np.where(priced, e.events.price, 0.0)
    paid = np.bincount(label, price, n) / np.maximum(np.bincount(label, priced, n), 1)
    return {
        "price_now": _ratio(offer, usual),
        "price_last": _ratio(price[end], usual),
        "price_own": _ratio(paid, usual),
        "price_for_me": _ratio(offer, paid),
    }


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.where((above > 0) & (below > 0), above / np.maximum(below, 1e-9), 1.0)


def _least(label: Ints, values: Floats, groups: int) -> Floats:
    least = np.full(groups, np.inf)
    np.minimum.at(least, label, values)
    return least
