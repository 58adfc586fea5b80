"""The model: what the shop's past fortnights teach about the next one. Plain data, no objects.

``fit`` goes back to several past days, looks at each pair as it stood then (``features.py``) and at what was bought
afterwards, and trains small networks on that (``network.py``). They tell how likely a pair is bought given the trips of
its household; how many trips there will be is foreseen apart (``households.py``), and the chance is the mean over
them. Where a shop has seen little, its chances are drawn towards the closed form (``habits.py``).

There are two kinds: *full* looks at everything and averages several networks; *light* looks at less with one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from replenish.course import Course
from replenish.features import Evidence, features
from replenish.habits import Habits, fit_habits
from replenish.households import LOG_TRIPS, SPANS, TripModel, fit_trips, households, signs, trips_after
from replenish.intervals import Pairs, next_days, unfold
from replenish.network import BLOCK, Examples, Matrix, Network, sigmoid, train
from replenish.shop import Group, Survey
from replenish.stored import Arrays, pack, unpack
from replenish.types import WINDOW, Floats, Ints, Purchases

LEVELS = np.array([0.1, 0.5, 0.9])

STEP = 14
BACK = 10
"""Past days looked at: every ``STEP`` days, so many times."""

ENOUGH = 1_000_000
"""More lines than these are fitted on a sample of whole households: parameters no longer move, time would."""

EDGE = 4
"""Inputs further than so many standard deviations from the mean count as this far."""

ONCE = 4
"""Of the pairs bought once, most of all pairs, every so manieth is looked at."""

PRIOR_RETURNS = 100.0
"""How many who came back outweigh what is taken for granted of dates."""

LEAST = 200
TRUSTED = 2_000
"""Purchases in the past fortnights below which no network is trained, and which count as much as the closed form."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How large a model is. ``names``: of the features looked at, None = all."""

    version: str
    names: tuple[str, ...] | None
    hidden: tuple[int, ...]
    networks: int
    passes: int


LIGHT = (
    "count",
    "silence",
    "age",
    "trips",
    "days_15",
    "days_40",
    "days_100",
    "days_200",
    "trips_5",
    "trips_25",
    "share_25",
    "gap",
    "silence_gaps",
    "hazard",
    "echo",
    "stock",
    "curve_14",
    "house_14",
    "house_28",
    "house_84",
    "house_silence",
    "basket_28",
    "house_items",
    "basket_share_25",
    "need_silence_gaps",
    "of_need_days_40",
    "product_back_28",
    "product_last",
    "product_season",
    "product_regular",
)

KINDS_OF_MODEL = {
    "light": Kind("light-1", LIGHT, (16,), 1, 6),
    "full": Kind("full-1", None, (64, 32), 3, 8),
}

KINDS = tuple(KINDS_OF_MODEL)
"""The kinds of model that can be fitted, the simplest first."""


@dataclass(frozen=True, slots=True)
class View:
    """Some households seen from the end of a day: all that a forecast is made of.

    ``curve``: (spans, n) log-odds of a purchase within each of ``SPANS`` after the closed form.
    """

    evidence: Evidence
    curve: Floats

    @classmethod
    def at(cls, habits: Habits, purchases: Purchases, *, as_of: int, survey: Survey | None = None) -> View:
        """``survey``: of the shop; without one, these households are taken for the shop."""
        pairs, houses, events = unfold(purchases, as_of=as_of)
        outlook, state = habits.outlook(pairs, houses)
        chances = np.clip([outlook.chance(days) for days in SPANS], 1e-6, 1 - 1e-6)
        curve = np.log(chances) - np.log1p(-chances)
        evidence = Evidence(
            pairs=pairs,
            events=events,
            households=households(pairs, events, as_of=as_of),
            survey=survey or Survey.take(pairs, events, as_of=as_of),
            lasts=state.lasts[pairs.house],
            left=state.left[pairs.house],
            curve=curve[[SPANS.index(14), SPANS.index(56)]].T,
            as_of=as_of,
        )
        return cls(evidence, curve)

    @property
    def pairs(self) -> Pairs:
        return self.evidence.pairs


