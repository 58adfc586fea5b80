"""What every cleverer model has to beat, behind the same contract.

``mean-interval``, ``median-interval``: next purchase one usual gap after the last, chances as if by accident.
``atd``, ``poisson-gamma``: R. Bhagat, S. Muralidharan, A. Lobzhanidze, S. Vishwanath (2018), Buy It Again: Modeling
Repeat Purchase Recommendations, KDD. ATD: the distribution of all gaps of the category, given that the present one
has lasted so long. Poisson-Gamma: a rate for each pair, lambda ~ Gamma(r, alpha) over the pairs of a category, so

    L(r, alpha)       = Gamma(r + x) / Gamma(r) * alpha^r / (alpha + T)^(r + x)
    P(next within t)  = 1 - ((alpha + T) / (alpha + T + t))^(r + x)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from replenish.bgnbd import Curve
from replenish.due import Expectation, assemble, usual_gap
from replenish.intervals import Pairs, columns, gaps, mean_gaps, members, summarise
from replenish.stored import pack, unpack
from replenish.supply import supply
from replenish.types import Floats, Forecasts, Ints, Purchases

NAMES = ("mean-interval", "median-interval", "atd", "poisson-gamma")

LEVELS = np.array([0.1, 0.5, 0.9])

TYPICAL_GAP = 30.0

LONGEST = 400
"""Longer gaps than these many days are not told apart."""

WEIGHT = 10.0
"""How many gaps of its own outweigh, for a category, those of the whole shop."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted baseline as plain data; tables have the whole shop in row 0 and ``categories[i]`` in row i + 1.

    ``gaps``: mean gap, or the median for ``median-interval``. ``table``: what the model ``name`` needs beside: 10,
    50 and 90 % of gaps over the usual one (intervals), share of gaps longer than 0, 1, 2 ... days (atd),
    logarithms of r, alpha (poisson-gamma).
    """

    name: str
    as_of: int
    categories: Ints
    gaps: Floats
    table: Floats


def dump(baseline: Baseline) -> bytes:
    """As ``replenish.dump``."""
    arrays = {name: getattr(baseline, name) for name in ("categories", "gaps", "table")}
    return pack(f"{baseline.name}-1", {"name": np.array(baseline.name), "as_of": np.array(baseline.as_of), **arrays})


def load(data: bytes) -> Baseline:
    """As ``replenish.load``."""
    _, arrays = unpack(data)
    return Baseline(name=str(arrays.pop("name")), as_of=int(arrays.pop("as_of")), **arrays)


def fit(name: str, purchases: Purchases, *, as_of: int) -> Baseline:
    """The baseline ``name`` (one of ``NAMES``, else ValueError) from all purchases until ``as_of``."""
    pairs, _ = summarise(purchases, as_of=as_of)
    categories = np.unique(pairs.category[pairs.category >= 0])
    usual = mean_gaps(pairs, categories, typical=TYPICAL_GAP)
    of_gap, lengths = gaps(purchases, as_of=as_of)
    everyone = [np.arange(len(lengths)), *members(of_gap, categories)]
    if name == "poisson-gamma":
        rows = [np.arange(len(pairs)), *members(pairs.category, categories)]
        shop = _fit_rates(pairs, rows[0], np.log([1.0, TYPICAL_GAP]), 1.5)
        table = np.array([shop, *(_fit_rates(pairs, some, shop, 0.7) for some in rows[1:])])
    elif name == "atd":
        longer = np.exp(-np.arange(LONGEST + 1) / TYPICAL_GAP)
        shop = _longer(lengths, longer)
        table = np.array([shop, *(_longer(lengths[some], shop) for some in everyone[1:])])
    elif name in NAMES:
        if name == "median-interval":
            usual = np.array([_drawn_median(lengths[some], usual[0]) for some in everyone])
        spread = lengths / usual[columns(categories, of_gap)]
        table = np.quantile(np.append(spread, [0.3, 1.0, 2.5]), LEVELS)[None, :]
    else:
        raise ValueError(f"there is no baseline {name!r}, only {', '.join(NAMES)}")
    return Baseline(name=name, as_of=as_of, categories=categories, gaps=usual, table=table)


def forecast(baseline: Baseline, purchases: Purchases, *, as_of: int) -> Forecasts:
    """As ``replenish.forecast``."""
    pairs, houses = summarise(purchases, as_of=as_of)
    own = columns(baseline.categories, pairs.category)
    usual = usual_gap(pairs, baseline.gaps[own])
    elapsed = pairs.age - pairs.recency
    expected: Expectation
    if baseline.name == "poisson-gamma":
        r, alpha = np.exp(baseline.table[own].T)
        expected = Curve(alive=np.ones(len(pairs)), shape=r + pairs.repeats, scale=alpha + pairs.age)
    elif baseline.name == "atd":
        expected = _Elapsed(baseline.table, own, elapsed)
    else:
        expected = _Interval(usual, elapsed, baseline.table[0])
    left = supply(houses, baseline.gaps[columns(baseline.categories, houses.category)]).left[pairs.house]
    return assemble(pairs, expected, usual=usual, left=left, levels=LEVELS)


@dataclass(frozen=True, slots=True)
class _Interval:
    """One usual gap after the last purchase, wherever that falls; chances as of an accident once a gap."""

    usual: Floats
    elapsed: Floats
    spread: Floats

    def chance(self, days: float) -> Floats:
        return -np.expm1(-days / self.usual)

    def quantile(self, level: float, window: float) -> Floats:
        due = self.usual * np.interp(level, LEVELS, self.spread) - self.elapsed
        return np.clip(due, 0.0, window)


@dataclass(frozen=True, slots=True)
class _Elapsed:
    """The gaps of a category (rows ``own`` of ``longer``) among those that lasted ``elapsed`` days already."""

    longer: Floats
    own: Ints
    elapsed: Floats

    def chance(self, days: float | Floats) -> Floats:
        return 1 - self._longer(self.elapsed + days) / self._longer(self.elapsed)

    def quantile(self, level: float, window: float) -> Floats:
        target = level * self.chance(window)
        low, high = np.zeros(len(self.own)), np.full(len(self.own), float(window))
        for _ in range(20):
            middle = (low + high) / 2
            below = self.chance(middle) < target
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return high

    def _longer(self, days: Floats) -> Floats:
        last = self.longer.shape[1] - 1
        whole = np.minimum(days, last - 1).astype(np.int64)
        here, there = self.longer[self.own, whole], self.longer[self.own, whole + 1]
        return np.asarray(here + (there - here) * np.minimum(days - whole, 1.0))


def _longer(lengths: Floats, known: Floats) -> Floats:
    """Share of gaps longer than 0, 1, 2 ... days, drawn towards ``known``; never zero."""
    count = np.bincount(np.minimum(lengths, LONGEST + 1).astype(np.int64), minlength=LONGEST + 2)
    beyond = len(lengths) - np.cumsum(count)[: LONGEST + 1]
    return np.asarray((beyond + WEIGHT * known) / (len(lengths) + WEIGHT))


def _drawn_median(lengths: Floats, typical: float) -> float:
    weight = len(lengths) / (len(lengths) + WEIGHT)
    return float(weight * np.median(lengths) + (1 - weight) * typical) if len(lengths) else typical


def _fit_rates(pairs: Pairs, rows: Ints, centre: Floats, spread: float) -> Floats:
    """log(r, alpha) that make the pairs in ``rows`` likeliest, drawn towards ``centre``."""
    x, age = pairs.repeats[rows], pairs.age[rows]

    def cost(logs: Floats) -> tuple[float, Floats]:
        r, alpha = np.exp(logs)
        value = gammaln(r + x) - gammaln(r) + r * logs[1] - (r + x) * np.log(alpha + age)
        by_r = digamma(r + x) - digamma(r) + logs[1] - np.log(alpha + age)
        by_alpha = r / alpha - (r + x) / (alpha + age)
        away = (logs - centre) / spread
        slope = np.array([by_r.sum() * r, by_alpha.sum() * alpha])
        return float(away @ away / 2 - value.sum()), away / spread - slope

    found = minimize(cost, centre, jac=True, method="L-BFGS-B", bounds=[(-5.0, 6.0), (-3.0, 9.0)])
    return np.asarray(found.x, np.float64)
