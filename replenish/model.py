"""The model in use: BG/NBD habits on a clock of supplies, checked against held-back days. Plain data, no objects.

``fit`` holds back the last eight weeks, fits BG/NBD on what came before and looks at what was then bought: from
that it learns how the pace of buying follows the supply in the house (``supply.py``) and which quantiles of the
curve are really the 10, 50 and 90 %. Then it fits BG/NBD again on everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replenish.bgnbd import Curve, History, curve, fit_parameters
from replenish.intervals import Houses, Pairs, columns, mean_gaps, members, next_days, summarise
from replenish.stored import Arrays, pack, unpack
from replenish.supply import EDGES, USUAL_PACE, Clock, Supply, stages, supply
from replenish.types import WINDOW, Floats, Ints, Purchases

VERSION = "bgnbd-1"

KINDS = ("light",)
"""The kinds of model that can be fitted on this machine."""

SPREAD = 0.7
"""How far, in logarithms, the parameters of a category stray from the shop's before its pairs must say so."""

TYPICAL_GAP = 30.0
"""Days between two purchases where nothing is known."""

PRIOR_EVENTS = 20.0
PRIOR_RETURNS = 100.0
"""How many purchases and how many who came back outweigh what is taken for granted."""

ENOUGH = 1_000_000
"""More lines than these are fitted on a sample of whole households: parameters no longer move, time would."""

FOLLOW_UP = 28
"""Days over which the pace of buying is watched, from two starting days."""

LEVELS = np.array([0.1, 0.5, 0.9])

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

    def quantile(self, level: float, window: float) -> Floats:
        """Days until the next purchase at ``level`` given that it comes within ``window`` days."""
        return self.clock.calendar_days(self.habit.quantile(level, self.clock.model_days(window)))


@dataclass(frozen=True, slots=True)
class Model:
    """Plain data. Column 0 of every table is the whole shop, column i + 1 is ``categories[i]``.

    ``parameters``: (4, k + 1) logarithms of r, alpha, a, b. ``gaps``: (k + 1) usual gap in days. ``pace``:
    (kinds, k + 1, stages), see ``Clock``. ``levels``: quantiles of the curve that on held-back days turned out
    to be the 10, 50 and 90 %.
    """

    version: str
    as_of: int
    categories: Ints
    parameters: Floats
    gaps: Floats
    pace: Floats
    levels: Floats

    def outlook(self, pairs: Pairs, houses: Houses) -> tuple[Outlook, Supply]:
        own = columns(self.categories, pairs.category)
        state = supply(houses, self.gaps[columns(self.categories, houses.category)])
        habit = curve(self.parameters[:, own], History(pairs.repeats, pairs.recency, pairs.age))
        clock = Clock.at(self.pace[kinds(pairs), own], state, pairs.house)
        return Outlook(habit, clock), state

    def arrays(self) -> Arrays:
        return {
            "as_of": np.array(self.as_of),
            "categories": self.categories,
            "parameters": self.parameters,
            "gaps": self.gaps,
            "pace": self.pace,
            "levels": self.levels,
        }


def dump(model: Model) -> bytes:
    """The model as bytes; ``load`` gives back one with exactly the same forecasts."""
    return pack(model.version, model.arrays())


def load(data: bytes) -> Model:
    """Raises ValueError for the bytes of another version, or damaged ones."""
    version, arrays = unpack(data)
    if version != VERSION:
        raise ValueError(f"model version {version!r} is not {VERSION!r}")
    return Model(version=version, as_of=int(arrays.pop("as_of")), **arrays)


def fit(purchases: Purchases, *, as_of: int, kind: str = KINDS[-1]) -> Model:
    """The model of a ``kind`` (one of ``KINDS``, else ValueError) from all purchases until the end of day
    ``as_of``; later lines are not looked at."""
    if kind not in KINDS:
        raise ValueError(f"there is no model of kind {kind!r}, only {', '.join(KINDS)}")
    purchases = _sample(purchases.take(purchases.day <= as_of))
    starts = (as_of - WINDOW, as_of - WINDOW + FOLLOW_UP)
    held_back = [(start, *summarise(purchases, as_of=start)) for start in starts]
    draft = _fit_habits(held_back[0][1], as_of=starts[0])
    draft = replace(draft, pace=_learn_pace(draft, purchases, held_back))
    levels = _learn_levels(draft, purchases, held_back[0])
    pairs, _ = summarise(purchases, as_of=as_of)
    final = _fit_habits(pairs, as_of=as_of)
    column = np.append(0, columns(draft.categories, final.categories))
    return replace(final, pace=draft.pace[:, column], levels=levels)


def kinds(pairs: Pairs) -> Ints:
    """0, 1 or 2: bought once, a few times, often."""
    return np.searchsorted(REPEATS, pairs.repeats, side="right")


def _sample(purchases: Purchases) -> Purchases:
    """Every second, third ... household where there are more than ``ENOUGH`` lines; the same ones every time."""
    step = -(-len(purchases) // ENOUGH)
    if step <= 1:
        return purchases
    chosen = np.unique(purchases.customer)[::step]
    return purchases.take(np.isin(purchases.customer, chosen))


def _fit_habits(pairs: Pairs, *, as_of: int) -> Model:
    """Parameters for the shop and each category; pace and levels as yet without a check."""
    history = History(pairs.repeats, pairs.recency, pairs.age)
    categories = np.unique(pairs.category[pairs.category >= 0])
    shop = fit_parameters(history)
    parameters = [shop]
    for rows in members(pairs.category, categories):
        parameters.append(fit_parameters(history.take(rows), centre=shop, spread=SPREAD))
    gaps = mean_gaps(pairs, categories, typical=TYPICAL_GAP)
    return Model(
        version=VERSION,
        as_of=as_of,
        categories=categories,
        parameters=np.array(parameters).T,
        gaps=gaps,
        pace=np.broadcast_to(USUAL_PACE, (len(REPEATS) + 1, len(gaps), len(EDGES))),
        levels=LEVELS,
    )


def _learn_pace(draft: Model, purchases: Purchases, held_back: list[Moment]) -> Floats:
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


def _learn_levels(draft: Model, purchases: Purchases, held_back: Moment) -> Floats:
    """Where on the curve the 10, 50 and 90 % of those fell who came back in the held-back weeks."""
    start, pairs, houses = held_back
    wait = next_days(purchases, pairs, as_of=start, until=start + WINDOW)
    outlook, _ = draft.outlook(pairs, houses)
    back = np.isfinite(wait) & (pairs.repeats > 0)
    if not back.any():
        return LEVELS
    habit, clock = outlook.habit, outlook.clock
    reached = habit.awaited(clock.model_days(np.where(back, wait, 1.0)))
    share = (reached / habit.awaited(clock.model_days(WINDOW)))[back]
    weight = len(share) / (len(share) + PRIOR_RETURNS)
    levels: Floats = weight * np.quantile(share, LEVELS) + (1 - weight) * LEVELS
    return levels
