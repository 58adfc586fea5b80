from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import expit

from replenish import fit, forecast, network
from replenish.features import features
from replenish.households import SPANS
from replenish.model import LIGHT, View
from replenish.network import BLOCK, Examples, Network, sigmoid, train
from replenish.types import Purchases

S = 3
"""Horizons in these examples."""


def examples_of(n, seed=0, features=4, dtype=np.float32):
    """Anything at all: labels that hang on nothing, a tenth of them unknown."""
    rng = np.random.default_rng(seed)
    return Examples(
        inputs=rng.normal(size=(n, features)).astype(dtype),
        happened=rng.integers(0, 2, (n, S)).astype(dtype),
        counts=(rng.random((n, S)) < 0.9).astype(dtype),
        log_trips=np.log(rng.integers(1, 9, (n, S))).astype(dtype),
    )


def same(left, right):
    return all(
        np.array_equal(a, b)
        for ours, theirs in ((left.weights, right.weights), (left.biases, right.biases))
        for a, b in zip(ours, theirs, strict=True)
    )


def log_loss(examples, rows, weights, biases):
    """Mean over the examples, written out from the formulas and by way of the network that is kept."""
    net = Network(tuple(weight.T for weight in weights), tuple(bias[:, None] for bias in biases))
    answers = net(examples.inputs[rows].T).T
    log_odds = answers[:, :S] + answers[:, S:] * examples.log_trips[rows]
    happened = examples.happened[rows]
    loss = np.logaddexp(0, log_odds) - happened * log_odds
    return (loss * examples.counts[rows]).sum() / len(answers)


@pytest.mark.parametrize("hidden", [(), (5,), (4, 3), (3, 4, 2)], ids=str)
def test_gradients_are_those_of_the_log_loss(hidden):
    examples, rows = examples_of(40, dtype=np.float64), slice(5, 30)
    rng = np.random.default_rng(1)
    sizes = (4, *hidden, 2 * S)
    shapes = [*pairwise(sizes), *((size,) for size in sizes[1:])]
    cuts = np.cumsum([np.prod(shape) for shape in shapes])

    def parts(flat):
        found = [part.reshape(shape) for part, shape in zip(np.split(flat, cuts[:-1]), shapes, strict=True)]
        return found[: len(sizes) - 1], found[len(sizes) - 1 :]

    def gradient(flat):
        return np.concatenate([part.ravel() for part in network._gradients(examples, rows, *parts(flat))])

    at = rng.normal(0, 0.7, cuts[-1])
    assert np.linalg.norm(gradient(at)) > 0.05
    assert check_grad(lambda flat: log_loss(examples, rows, *parts(flat)), gradient, at) < 1e-6


def test_the_same_examples_and_seed_give_the_same_network():
    first, second = (train(examples_of(3000), (6, 4), seed=3, passes=2) for _ in range(2))
    assert same(first, second)


def test_another_seed_gives_another_network():
    assert not same(train(examples_of(500), (4,), seed=0, passes=1), train(examples_of(500), (4,), seed=1, passes=1))


def test_examples_are_left_as_they_were():
    examples = examples_of(500)
    train(examples, (4,), seed=0, passes=1)
    for name in ("inputs", "happened", "counts", "log_trips"):
        np.testing.assert_array_equal(getattr(examples, name), getattr(examples_of(500), name))


def test_what_is_not_known_teaches_nothing():
    examples = examples_of(500)
    unknown = examples.counts == 0
    other = replace(
        examples,
        happened=np.where(unknown, 1 - examples.happened, examples.happened),
        log_trips=np.where(unknown, 3, examples.log_trips).astype(np.float32),
    )
    assert unknown.any()
    assert same(train(examples, (4,), seed=0, passes=2), train(other, (4,), seed=0, passes=2))


@pytest.fixture(scope="module")
def truth():
    """20,000 examples of P(bought | n trips) = sigmoid(-1 + .8 x - .5 y + v log n), v by horizon."""
    rng = np.random.default_rng(2)
    n, slopes = 20_000, np.array([0.3, 0.8, 1.3])
    x = rng.normal(size=(n, 2))
    base = -1 + 0.8 * x[:, 0] - 0.5 * x[:, 1]
    log_trips = np.log(rng.integers(1, 11, (n, S)))
    happened = rng.random((n, S)) < expit(base[:, None] + slopes * log_trips)
    examples = Examples(
        *(column.astype(np.float32) for column in (x, happened, np.ones((n, S)), log_trips)),
    )
    return examples, base, slopes


