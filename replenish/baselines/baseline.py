"""What every baseline is: plain arrays, learnt from the habits of a shop, that say what to expect of others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from replenish.baselines.habits import Habits
from replenish.due import Expectation, usual_gap
from replenish.stored import Arrays
from replenish.types import Floats

TYPICAL_GAP = 30.0
"""Days between two purchases where nothing is known."""


@dataclass(frozen=True, slots=True)
class Baseline(ABC):
    """A fitted baseline; every field of every one is an array, so that ``type(b)(**b.arrays())`` equals ``b``."""

    @classmethod
    @abstractmethod
    def fit(cls, habits: Habits) -> Self:
        """The baseline learnt from ``habits``."""

    @abstractmethod
    def expect(self, habits: Habits) -> Expectation:
        """When each pair is bought next."""

    def score(self, habits: Habits) -> Floats | None:
        """What ranks a customer's items, higher first; None: the chance of the next 14 days."""
        return None

    def usual(self, habits: Habits) -> Floats:
        """The usual gap of each pair in days."""
        return usual_gap(habits.pairs, np.full(len(habits.pairs), TYPICAL_GAP))

    def arrays(self) -> Arrays:
        return {field.name: getattr(self, field.name) for field in fields(self)}
