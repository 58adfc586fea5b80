"""BG/NBD habits on a clock of supplies: the closed form that the model starts from, and all there is in a young shop.

``fit_habits`` holds back the last eight weeks, fits BG/NBD on what came before and looks at what was then bought: from
that it learns how the pace of buying follows the supply in the house (``supply.py``). Then it fits again on everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replenish.bgnbd import Curve, History, curve, fit_parameters
from replenish.intervals import Houses, Pairs, columns, mean_gaps, members, next_days, summarise
from replenish.supply import EDGES, USUAL_PACE, Clock, Supply, stages, supply
from replenish.types import WINDOW, Floats, Ints, Purchases

SPREAD = 0.7
"""How far, in logarithms, the parameters of a category stray from the shop's before its pairs must say so."""

TYPICAL_GAP = 30.0
"""Days between two purchases where nothing is known."""

PRIOR_EVENTS = 20.0
"""How many purchases outweigh what is taken for granted."""

FOLLOW_UP = 28
"""Days over which the pace of buying is watched, from two starting days."""

REPEATS = np.array([1.0, 4.0])
"""Pairs are of one kind below, between and from so many repeats on: their pace differs."""


Moment = tuple[int, Pairs, Houses]
"""A day held back from the model, and what was known at the end of it."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """When n pairs are bought next: a habit and the clock it runs on."""

    habit: Curve
    clock: Clock

    def chance(self, days: float) -> Floats:
        """Chance of a purchase within ``days``, without condition."""
        return self.habit.chance(self.clock.model_days(days))


@dataclass(frozen=True, slots=True)
class Habits:
    """Plain data. Column 0 of every table is the whole shop, column i + 1 is ``categories[i]``.

    ``parameters``: (4, k + 1) logarithms of r, alpha, a, b. ``gaps``: (k + 1) usual gap in days. ``pace``:
    (kinds, k + 1, stages), see ``Clock``.
    """

    categories: Ints
    parameters: Floats
    gaps: Floats
    pace: Floats

    def outlook(self, pairs: Pairs, houses: Houses) -> tuple[Outlook, Supply]:
        own = columns(self.categories, pairs.category)
        state = supply(houses, self.gaps[columns(self.categories, houses.category)])
        habit = curve(self.parameters[:, own], History(pairs.repeats, pairs.recency, pairs.age))
        clock = Clock.at(self.pace[kinds(pairs), own], state, pairs.house)
        return Outlook(habit, clock), state


def fit_habits(purchases: Purchases, *, as_of: int) -> Habits:
    """Habits from all purchases until the end of day ``as_of``; later lines are not looked at."""
    starts = (as_of - WINDOW, as_of - WINDOW + FOLLOW_UP)
    held_back = [(start, *summarise(purchases, as_of=start)) for start in starts]
    draft = _fit_curves(held_back[0][1])
    draft = replace(draft, pace=_learn_pace(draft, purchases, held_back))
    pairs, _ = summarise(purchases, as_of=as_of)
    final = _fit_curves(pairs)
    column = np.append(0, columns(draft.categories, final.categories))
    return replace(final, pace=draft.pace[:, column])


def kinds(pairs: Pairs) -> Ints:
    """0, 1 or 2: bought once, a few times, often."""
    return np.searchsorted(REPEATS, pairs.repeats, side="right")


def _fit_curves(pairs: Pairs) -> Habits:
    """Parameters for the shop and each category; the pace as yet without a check."""
    history = History(pairs.repeats, pairs.recency, pairs.age)
    categories = np.unique(pairs.category[pairs.category >= 0])
    shop = fit_parameters(history)
    parameters = [shop]
    for rows in members(pairs.category, categories):
        parameters.append(fit_parameters(history.take(rows), centre=shop, spread=SPREAD))
    gaps = mean_gaps(pairs, categories, typical=TYPICAL_GAP)
    return Habits(
        categories=categories,
        parameters=np.array(parameters).T,
        gaps=gaps,
        pace=np.broadcast_to(USUAL_PACE, (len(REPEATS) + 1, len(gaps), len(EDGES))),
    )


def _learn_pace(draft: Habits, purchases: Purchases, held_back: list[Moment]) -> Floats:
    """Purchases seen over purchases expected, for each kind of pair, category and stage of the supply."""
    shape = draft.pace.shape
    cells = draft.pace.size
    seen, expected = np.zeros(cells), np.zeros(cells)
    for start, pairs, houses in held_back:
        wait = next_days(purchases, pairs, as_of=start, until=start + FOLLOW_UP)
        outlook, _ = draft.outlook(pairs, houses)
        cell = (kinds(pairs) * shape[1] + columns(draft.categories, pairs.category)) * shape[2]
        habit, clock = outlook.habit, outlook.clock
        chance = habit.chance(0.0)
        for day in range(FOLLOW_UP):
            later = habit.chance(float(day + 1))
            waiting = wait > day
            at = (cell + stages(clock.start + (day + 0.5) / clock.lasts))[waiting]
            seen += np.bincount(at, wait[waiting] == day + 1, cells)
            hazard = (later - chance) / np.maximum(1 - chance, 1e-12)
            expected += np.bincount(at, hazard[waiting], cells)
            chance = later
    some, fair = seen.reshape(shape), expected.reshape(shape)
    shop = (some.sum(axis=1) + PRIOR_EVENTS * USUAL_PACE) / (fair.sum(axis=1) + PRIOR_EVENTS)
    pace: Floats = (some + PRIOR_EVENTS * shop[:, None]) / (fair + PRIOR_EVENTS)
    pace[:, 0] = shop
    return pace
