"""What is left in the house, and what that does to the chance of buying.

A habit's purchases come at random in BG/NBD, but who has just stocked up seldom buys and who has run out does. So
time runs at a different pace along the way from a full shelf to an empty one: a *clock* turns calendar days into
the days of the model, fast where households buy more than the model expects, slow where they buy less. The pace
is learnt from held-back days of the shop (``habits.py``): flat in a supermarket, steep where people keep diapers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replenish.intervals import Houses
from replenish.types import Floats, Ints

EDGES = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0])
"""Where each stage of a supply begins: days since the last purchase over the days it should last."""

_A_UNIT = 20
_STAGE = np.searchsorted(EDGES, (np.arange(EDGES[-1] * _A_UNIT + 1) + 0.5) / _A_UNIT, side="right") - 1
"""All edges are twentieths: the stage is looked up, which takes half the time of a search."""

USUAL_PACE = np.array([0.4, 0.5, 0.7, 1.1, 1.4, 1.4, 1.3, 1.1, 0.9, 0.7, 0.6])
"""The pace in each stage where nothing is known yet."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What m households have for a need: ``lasts``, the days the stock should last from the last purchase on;
    ``elapsed``, the days since then; ``left``, the share of what was last bought that is still there, 0 to 1."""

    lasts: Floats
    elapsed: Floats
    left: Floats


def supply(houses: Houses, typical: Floats) -> Supply:
    """The state of each household's need.

    What a household uses in a day is what it bought before its last purchase over the days that lasted, drawn
    towards one average purchase every ``typical`` days. What was left when it bought again adds to the stock.
    """
    last = houses.recent[:, 0]
    average = np.where(houses.bought > 0, houses.bought / houses.occasions, 1.0)
    use = (houses.bought - last + average) / (houses.span + typical)
    stock = np.zeros(len(houses))
    for back in range(houses.recent.shape[1] - 1, -1, -1):
        stock = np.maximum(stock - use * houses.waited[:, back], 0.0) + houses.recent[:, back]
    rest = np.maximum(stock - use * houses.elapsed, 0.0)
    left = np.minimum(rest / np.where(last > 0, last, 1.0), 1.0) * (last > 0)
    return Supply(lasts=np.maximum(stock / use, 1.0), elapsed=houses.elapsed, left=left)


@dataclass(frozen=True, slots=True)
class Clock:
    """Calendar days <-> days of the model for n pairs; ``pace``: (n, stages), all above zero.

    ``passed``: what it shows at the beginning of each stage; ``begun``: now.
    """

    pace: Floats
    start: Floats
    lasts: Floats
    passed: Floats
    begun: Floats

    @classmethod
    def at(cls, pace: Floats, supply: Supply, rows: Ints) -> Clock:
        """The clocks of pairs whose needs are in ``rows`` of ``supply``."""
        passed = np.zeros_like(pace)
        np.cumsum(pace[:, :-1] * np.diff(EDGES), axis=1, out=passed[:, 1:])
        lasts = supply.lasts[rows]
        start = supply.elapsed[rows] / lasts
        return cls(pace=pace, start=start, lasts=lasts, passed=passed, begun=_run(start, pace, passed))

    def model_days(self, days: float | Floats) -> Floats:
        """Days of the model that go by in the next ``days`` calendar days."""
        end = _run(self.start + days / self.lasts, self.pace, self.passed)
        return np.maximum(end - self.begun, 0.0) * self.lasts

    def calendar_days(self, model_days: Floats) -> Floats:
        """The other way round."""
        target = self.begun + model_days / self.lasts
        stage = (self.passed <= target[:, None]).sum(axis=1) - 1
        row = np.arange(len(stage))
        end = EDGES[stage] + (target - self.passed[row, stage]) / self.pace[row, stage]
        days: Floats = np.maximum(end - self.start, 0.0) * self.lasts
        return days


def _run(place: Floats, pace: Floats, passed: Floats) -> Floats:
    """What the clock shows at each place on the way."""
    stage = stages(place)
    row = np.arange(len(stage))
    shown: Floats = passed[row, stage] + (place - EDGES[stage]) * pace[row, stage]
    return shown


def stages(place: Floats) -> Ints:
    """The stage of each place on the way from a full shelf (0) to an empty one (1) and on."""
    return _STAGE[np.minimum(place * _A_UNIT, len(_STAGE) - 1).astype(np.int64)]
