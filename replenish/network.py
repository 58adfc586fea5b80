"""A small neural network on plain arrays: enough for tables, no library needed, and scored by matrix products alone.

Hidden layers with the activation x sigmoid(x) (S. Elfwing et al. 2018, "SiLU"); trained on the log loss by Adam with
decoupled weight decay (I. Loshchilov, F. Hutter, ICLR 2019) and a rate that falls along a cosine. Several networks that
differ by their random beginning are averaged: what one of them learnt by heart the others did not.

For each of s horizons the last layer has a base o and a slope v, and

    P(bought | n trips) = sigmoid(o + v log n)      for n >= 1; without a trip nothing is bought

so that luck with the number of trips, known in the past, is not taken for a habit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

BLOCK = 2048
"""Pairs worked on at a time, always so many: what comes out for a pair must not depend on its neighbours, not even in
the last bit, and a matrix product may add up in another order at its edges (see ``product``)."""

BATCH = 2048
STEPS = 200
"""Examples are taken so many at a time; fewer where a pass would make fewer steps than these."""

DECAY = 0.1
_TRIALS = 8  # in one alone, sums in another order might come out the same by chance
WARM_UP = 100
"""Steps until the full rate is reached."""


@dataclass(frozen=True, slots=True)
class Network:
    """``weights``: for each layer (outputs, inputs); ``biases``: (outputs, 1). Inputs are (features, n)."""

    weights: tuple[Matrix, ...]
    biases: tuple[Matrix, ...]

    def __call__(self, inputs: Matrix) -> Matrix:
        """(2 s, n) bases and slopes."""
        layers = zip(self.weights[:-1], self.biases[:-1], strict=True)
        for weight, bias in layers:
            inputs = product(weight, inputs) + bias
            inputs *= sigmoid(inputs)
        return product(self.weights[-1], inputs) + self.biases[-1]


@dataclass(frozen=True, slots=True)
class Examples:
    """n pairs at past days, well mixed. ``inputs``: (n, features), of any precision. ``happened``, ``counts``: (n, s)
    bought within each horizon, and whether that is known and there was a trip. ``log_trips``: (n, s)."""

    inputs: NDArray[Any]
    happened: Matrix
    counts: Matrix
    log_trips: Matrix

    def __len__(self) -> int:
        return len(self.inputs)


def product(weight: Matrix, inputs: Matrix) -> Matrix:
    """``weight @ inputs``, in which a column has the same bits wherever it stands; ``inputs`` is BLOCK wide."""
    return _even_way(*weight.shape)(weight, inputs)


def _in_doubles(weight: Matrix, inputs: Matrix) -> Matrix:
    return (weight.astype(np.float64) @ inputs.astype(np.float64)).astype(np.float32)


def _one_by_one(weight: Matrix, inputs: Matrix) -> Matrix:
    # No library of matrices is asked: each column is added up for itself, in the order of the features.
    return np.einsum("of,fn->on", weight, inputs)


@cache
def _even_way(outputs: int, features: int) -> Callable[[Matrix, Matrix], Matrix]:
    """The fastest way of multiplying that treats all places of a block alike on this machine.

    Whether the library does, depends on the processor: its kernels for AVX-512 do, those for AVX2 add up some columns
    in another order than their neighbours. So it is tried, with blocks whose columns are all the same.
    """
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(outputs, features)).astype(np.float32)
    columns = rng.normal(size=(_TRIALS, features, 1)).astype(np.float32)
    blocks = [np.ascontiguousarray(np.broadcast_to(column, (features, BLOCK))) for column in columns]
    for way in (np.matmul, _in_doubles):
        if all((answers == answers[:, :1]).all() for answers in (way(weight, block) for block in blocks)):
            return way
    return _one_by_one


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    # By way of tanh, which cannot overflow.
    result: NDArray[Any] = 0.5 + 0.5 * np.tanh(0.5 * x)
    return result


def train(examples: Examples, hidden: tuple[int, ...], *, seed: int, passes: int, rate: float = 2e-3) -> Network:
    """A network that has seen all ``examples`` ``passes`` times. The same examples and seed give the same network."""
    rng = np.random.default_rng(seed)
    horizons = examples.happened.shape[1]
    sizes = (examples.inputs.shape[1], *hidden, 2 * horizons)
    # Each layer as (inputs, outputs) while learning: rows of examples stay together in memory.
    weights = [rng.normal(0, 1 / np.sqrt(size), (size, after)).astype(np.float32) for size, after in pairwise(sizes)]
    biases = [np.zeros(size, np.float32) for size in sizes[1:]]
    weights[-1] *= np.float32(0.1)
    share = (examples.happened * examples.counts).sum(axis=0) + 1
    biases[-1][:horizons] = np.log(share / (examples.counts.sum(axis=0) - share + 2))
    biases[-1][horizons:] = 0.8
    parameters = [*weights, *biases]
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    batch = min(BATCH, max(1, len(examples) // STEPS))
    steps = passes * (len(examples) // batch)
    step = 0
    for _ in range(passes):
        for at in batch * rng.permutation(len(examples) // batch):
            step += 1
            gradients = _gradients(examples, slice(at, at + batch), weights, biases)
            pace = np.float32(rate * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1, step / WARM_UP))
            correct_first, correct_second = 1 - 0.9**step, 1 - 0.99**step
            for i, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
                first[i] += np.float32(0.1) * (gradient - first[i])
                second[i] += np.float32(0.01) * (gradient * gradient - second[i])
                move = (first[i] / correct_first) / (np.sqrt(second[i] / correct_second) + 1e-8)
                if i < len(weights):
                    move += np.float32(DECAY) * parameter
                parameter -= pace * move.astype(np.float32)
    return Network(tuple(np.ascontiguousarray(weight.T) for weight in weights), tuple(bias[:, None] for bias in biases))


def _gradients(examples: Examples, rows: slice, weights: list[Matrix], biases: list[Matrix]) -> list[Matrix]:
    """Of the mean log loss of some examples, by each weight and each bias."""
    values, gates, sums = [examples.inputs[rows].astype(np.float32)], [], []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        total = values[-1] @ weight + bias
        gate = sigmoid(total)
        sums.append(total)
        gates.append(gate)
        values.append(total * gate)
    last = values[-1] @ weights[-1] + biases[-1]
    horizons = last.shape[1] // 2
    log_trips = examples.log_trips[rows]
    chance = sigmoid(last[:, :horizons] + last[:, horizons:] * log_trips)
    miss = (chance - examples.happened[rows]) * examples.counts[rows] / np.float32(len(last))
    back = np.concatenate([miss, miss * log_trips], axis=1)
    by_weight: list[Matrix] = []
    by_bias: list[Matrix] = []
    for layer in range(len(weights) - 1, -1, -1):
        by_weight.insert(0, values[layer].T @ back)
        by_bias.insert(0, back.sum(axis=0))
        if layer:
            gate, total = gates[layer - 1], sums[layer - 1]
            back = (back @ weights[layer].T) * (gate + total * gate * (1 - gate))
    return [*by_weight, *by_bias]
