"""The median interval: as the mean interval, but one long holiday does not move it.

For a pair (household, product) with median gap m, last bought t days ago: due in m - t days, at least one;
P(next within h) = 1 - exp(-h / m); the list is ordered by -|m - t|. See ``mean_interval.py`` for the window.

A pair bought once has the middle gap of its product, need, category or shop: exp(mean log gap), the median where
gaps are log-normal. No paper: the rule is folklore.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from replenish.baselines.baseline import TYPICAL_GAP, Baseline
from replenish.baselines.habits import Habits
from replenish.baselines.levels import common, means, rows
from replenish.baselines.mean_interval import Interval
from replenish.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class MedianInterval(Baseline):
    """``gaps``: middle gap in each of the ``known`` levels."""

    known: Ints
    gaps: Floats

    @classmethod
    def fit(cls, habits: Habits) -> Self:
        kinds = habits.kinds[:, habits.of]
        known = common(kinds)
        return cls(known, np.exp(means(known, kinds, np.log(habits.gaps), typical=np.log(TYPICAL_GAP))))

    def expect(self, habits: Habits) -> Interval:
        return Interval(self.usual(habits), habits.elapsed)

    def score(self, habits: Habits) -> Floats:
        return self.expect(habits).nearness()

    def usual(self, habits: Habits) -> Floats:
        usual = self.gaps[rows(self.known, habits.kinds)]
        ordered = habits.gaps[np.lexsort((habits.gaps, habits.of))]
        pair, start, count = np.unique(habits.of, return_index=True, return_counts=True)
        usual[pair] = (ordered[start + (count - 1) // 2] + ordered[start + count // 2]) / 2
        return usual
