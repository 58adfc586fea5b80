"""The model, as plain data: from what is known of some households to the chance of each purchase.

Small networks (``network.py``) look at each pair (``features.py``) and tell how likely it is bought given the trips of
its household; how many trips there will be is foreseen apart (``households.py``), and the chance is the mean over them.
Where a shop has seen little, its chances are drawn towards the closed form (``habits.py``). How all that is learnt is
told in ``learning.py``.

There are two kinds: *full* looks at everything and averages several networks; *light* looks at less with one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import numpy as np

from replenish.features import Evidence, features
from replenish.habits import Habits
from replenish.households import LOG_TRIPS, SPANS, TripModel, households, signs
from replenish.intervals import Pairs, unfold
from replenish.network import BLOCK, Matrix, Network, sigmoid
from replenish.shop import Group, Survey
from replenish.stored import Arrays, pack, unpack
from replenish.types import Floats, Ints, Purchases

LEVELS = np.array([0.1, 0.5, 0.9])


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
    "need_own_silence_gaps",
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

    ``least``, ``most``: (features, 1) what the networks have seen; inputs beyond count as the nearest seen. ``centre``,
    ``scale``: of the inputs. ``trust``: 0 to 1, how much the networks count beside the closed
    form. ``shift``: (spans) added to the log-odds. ``levels``: quantiles of the course that on past days turned out to
    be the 10, 50 and 90 %.
    """

    version: str
    as_of: int
    habits: Habits
    survey: Survey
    trips: TripModel
    names: tuple[str, ...]
    least: Matrix
    most: Matrix
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
        np.clip(table, self.least, self.most, out=table)
        table -= self.centre
        table *= 1 / self.scale
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
            "least": self.least,
            "most": self.most,
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
        least=arrays["least"],
        most=arrays["most"],
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


def _over_trips(base: Matrix, slope: Matrix, trips: Matrix, rows: Ints) -> Matrix:
    """The chance of n pairs, whatever the number of trips; ``trips``: see ``TripModel.steps``."""
    found = np.zeros_like(base)
    for chance, log_trips in zip(trips, LOG_TRIPS, strict=False):
        found += chance[rows] * sigmoid(base + slope * log_trips)
    return found
