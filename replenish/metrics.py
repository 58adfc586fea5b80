"""How good is a forecast? Errors of dates, quality of chances, order of lists. Knows no model.

Columns are of one length n unless said otherwise. Where a number is not defined (no rows, one class only) the
answer is nan; columns of different lengths are a ValueError.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from replenish.ranking import ranks
from replenish.types import Floats, Ints

CLIP = 1e-6
"""Chances are kept this far from 0 and 1 in the log loss, so that one bold miss does not make it infinite."""


def mae(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error, in the unit of the input."""
    a, p = _columns(actual, predicted)
    return _mean(np.abs(a - p))


def median_error(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Median absolute error, in the unit of the input."""
    a, p = _columns(actual, predicted)
    return float(np.median(np.abs(a - p))) if len(a) else float("nan")


def within(actual: ArrayLike, predicted: ArrayLike, distance: float) -> float:
    """Share of values no further than ``distance`` from what was predicted."""
    a, p = _columns(actual, predicted)
    return _mean((np.abs(a - p) <= distance).astype(np.float64))


def bias(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean of predicted minus actual: above zero where predictions come late."""
    a, p = _columns(actual, predicted)
    return _mean(p - a)


def pinball(actual: ArrayLike, predicted: ArrayLike, level: float) -> float:
    """Mean quantile loss (Koenker and Bassett 1978): ``level`` a unit too low, ``1 - level`` a unit too high."""
    a, p = _columns(actual, predicted)
    return _mean(np.maximum(level * (a - p), (level - 1) * (a - p)))


def coverage(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Share of values inside their window, its ends included."""
    a, lo, hi = _columns(actual, lower, upper)
    return _mean(((a >= lo) & (a <= hi)).astype(np.float64))


def outside(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> tuple[float, float]:
    """Shares of values below and above their window."""
    a, lo, hi = _columns(actual, lower, upper)
    return _mean((a < lo).astype(np.float64)), _mean((a > hi).astype(np.float64))


def width(lower: ArrayLike, upper: ArrayLike) -> float:
    """Mean width of the windows."""
    lo, hi = _columns(lower, upper)
    return _mean(hi - lo)


def brier(happened: ArrayLike, chance: ArrayLike) -> float:
    """Mean squared distance of the chance from what happened, 0 or 1 (Brier 1950)."""
    y, p = _columns(happened, chance)
    return _mean((p - y) ** 2)


def brier_skill(happened: ArrayLike, chance: ArrayLike) -> float:
    """Share of the Brier score of "always the mean" that is saved; 0: no better than the mean, 1: perfect."""
    y, p = _columns(happened, chance)
    spread = float(y.var()) if len(y) else 0.0
    return 1 - brier(y, p) / spread if spread > 0 else float("nan")


def log_loss(happened: ArrayLike, chance: ArrayLike) -> float:
    """Mean negative log likelihood of what happened (0 or 1)."""
    y, p = _columns(happened, chance)
    p = np.clip(p, CLIP, 1 - CLIP)
    return _mean(-(y * np.log(p) + (1 - y) * np.log(1 - p)))


def roc_auc(happened: ArrayLike, score: ArrayLike) -> float:
    """Chance that something that happened scored above something that did not; ties count half."""
    y, s = _columns(happened, score)
    ones = int(y.sum())
    if ones in (0, len(y)):
        return float("nan")
    _, inverse, count = np.unique(s, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2.0)[inverse]
    return float((rank[y == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones)))


def pr_auc(happened: ArrayLike, score: ArrayLike) -> float:
    """Average precision over the recall reached at each distinct score."""
    y, s = _columns(happened, score)
    ones = y.sum()
    if ones == 0:
        return float("nan")
    best = np.argsort(-s, kind="stable")
    last_of_tie = np.append(np.diff(s[best]) != 0, True)
    hits = np.cumsum(y[best])[last_of_tie]
    shown = np.arange(1, len(y) + 1)[last_of_tie]
    return float(np.sum(np.diff(hits / ones, prepend=0.0) * hits / shown))


def ece(happened: ArrayLike, chance: ArrayLike, *, bins: int = 15) -> float:
    """Expected calibration error: mean gap between said and seen, over bins of about equally many rows."""
    y, p = _columns(happened, chance)
    if len(y) == 0:
        return float("nan")
    said, seen, count = reliability(y, p, np.unique(np.quantile(p, np.linspace(0, 1, bins + 1))))
    return float(np.nansum(np.abs(said - seen) * count) / len(y))


def reliability(happened: ArrayLike, chance: ArrayLike, edges: ArrayLike) -> tuple[Floats, Floats, Ints]:
    """Mean chance said, share seen and number of rows between each edge (ascending, itself included) and the next;
    said and seen are nan where there is no row. Rows beyond the edges count in the first and the last bin."""
    y, p = _columns(happened, chance)
    bins = max(np.size(edges) - 1, 1)
    bin_of = np.clip(np.searchsorted(np.asarray(edges), p, side="right") - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    rows = np.where(count > 0, count, np.nan)
    return np.bincount(bin_of, p, bins) / rows, np.bincount(bin_of, y, bins) / rows, count


def break_even_precision(happened: ArrayLike, chance: ArrayLike) -> float:
    """Precision when as many are picked, likeliest first, as happened (then it equals recall). Of equal chances
    those of earlier rows are picked."""
    y, p = _columns(happened, chance)
    return _mean(y[np.argsort(-p, kind="stable")[: int(y.sum())]])


def precision_from(least: float, happened: ArrayLike, chance: ArrayLike) -> tuple[float, int]:
    """Precision among those whose chance is at least ``least``, and how many they are."""
    y, p = _columns(happened, chance)
    picked = p >= least
    return _mean(y[picked]), int(picked.sum())


def precision_at_first(customer: ArrayLike, product: ArrayLike, score: ArrayLike, happened: ArrayLike) -> float:
    """Share of customers with whom the first item of the list happened; of equal scores the lower product is first."""
    who, what, s, y = (np.asarray(column) for column in (customer, product, score, happened))
    _same_length(who, what, s, y)
    place = ranks(who.astype(np.int64), what.astype(np.int64), s.astype(np.float64))
    return _mean(y[place == 1].astype(np.float64))


def recall_at(k: int, customer: ArrayLike, product: ArrayLike, score: ArrayLike, bought: ArrayLike) -> float:
    """Share of what a customer bought that stood among the first ``k``; mean over customers who bought."""
    hits, total, _ = _lists(k, customer, product, score, bought)
    return _mean(hits[total > 0] / total[total > 0])


def hit_at(k: int, customer: ArrayLike, product: ArrayLike, score: ArrayLike, bought: ArrayLike) -> float:
    """Share of customers who bought with at least one hit among the first ``k``."""
    hits, total, _ = _lists(k, customer, product, score, bought)
    return _mean((hits[total > 0] > 0).astype(np.float64))


def ndcg_at(k: int, customer: ArrayLike, product: ArrayLike, score: ArrayLike, bought: ArrayLike) -> float:
    """Gain of the first ``k`` places, discounted by log2(place + 1), over that of a perfect list (Jarvelin and
    Kekalainen 2002); mean over customers who bought."""
    _, total, gain = _lists(k, customer, product, score, bought)
    ideal = np.cumsum(1 / np.log2(np.arange(2, k + 2)))
    some = total > 0
    return _mean(gain[some] / ideal[np.minimum(total[some], k).astype(np.int64) - 1])


def recall_of_all_at(
    k: int, customer: ArrayLike, product: ArrayLike, score: ArrayLike, bought: ArrayLike, wanted: ArrayLike
) -> tuple[float, float]:
    """As ``recall_at``, but of everything that was ``wanted``, on the list or not (a number, the same in all rows of a
    customer); and the most that a list of these items could reach, were ``k`` no limit. Mean over customers who
    wanted something."""
    hits, total, _ = _lists(k, customer, product, score, bought)
    who, number = np.asarray(customer), np.asarray(wanted, np.float64)
    _same_length(who, number)
    number = number[np.unique(who, return_index=True)[1]]
    some = number > 0
    return _mean(hits[some] / number[some]), _mean(total[some] / number[some])


def _lists(
    k: int, customer: ArrayLike, product: ArrayLike, score: ArrayLike, bought: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """For each customer, ascending: hits among the first k, things bought, discounted gain of the hits."""
    if k < 1:
        raise ValueError("k must be at least 1")
    who, what, s, y = (np.asarray(column) for column in (customer, product, score, bought))
    _same_length(who, what, s, y)
    place = ranks(who.astype(np.int64), what.astype(np.int64), s.astype(np.float64))
    hit = y.astype(bool) & (place <= k)
    index: Ints = np.unique(who, return_inverse=True)[1]
    total: Floats = np.bincount(index, y.astype(np.float64)).astype(np.float64)
    hits: Floats = np.bincount(index, hit.astype(np.float64)).astype(np.float64)
    gain: Floats = np.bincount(index, np.where(hit, 1 / np.log2(place + 1.0), 0.0)).astype(np.float64)
    return hits, total, gain


def _columns(*columns: ArrayLike) -> tuple[Floats, ...]:
    found = tuple(np.asarray(column, np.float64) for column in columns)
    _same_length(*found)
    return found


def _same_length(*columns: NDArray[Any]) -> None:
    if len({column.shape for column in columns}) > 1:
        raise ValueError(f"columns differ in length: {[column.shape for column in columns]}")


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