@pytest.mark.parametrize("hidden", [(), (12,)], ids=str)
def test_a_known_relation_is_found(truth, hidden):
    examples, base, slopes = truth
    found = train(examples, hidden, seed=0, passes=12, rate=1e-2)(examples.inputs.T)
    middle = np.abs(examples.inputs).max(axis=1) < 1.5
    for horizon, slope in enumerate(slopes):
        assert np.abs(found[horizon] - base)[middle].mean() < 0.12
        assert found[S + horizon][middle].mean() == pytest.approx(slope, abs=0.1)


def test_nothing_to_learn_ends_at_the_usual_chance():
    rng = np.random.default_rng(3)
    n = 20_000
    happened = rng.random((n, S)) < 0.1
    examples = Examples(
        *(a.astype(np.float32) for a in (rng.normal(size=(n, 2)), happened, np.ones((n, S)), np.zeros((n, S))))
    )
    chances = sigmoid(train(examples, (6,), seed=0, passes=4)(examples.inputs.T)[:S])
    assert chances.mean(axis=1) == pytest.approx(happened.mean(axis=0), abs=0.01)
    assert chances.std() < 0.03


@pytest.mark.parametrize("n", [0, 1, 7])
def test_a_handful_of_examples_is_no_crash(n):
    found = train(examples_of(n), (4,), seed=0, passes=2)(examples_of(5).inputs.T)
    assert found.shape == (2 * S, 5)
    assert np.isfinite(found).all()


def test_sigmoid_is_the_logistic_function_without_overflow():
    x = np.array([-1e4, -30.0, -2.0, 0.0, 2.0, 30.0, 1e4])
    np.testing.assert_allclose(sigmoid(x), expit(x), atol=1e-15)


@pytest.mark.parametrize("hidden", [(16,), (64, 32)], ids=str)
def test_a_pair_has_the_same_bits_at_any_place_of_a_block(hidden):
    rng = np.random.default_rng(4)
    sizes = (30, *hidden, 8)
    layers = list(pairwise(sizes))
    net = Network(
        tuple(rng.normal(size=(after, size)).astype(np.float32) for size, after in layers),
        tuple(rng.normal(size=(after, 1)).astype(np.float32) for _, after in layers),
    )
    pair = rng.normal(size=(30, 1)).astype(np.float32)
    answers = net(np.ascontiguousarray(np.broadcast_to(pair, (30, BLOCK))))
    np.testing.assert_array_equal(answers, np.broadcast_to(answers[:, :1], answers.shape))
    crowd = rng.normal(size=(30, BLOCK)).astype(np.float32)
    for place in (0, 1, 7, 1001, BLOCK - 1):
        among = crowd.copy()
        among[:, place] = pair[:, 0]
        np.testing.assert_array_equal(net(among)[:, place], answers[:, 0])


def test_a_customers_forecast_has_the_same_bits_whatever_blocks_all_others_fill():
    rng = np.random.default_rng(5)
    n, as_of = 40_000, 20_200
    lines = Purchases.from_columns(
        customer=rng.integers(0, 300, n),
        product=rng.integers(0, 40, n),
        day=rng.integers(20_000, as_of + 1, n),
        need=rng.integers(0, 20, n),
    )
    young = fit(lines.take(lines.customer < 3), as_of=as_of, kind="light")
    view = View.at(young.habits, lines, as_of=as_of, survey=young.survey)
    table = features(view.evidence, LIGHT)[1]
    layers = [(len(LIGHT), 24), (24, 2 * len(SPANS))]
    nets = tuple(
        Network(
            tuple(rng.normal(0, 1 / np.sqrt(size), (after, size)).astype(np.float32) for size, after in layers),
            tuple(rng.normal(0, 0.3, (after, 1)).astype(np.float32) for _, after in layers),
        )
        for _ in range(2)
    )
    model = replace(
        young,
        names=LIGHT,
        networks=nets,
        least=table.min(axis=1, keepdims=True),
        most=table.max(axis=1, keepdims=True),
        centre=table.mean(axis=1, keepdims=True),
        scale=table.std(axis=1, keepdims=True) + np.float32(1e-3),
        trust=0.8,
    )
    whole = forecast(model, lines, as_of=as_of)
    assert len(whole) > 4 * BLOCK
    assert whole.p14.std() > 0.02
    for customer in (0, 57, 123, 299):
        alone = forecast(model, lines.take(lines.customer == customer), as_of=as_of)
        theirs = whole.take(whole.customer == customer)
        for (name, ours), (_, among) in zip(alone.columns(), theirs.columns(), strict=True):
            np.testing.assert_array_equal(ours, among, err_msg=name)
