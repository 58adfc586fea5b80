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
from replenish.households import SPANS, TripModel, fit_trips, households, signs, trips_after
from replenish.intervals import Houses, Pairs, next_days, unfold
from replenish.network import BLOCK, Examples, Matrix, Network, sigmoid, train
from replenish.shop import Group, Survey
from replenish.stored import Arrays, pack, unpack
from replenish.supply import Supply
from replenish.types import WINDOW, Floats, Ints, Purchases

LEVELS = np.array([0.1, 0.5, 0.9])

STEP = 14
BACK = 6
"""Past days looked at: every ``STEP`` days, so many times."""

ENOUGH = 1_000_000
"""More lines than these are fitted on a sample of whole households: parameters no longer move, time would."""

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
    """Some households seen from the end of a day: what is known of them, and all that a forecast is made of.

    ``curve``: (spans, n) log-odds of a purchase within each of ``SPANS`` after the closed form.
    """

    pairs: Pairs
    houses: Houses
    evidence: Evidence
    supply: Supply
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
            curve=curve[[1, 3]].T,
            as_of=as_of,
        )
        return cls(pairs, houses, evidence, state, curve)


@dataclass(frozen=True, slots=True)
class Model:
    """Plain data: the closed form, the survey of the shop, the trips to be foreseen, and the networks.

    ``centre``, ``scale``: (features, 1) of the inputs. ``trust``: 0 to 1, how much the networks count beside the closed
    form. ``levels``: quantiles of the curve that on past days turned out to be the 10, 50 and 90 %.
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
    levels: Floats

    def chances(self, view: View) -> Floats:
        """(spans, n) chance of a purchase within each of ``SPANS``, growing with them."""
        if not self.networks or not len(view.pairs):
            return np.maximum.accumulate(sigmoid(view.curve))
        _, table = features(view.evidence, self.names)
        table -= self.centre
        table *= 1 / self.scale
        np.clip(table, -4, 4, out=table)
        house = view.evidence.households
        z = signs(house)
        trips = [self.trips.chances(z, span).astype(np.float32) for span in range(len(SPANS))]
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
        return np.maximum.accumulate(sigmoid(drawn))

    def arrays(self) -> Arrays:
        found: Arrays = {
            "as_of": np.array(self.as_of),
            "names": np.array(self.names, str),
            "centre": self.centre,
            "scale": self.scale,
            "trust": np.array(self.trust),
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
        levels=LEVELS,
    )
    return replace(model, levels=_learn_levels(model, purchases, as_of - WINDOW))


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
    """The networks of a model and what belongs to them; none where too little was bought."""
    examples = Examples(
        *(np.concatenate(column) for column in zip(*(_columns(one.examples) for one in past), strict=True))
    )
    inputs, width = examples.inputs, examples.inputs.shape[1]
    bought = float((examples.happened * examples.counts)[:, 1].sum())
    centre, scale = np.zeros(width, np.float32), np.ones(width, np.float32)
    if bought >= LEAST:
        centre = inputs.mean(axis=0, dtype=np.float64).astype(np.float32)
        scale = (inputs.std(axis=0, dtype=np.float64) + 1e-6).astype(np.float32)
    inputs -= centre
    inputs /= scale
    np.clip(inputs, -4, 4, out=inputs)
    seeds = range(form.networks if bought >= LEAST else 0)
    return {
        "names": past[0].names,
        "centre": centre[:, None],
        "scale": scale[:, None],
        "networks": tuple(train(examples, form.hidden, seed=seed, passes=form.passes) for seed in seeds),
        "trust": bought / (bought + TRUSTED) if bought >= LEAST else 0.0,
    }


def _columns(examples: Examples) -> tuple[Matrix, ...]:
    return tuple(getattr(examples, field.name) for field in fields(examples))


def _learn_levels(model: Model, purchases: Purchases, day: int) -> Floats:
    """Where on the curve the 10, 50 and 90 % of those fell who came back in the weeks after ``day``."""
    view = View.at(model.habits, purchases, as_of=day)
    wait = next_days(purchases, view.pairs, as_of=day, until=day + WINDOW)
    back = np.isfinite(wait) & (view.pairs.repeats > 0)
    if not back.any():
        return LEVELS
    share = Course(model.chances(view)[:, back]).share(wait[back])
    weight = len(share) / (len(share) + PRIOR_RETURNS)
    levels: Floats = weight * np.quantile(share, LEVELS) + (1 - weight) * LEVELS
    return levels


def _sample(purchases: Purchases) -> Purchases:
    """Every second, third ... household where there are more than ``ENOUGH`` lines; the same ones every time."""
    step = -(-len(purchases) // ENOUGH)
    if step <= 1:
        return purchases
    chosen = np.unique(purchases.customer)[::step]
    return purchases.take(np.isin(purchases.customer, chosen))


def _over_trips(base: Matrix, slope: Matrix, trips: Matrix, rows: Ints) -> Matrix:
    """The chance of n pairs, whatever the number of trips; ``trips``: (households, k + 1) chance of each number."""
    found = np.zeros_like(base)
    for count in range(1, trips.shape[1]):
        found += trips[rows, count] * sigmoid(base + slope * np.float32(np.log(count)))
    return found