@dataclass(frozen=True, slots=True)
class Model:
    """Plain data: the closed form, the survey of the shop, the trips to be foreseen, and the networks.

    ``centre``, ``scale``: (features, 1) of the inputs. ``trust``: 0 to 1, how much the networks count beside the closed
    form. ``shift``: (spans) added to the log-odds. ``levels``: quantiles of the course that on past days turned out to
    be the 10, 50 and 90 %.
    """

    version: str
    as_of: int
    habits: Habits
    survey: Survey
    trips: TripModel
    names: tuple[str, ...]
    centre: Matrix
    scale: Matrix
    networks: tuple[Network, ...]
    trust: float
    shift: Floats
    levels: Floats

    def chances(self, view: View) -> Floats:
        """(spans, n) chance of a purchase within each of ``SPANS``, growing with them."""
        if not self.networks or not len(view.pairs):
            return np.maximum.accumulate(sigmoid(view.curve + self.shift[:, None]))
        _, table = features(view.evidence, self.names)
        table -= self.centre
        table *= 1 / self.scale
        np.clip(table, -EDGE, EDGE, out=table)
        house = view.evidence.households
        z = signs(house)
        trips = [self.trips.steps(z, span).astype(np.float32) for span in range(len(SPANS))]
        found = np.empty((len(SPANS), len(view.pairs)))
        block = np.zeros((len(table), BLOCK), np.float32)
        for at in range(0, table.shape[1], BLOCK):
            wide = min(BLOCK, table.shape[1] - at)
            block[:, :wide] = table[:, at : at + wide]
            answers = np.mean([network(block) for network in self.networks], axis=0)[:, :wide]
            rows = house.of_pair[at : at + wide]
            for span in range(len(SPANS)):
                found[span, at : at + wide] = _over_trips(answers[span], answers[span + len(SPANS)], trips[span], rows)
        found = np.clip(found, 1e-6, 1 - 1e-6)
        drawn = self.trust * (np.log(found) - np.log1p(-found)) + (1 - self.trust) * view.curve
        return np.maximum.accumulate(sigmoid(drawn + self.shift[:, None]))

    def arrays(self) -> Arrays:
        found: Arrays = {
            "as_of": np.array(self.as_of),
            "names": np.array(self.names, str),
            "centre": self.centre,
            "scale": self.scale,
            "trust": np.array(self.trust),
            "shift": self.shift,
            "levels": self.levels,
            "networks": np.array(len(self.networks)),
        }
        for part, made in PARTS.items():
            value = attrgetter(part)(self)
            found |= {f"{part}.{field.name}": getattr(value, field.name) for field in fields(made)}
        for i, network in enumerate(self.networks):
            for j, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
                found |= {f"network.{i}.{j}.weight": weight, f"network.{i}.{j}.bias": bias}
        return found


PARTS = {
    "habits": Habits,
    "trips": TripModel,
    "survey.product": Group,
    "survey.need": Group,
    "survey.category": Group,
}
"""What a model is made of, and where it is."""


def dump(model: Model) -> bytes:
    """The model as bytes; ``load`` gives back one with exactly the same forecasts."""
    return pack(model.version, model.arrays())


def load(data: bytes) -> Model:
    """Raises ValueError for the bytes of another version, or damaged ones."""
    version, arrays = unpack(data)
    if version not in {kind.version for kind in KINDS_OF_MODEL.values()}:
        raise ValueError(f"model version {version!r} is none of this program's")
    parts: dict[str, Any] = {
        part: made(**{field.name: arrays[f"{part}.{field.name}"] for field in fields(made)})
        for part, made in PARTS.items()
    }
    networks = []
    for i in range(int(arrays["networks"])):
        layers = sum(name.startswith(f"network.{i}.") for name in arrays) // 2
        networks.append(
            Network(
                tuple(arrays[f"network.{i}.{j}.weight"] for j in range(layers)),
                tuple(arrays[f"network.{i}.{j}.bias"] for j in range(layers)),
            )
        )
    return Model(
        version=version,
        as_of=int(arrays["as_of"]),
        names=tuple(arrays["names"].tolist()),
        centre=arrays["centre"],
        scale=arrays["scale"],
        networks=tuple(networks),
        trust=float(arrays["trust"]),
        shift=arrays["shift"],
        levels=arrays["levels"],
        habits=parts["habits"],
        trips=parts["trips"],
        survey=Survey(*(parts[f"survey.{field.name}"] for field in fields(Survey))),
    )


