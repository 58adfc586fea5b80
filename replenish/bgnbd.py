"""BG/NBD: is the habit still alive, and how often does it come back?

P. S. Fader, B. G. S. Hardie, K. L. Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24(2). Here the "customer" of the paper is a pair (household, product).

Assumptions: while a habit lives, purchases come at random with a rate lambda; after each purchase it ends with
chance p; lambda ~ Gamma(r, alpha) and p ~ Beta(a, b) over the pairs of a category, independently.

With x repeat purchases, the last of them t_x days after the first, watched for T days:

    L(r, alpha, a, b) = B(a, b + x) / B(a, b) * Gamma(r + x) alpha^r / Gamma(r)
                        * [ (alpha + T)^-(r + x)  +  [x > 0] a / (b + x - 1) (alpha + t_x)^-(r + x) ]
    P(alive)          = 1 / (1 + [x > 0] a / (b + x - 1) ((alpha + T) / (alpha + t_x))^(r + x))
    P(next within t)  = P(alive) * (1 - ((alpha + T) / (alpha + T + t))^(r + x))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln

from replenish.types import Floats, Ints

START = np.log([0.6, 60.0, 0.6, 1.5])
"""log(r, alpha, a, b) where nothing is known: about what a supermarket shows."""

BOUNDS = [(-5.0, 6.0), (-3.0, 9.0), (-6.0, 6.0), (-6.0, 8.0)]


@dataclass(frozen=True, slots=True)
class Curve:
    """The chance of a purchase within t days for n pairs: ``alive * (1 - (scale / (scale + t)) ** shape)``."""

    alive: Floats
    shape: Floats
    scale: Floats

    def chance(self, days: float | Floats) -> Floats:
        """Chance of a purchase within ``days``, without condition."""
        return self.alive * self.awaited(days)

    def awaited(self, days: float | Floats) -> Floats:
        """Chance of a purchase within ``days`` given that the habit is alive."""
        return -np.expm1(-self.shape * np.log1p(days / self.scale))

    def quantile(self, level: float | Floats, window: float | Floats) -> Floats:
        """Days until the next purchase at ``level`` given that it comes within ``window`` days."""
        share = level * self.awaited(window)
        return self.scale * np.expm1(-np.log1p(-share) / self.shape)


@dataclass(frozen=True, slots=True)
class History:
    """x, t_x and T of n pairs."""

    repeats: Floats
    recency: Floats
    age: Floats

    def __len__(self) -> int:
        return len(self.repeats)

    def take(self, rows: Ints) -> Self:
        return type(self)(self.repeats[rows], self.recency[rows], self.age[rows])


def curve(logs: Floats, history: History) -> Curve:
    """What is to be expected of each pair; ``logs``: (4, n) or (4, 1) logarithms of r, alpha, a, b."""
    r, alpha, a, b = np.exp(logs)
    x = history.repeats
    log_odds = np.where(x > 0, np.log(a) - np.log(np.maximum(b + x - 1, 1e-9)), -np.inf)
    log_odds = log_odds + (r + x) * np.log((alpha + history.age) / (alpha + history.recency))
    return Curve(alive=expit(-log_odds), shape=r + x, scale=alpha + history.age)


def log_likelihood(logs: Floats, history: History) -> tuple[float, Floats]:
    """Sum of log L over the pairs and its gradient by log(r, alpha, a, b)."""
    r, alpha, a, b = np.exp(logs)
    # Gamma functions depend on x alone, a small whole number: worked out once for each.
    back = history.repeats.astype(np.int64)
    x = np.arange(back.max(initial=0) + 1.0)
    again = x > 0
    after = np.where(again, b + x - 1, 1.0)
    known = (
        gammaln(r + x) - gammaln(r) + r * logs[1] + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    )
    end = np.where(again, logs[2] - np.log(after), -np.inf)
    still, quit_ = alpha + history.age, alpha + history.recency
    log_still, log_quit = np.log(still), np.log(quit_)
    power = (r + x)[back]
    living, gone = -power * log_still, end[back] - power * log_quit
    alive = expit(living - gone)
    value = known[back] + np.logaddexp(living, gone)
    by_r = (digamma(r + x) - digamma(r) + logs[1])[back] - alive * log_still - (1 - alive) * log_quit
    by_alpha = r / alpha - power * (alive / still + (1 - alive) / quit_)
    by_a = (digamma(a + b) - digamma(a + b + x))[back] + (1 - alive) / a
    by_b = (digamma(a + b) + digamma(b + x) - digamma(b) - digamma(a + b + x))[back] - (1 - alive) / after[back]
    gradient = np.array([by_r.sum() * r, by_alpha.sum() * alpha, by_a.sum() * a, by_b.sum() * b])
    return float(value.sum()), gradient


def fit_parameters(history: History, *, centre: Floats = START, spread: float = 1.5) -> Floats:
    """log(r, alpha, a, b) that make ``history`` likeliest, drawn towards ``centre``.

    ``spread``: standard deviation, in logarithms, of the bell curve around ``centre`` that stands for what is
    known beforehand; with few pairs it decides, with many it fades. No pairs give back ``centre``.
    """
    if len(history) == 0:
        return centre.copy()

    def cost(logs: Floats) -> tuple[float, Floats]:
        value, gradient = log_likelihood(logs, history)
        away = (logs - centre) / spread
        return float(away @ away / 2 - value), away / spread - gradient

    found = minimize(cost, centre, jac=True, method="L-BFGS-B", bounds=BOUNDS)
    return np.asarray(found.x, np.float64)


def covariance(logs: Floats, history: History, *, spread: float = 1.5) -> Floats:
    """How surely ``history`` tells log(r, alpha, a, b): their (4, 4) covariance at the optimum ``logs``.

    The inverse of the observed information (B. Efron, D. V. Hinkley (1978), Assessing the Accuracy of the Maximum
    Likelihood Estimator, Biometrika 65(3)), to which what is known beforehand adds its own, as in ``fit_parameters``:

        covariance = (1 / spread^2 - d^2 log L / d logs^2)^-1

    a and b hang together, as do r and alpha: their ratios are told far better than they are themselves.
    """
    step = 1e-4
    ahead, behind = (
        np.array([log_likelihood(logs + sign * away, history)[1] for away in step * np.eye(4)]) for sign in (1, -1)
    )
    curvature = (ahead - behind) / (2 * step)
    information = np.eye(4) / spread**2 - (curvature + curvature.T) / 2
    return np.asarray(np.linalg.inv(information), np.float64)


def standard_errors(logs: Floats, history: History, *, spread: float = 1.5) -> Floats:
    """Of log(r, alpha, a, b), see ``covariance``: times 1.28 either way they hold the truth in 80 of 100 fits."""
    return np.asarray(np.sqrt(np.diag(covariance(logs, history, spread=spread))), np.float64)
