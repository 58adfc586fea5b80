"""What every cleverer model has to beat, each in a file of its own, behind the contract of the model itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replenish.baselines.atd import AggregateTime
from replenish.baselines.baseline import TYPICAL_GAP, Baseline
from replenish.baselines.bgnbd_pair import BgNbdPair
from replenish.baselines.habits import Habits
from replenish.baselines.mean_interval import MeanInterval
from replenish.baselines.median_interval import MedianInterval
from replenish.baselines.modified_poisson_gamma import ModifiedPoissonGamma
from replenish.baselines.p_top import PTop
from replenish.baselines.poisson_gamma import PoissonGamma
from replenish.due import assemble
from replenish.ranking import order
from replenish.stored import pack, unpack
from replenish.supply import supply
from replenish.types import Floats, Forecasts, Purchases

__all__ = ["NAMES", "Baseline", "dump", "fit", "forecast", "load"]

_KNOWN: dict[str, type[Baseline]] = {
    "mean-interval": MeanInterval,
    "median-interval": MedianInterval,
    "p-top": PTop,
    "atd": AggregateTime,
    "poisson-gamma": PoissonGamma,
    "modified-poisson-gamma": ModifiedPoissonGamma,
    "bgnbd-pair": BgNbdPair,
}

NAMES = tuple(_KNOWN)

_LEVELS = np.array([0.1, 0.5, 0.9])


def fit(name: str, purchases: Purchases, *, as_of: int) -> Baseline:
    """The baseline ``name`` (one of ``NAMES``, else ValueError) from all purchases until the end of ``as_of``."""
    return _kind(name).fit(Habits.until(purchases, as_of=as_of))


def forecast(baseline: Baseline, purchases: Purchases, *, as_of: int) -> Forecasts:
    """As ``replenish.forecast``."""
    habits = Habits.until(purchases, as_of=as_of)
    pairs, houses = habits.pairs, habits.houses
    left = supply(houses, np.full(len(houses), TYPICAL_GAP)).left[pairs.house]
    usual = baseline.usual(habits)
    found = assemble(pairs, baseline.expect(habits), usual=usual, left=left, levels=_LEVELS)
    score = baseline.score(habits)
    return found if score is None else _ranked(found, score)


def dump(baseline: Baseline) -> bytes:
    """As ``replenish.dump``."""
    (name,) = (name for name, kind in _KNOWN.items() if type(baseline) is kind)
    return pack(name, baseline.arrays())


def load(data: bytes) -> Baseline:
    """As ``replenish.load``."""
    name, arrays = unpack(data)
    return _kind(name)(**arrays)


def _kind(name: str) -> type[Baseline]:
    if name not in _KNOWN:
        raise ValueError(f"there is no baseline {name!r}, only {', '.join(NAMES)}")
    return _KNOWN[name]


def _ranked(found: Forecasts, score: Floats) -> Forecasts:
    """``found`` by a ``score`` of its own, given by customer and product."""
    by_pair = replace(found.take(np.lexsort((found.product, found.customer))), score=score)
    return by_pair.take(order(by_pair.customer, by_pair.product, by_pair.score))