def fit(purchases: Purchases, *, as_of: int, kind: str = KINDS[-1]) -> Model:
    """The model of a ``kind`` (one of ``KINDS``, else ValueError) from all purchases until the end of day
    ``as_of``; later lines are not looked at."""
    if kind not in KINDS:
        raise ValueError(f"there is no model of kind {kind!r}, only {', '.join(KINDS)}")
    form = KINDS_OF_MODEL[kind]
    purchases = _sample(purchases.take(purchases.day <= as_of))
    habits = fit_habits(purchases, as_of=as_of)
    past = list(_past(habits, purchases, as_of, form.names))
    now = View.at(habits, purchases, as_of=as_of)
    model = Model(
        version=form.version,
        as_of=as_of,
        habits=habits,
        survey=now.evidence.survey,
        trips=fit_trips(*(np.concatenate(column) for column in zip(*(one.households for one in past), strict=True))),
        **_train(past, form),
        shift=np.zeros(len(SPANS)),
        levels=LEVELS,
    )
    return _check(model, purchases)


class Past(NamedTuple):
    """What was seen on a past day: of pairs, and of households their signs, trips to come, and whether these are known
    to the end."""

    names: tuple[str, ...]
    examples: Examples
    households: tuple[Floats, Ints, NDArray[np.bool_]]


def _past(habits: Habits, purchases: Purchases, as_of: int, names: tuple[str, ...] | None) -> Iterator[Past]:
    """Views of the shop on past days, the latest first, each with what then happened."""
    for back in range(1, BACK + 1):
        day = as_of - back * STEP
        view = View.at(habits, purchases, as_of=day)
        if len(view.pairs) == 0 and back > 1:
            return
        house = view.evidence.households
        wait = next_days(purchases, view.pairs, as_of=day, until=as_of)
        customers = view.pairs.customer[np.flatnonzero(np.append(True, np.diff(house.of_pair) != 0))[: len(house)]]
        trips = trips_after(purchases, customers, as_of=day)
        known = np.array(SPANS) <= back * STEP
        found, table = features(view.evidence, names)
        rng = np.random.default_rng(back)
        rows = np.flatnonzero((view.pairs.repeats > 0) | (rng.random(len(wait)) < 1 / ONCE))
        ahead = trips[house.of_pair[rows]]
        examples = Examples(
            inputs=np.ascontiguousarray(table.T[rows]),
            happened=(wait[rows, None] <= np.array(SPANS)).astype(np.float32),
            counts=(known & (ahead > 0)).astype(np.float32),
            log_trips=np.log(np.maximum(ahead, 1)).astype(np.float32),
        )
        yield Past(found, examples, (signs(house), trips, np.broadcast_to(known, trips.shape)))


