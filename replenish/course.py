"""The course of a chance over the days: known at a few horizons, and read in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replenish.households import SPANS
from replenish.types import Floats

DAYS = np.array([0.0, *SPANS])


@dataclass(frozen=True, slots=True)
class Course:
    """``chances``: (spans, n) of a purchase within each of ``SPANS`` days; evenly spread between them."""

    chances: Floats

    def chance(self, days: float) -> Floats:
        """Chance of a purchase within ``days`` (one of ``SPANS``), without condition."""
        found: Floats = self.chances[SPANS.index(int(days))]
        return found

    def quantile(self, level: float, window: float) -> Floats:
        """Days until the next purchase at ``level`` given that it comes within ``window`` days."""
        shares = self._shares()
        span = (shares[1:-1] < level).sum(axis=0)
        row = np.arange(shares.shape[1])
        low, high = shares[span, row], shares[span + 1, row]
        part = np.clip((level - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
        days: Floats = DAYS[span] + part * (DAYS[span + 1] - DAYS[span])
        return days

    def share(self, days: Floats) -> Floats:
        """The level that falls on each of ``days``; the other way round."""
        shares = self._shares()
        span = np.searchsorted(DAYS[1:-1], days)
        row = np.arange(shares.shape[1])
        part = (days - DAYS[span]) / (DAYS[span + 1] - DAYS[span])
        found: Floats = shares[span, row] + part * (shares[span + 1, row] - shares[span, row])
        return found

    def _shares(self) -> Floats:
        return np.concatenate(
            [np.zeros((1, self.chances.shape[1])), self.chances / np.maximum(self.chances[-1], 1e-12)]
        )
