"""How often each household goes shopping, and how often it will in the days to come.

A purchase of a pair takes two things: the household goes shopping, and the product is in its basket. Trips are
foreseen for the household alone: how many there are in a horizon follows a negative binomial distribution,

    N ~ NB(mean m, size r),   log m = b0 + b'z,   log r = g0 + g1 log m      (NB2: variance m + m^2 / r)

with z made of exponentially decayed trip rates, the silence since the last trip and the length of the history
(J. M. Hilbe, Negative Binomial Regression, 2nd ed. 2011, chapter 8; r growing with the mean is ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from replenish.intervals import Events, Pairs
from replenish.types import HORIZONS, WINDOW, Floats, Ints, Purchases

SPANS = (*HORIZONS, WINDOW)
"""The horizons, in days, for which trips are foreseen."""

MOST_TRIPS = (7, 14, 20, 28)
"""More trips than these in each of the ``SPANS`` are not told apart."""

STEPS = (1, 2, 3, 4, 5, 7, 9, 12, 16, 21)
"""Numbers of trips from one of these to the next are taken together: what a trip more changes grows less and less."""

LOG_TRIPS = np.array([np.log(np.arange(a, b)).mean() for a, b in pairwise((*STEPS, MOST_TRIPS[-1] + 1))], np.float32)
"""The logarithm of the trips in each step."""

HALF_LIVES = (14.0, 28.0, 84.0)

REMEMBERED = 1500
"""What was bought longer ago counts as bought so many days ago: nothing turns on it, and a wrong date takes no room."""


@dataclass(frozen=True, slots=True)
class Households:
    """The h customers of some pairs, ascending, at the end of ``as_of``.

    ``of_pair``: row of each pair's customer. ``trips``: days with a purchase. ``silence``: days since the last one.
    ``age``: days since the first. ``rates``: (h, 3) trips to be expected in 14 days, by trips decayed with
    ``HALF_LIVES``. ``since``: for each purchase day of a pair, the trips of its household after it.
    """

    of_pair: Ints
    trips: Floats
    silence: Floats
    age: Floats
    rates: Floats
    since: Floats

    def __len__(self) -> int:
        return len(self.trips)


def households(pairs: Pairs, events: Events, *, as_of: int) -> Households:
    first = np.flatnonzero(np.append(True, np.diff(pairs.customer) != 0))[: len(pairs)]
    of_pair = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(pairs))))
    if len(events) == 0:
        return Households(of_pair, *(np.zeros(0),) * 3, np.zeros((0, len(HALF_LIVES))), np.zeros(0))
    begin = max(int(events.day.min()), as_of - REMEMBERED + 1)
    span = as_of - begin + 1
    day = np.maximum(events.day, begin) - begin
    # A row a household, a column a day: far smaller than the purchases, and it needs no sorting.
    out = np.zeros((len(first), span), bool)
    out[of_pair[events.pair], day] = True
    so_far = np.cumsum(out, axis=1, dtype=np.int16)
    trips = so_far[:, -1].astype(np.int64)
    since = trips[of_pair[events.pair]] - so_far[of_pair[events.pair], day]
    age = span - 1.0 - np.argmax(out, axis=1)
    ago = np.arange(span - 1.0, -1, -1)
    trip_of, on = np.nonzero(out)
    decays = [np.bincount(trip_of, np.exp2(-ago / half)[on]) * (14 * np.log(2) / half) for half in HALF_LIVES]
    # Divided by the share of the kernel that lies within the history: a new household is not a rare one.
    within = 1 - np.exp2(-(age[:, None] + 1) / np.array(HALF_LIVES))
    return Households(
        of_pair=of_pair,
        trips=trips.astype(np.float64),
        silence=np.argmax(out[:, ::-1], axis=1).astype(np.float64),
        age=age,
        rates=np.column_stack(decays) / within,
        since=since.astype(np.float64),
    )


def trips_after(purchases: Purchases, customers: Ints, *, as_of: int) -> Ints:
    """(h, spans) days with a purchase of each of the ``customers`` (ascending) in each of the ``SPANS`` after
    ``as_of``."""
    p = purchases.take((purchases.day > as_of) & (purchases.day <= as_of + WINDOW) & (purchases.quantity > 0))
    if len(customers) == 0:
        return np.zeros((0, len(SPANS)), np.int64)
    row = np.minimum(np.searchsorted(customers, p.customer), len(customers) - 1)
    known = customers[row] == p.customer
    out = np.zeros((len(customers), WINDOW), bool)
    out[row[known], p.day[known] - as_of - 1] = True
    return np.cumsum(out, axis=1)[:, np.array(SPANS) - 1]


def signs(households: Households) -> Floats:
    """z: (h, 6), what foretells the trips of each household."""
    rates = np.log(households.rates + 0.1)
    silence = np.log1p(households.silence)
    # Silence measured in the household's own gaps tells a pause from a rhythm.
    overdue = np.log1p(households.silence * (households.rates[:, 2] + 0.2) / 14)
    return np.column_stack([rates, silence, overdue, np.log1p(households.age)])


@dataclass(frozen=True, slots=True)
class TripModel:
    """Plain data: ``centre`` and ``scale`` of z (6), and for each of the ``SPANS`` b0, b, g0, g1: (spans, 9)."""

    centre: Floats
    scale: Floats
    weights: Floats

    def steps(self, z: Floats, span: int) -> Floats:
        """(k, h) chance of as many trips in ``SPANS[span]`` as in the first k ``STEPS``; what is left is none."""
        chances, ends = self.chances(z, span).T, (*STEPS[1:], MOST_TRIPS[-1] + 1)
        # One after the other, so that the last bit does not hang on how many households stand beside each other.
        steps = [sum(chances[start:end]) for start, end in zip(STEPS, ends, strict=True) if start < len(chances)]
        return np.array(steps)

    def chances(self, z: Floats, span: int) -> Floats:
        """(h, k + 1) chance of 0, 1 ... k trips in ``SPANS[span]``, k being ``MOST_TRIPS[span]`` or more."""
        weights, most = self.weights[span], MOST_TRIPS[span]
        mean, size = _moments(weights, (z - self.centre) / self.scale, most)
        # The ratio of neighbouring terms spares the gamma function: P(k + 1) = P(k) (r + k) / (k + 1) m / (r + m).
        chances = np.empty((len(z), most + 1))
        chances[:, 0] = np.exp(size * np.log(size / (size + mean)))
        odds = mean / (size + mean)
        for k in range(most):
            chances[:, k + 1] = chances[:, k] * (size + k) / (k + 1) * odds
        chances[:, most] += np.maximum(1 - chances.sum(axis=1), 0.0)
        return chances


def fit_trips(z: Floats, trips: Ints, seen: NDArray[np.bool_]) -> TripModel:
    """The trip model from h households' signs and trips (h, spans) where they were ``seen`` to the end (h, spans).

    Drawn towards the mean number of trips for everybody as if by a unit normal prior on b and g1.
    """
    from scipy.optimize import minimize  # Half a second to import, and only a fit needs it.

    centre, scale = (z.mean(axis=0), z.std(axis=0) + 1e-6) if len(z) else (np.zeros(6), np.ones(6))
    weights = []
    for span in range(len(SPANS)):
        here = seen[:, span]
        inputs, count, most = (z[here] - centre) / scale, trips[here, span].astype(np.float64), MOST_TRIPS[span]

        def cost(w: Floats, inputs: Floats = inputs, count: Floats = count, most: int = most) -> float:
            mean, size = _moments(w, inputs, most)
            value = gammaln(count + size) - gammaln(size) + size * np.log(size / (size + mean))
            value = value + count * np.log(mean / (size + mean))
            return float((w[1:] @ w[1:]) / 2 - value.sum())

        start = np.zeros(z.shape[1] + 3)
        start[0] = np.log((count.sum() + SPANS[span] / 7) / (len(count) + 1))
        start[-2] = 1.0
        weights.append(minimize(cost, start, method="L-BFGS-B", options={"maxiter": 60}).x if len(count) else start)
    return TripModel(centre, scale, np.array(weights))


def _moments(weights: Floats, inputs: Floats, most: int) -> tuple[Floats, Floats]:
    log_mean = np.clip(weights[0] + (inputs * weights[1:-2]).sum(axis=1), -5.0, np.log(most))
    return np.exp(log_mean), np.exp(np.clip(weights[-2] + weights[-1] * log_mean, -3.0, 5.0))