def _train(past: list[Past], form: Kind) -> dict[str, Any]:
    """The networks of a model and what belongs to them; none where too little was bought. Uses up ``past``."""
    names = past[0].names
    parts = [one.examples for one in past]
    bought = float(sum((part.happened * part.counts)[:, 1].sum() for part in parts))
    found = {
        "names": names,
        "centre": np.zeros((len(names), 1), np.float32),
        "scale": np.ones((len(names), 1), np.float32),
        "networks": (),
        "trust": 0.0,
    }
    if bought < LEAST:
        return found
    count = sum(len(part) for part in parts)
    centre = sum(part.inputs.sum(axis=0, dtype=np.float64) for part in parts) / count
    scale = np.sqrt(sum(np.square(part.inputs - centre).sum(axis=0) for part in parts) / count) + 1e-6
    # Mixed once, so that each batch is of neighbours: picking rows from all over the memory takes longer than the rest.
    # Half precision is plenty for inputs, and they are what a fit needs memory for.
    place = np.random.default_rng(0).permutation(count)
    examples = Examples(
        np.empty((count, len(names)), np.float16),
        *(np.empty((count, len(SPANS)), np.float32) for _ in range(3)),
    )
    start = 0
    past.clear()
    while parts:
        part = parts.pop()
        rows = place[start : (start := start + len(part))]
        inputs = np.clip((part.inputs - centre.astype(np.float32)) / scale.astype(np.float32), -EDGE, EDGE)
        examples.inputs[rows] = inputs
        examples.happened[rows], examples.counts[rows] = part.happened, part.counts
        examples.log_trips[rows] = part.log_trips
    return found | {
        "centre": centre.astype(np.float32)[:, None],
        "scale": scale.astype(np.float32)[:, None],
        "networks": tuple(train(examples, form.hidden, seed=seed, passes=form.passes) for seed in range(form.networks)),
        "trust": bought / (bought + TRUSTED),
    }


def _check(model: Model, purchases: Purchases) -> Model:
    """The model held against the weeks just past: its log-odds are shifted so that as many pairs are said to be bought
    as were, and its quantiles moved to where the 10, 50 and 90 % fell."""
    seen = np.zeros(len(SPANS))
    said: list[list[Floats]] = [[] for _ in SPANS]
    for back in (14, 28, WINDOW):
        view = View.at(model.habits, purchases, as_of=model.as_of - back)
        wait = next_days(purchases, view.pairs, as_of=model.as_of - back, until=model.as_of)
        again = view.pairs.repeats > 0
        chances = model.chances(view)[:, again]
        for span, days in enumerate(SPANS):
            if days <= back:
                seen[span] += (wait[again] <= days).sum()
                said[span].append(chances[span])
    shift = [_shift(np.concatenate(chances), bought) for chances, bought in zip(said, seen.tolist(), strict=True)]
    model = replace(model, shift=np.array(shift))
    # Dates are judged by the last view, which has the whole window behind it.
    returned = again & np.isfinite(wait)
    if not returned.any():
        return model
    share = Course(model.chances(view)[:, returned]).share(wait[returned])
    weight = len(share) / (len(share) + PRIOR_RETURNS)
    return replace(model, levels=weight * np.quantile(share, LEVELS) + (1 - weight) * LEVELS)


def _shift(chances: Floats, seen: float) -> float:
    """What to add to the log-odds of ``chances`` so that they add up to the purchases ``seen``; it stays near zero as
    if another ``PRIOR_RETURNS`` purchases had been foreseen rightly."""
    odds = np.log(chances) - np.log1p(-chances)
    shift = 0.0
    for _ in range(30):
        now, prior = sigmoid(odds + shift), PRIOR_RETURNS * np.exp(shift)
        step = (now.sum() + prior - seen - PRIOR_RETURNS) / ((now * (1 - now)).sum() + prior)
        shift -= float(np.clip(step, -1, 1))
    return shift


def _sample(purchases: Purchases) -> Purchases:
    """Every second, third ... household where there are more than ``ENOUGH`` lines; the same ones every time."""
    step = -(-len(purchases) // ENOUGH)
    if step <= 1:
        return purchases
    chosen = np.unique(purchases.customer)[::step]
    return purchases.take(np.isin(purchases.customer, chosen))


def _over_trips(base: Matrix, slope: Matrix, trips: Matrix, rows: Ints) -> Matrix:
    """The chance of n pairs, whatever the number of trips; ``trips``: see ``TripModel.steps``."""
    found = np.zeros_like(base)
    for chance, log_trips in zip(trips, LOG_TRIPS, strict=False):
        found += chance[rows] * sigmoid(base + slope * log_trips)
    return found
