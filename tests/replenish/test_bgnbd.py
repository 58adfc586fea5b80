import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.optimize import check_grad
from scipy.special import beta, gamma

from replenish.bgnbd import START, Curve, History, curve, fit_parameters, log_likelihood
from replenish.simulate import simulate_bgnbd

TRUE = {"r": 0.8, "alpha": 40.0, "a": 0.7, "b": 2.5}
LOGS = np.log(list(TRUE.values()))


def history(*rows):
    repeats, recency, age = np.array(rows, float).T
    return History(repeats, recency, age)


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0, 30), (1, 12, 50), (3, 40, 90), (5, 60, 60)])
def test_likelihood_is_the_integral_over_rates_and_dropouts(x, t_x, age):
    r, alpha, a, b = TRUE.values()

    def joint(p, rate):
        living = (1 - p) ** x * rate**x * np.exp(-rate * age)
        gone = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * t_x) if x else 0.0
        rates = alpha**r * rate ** (r - 1) * np.exp(-alpha * rate) / gamma(r)
        return (living + gone) * rates * p ** (a - 1) * (1 - p) ** (b - 1) / beta(a, b)

    integral, _ = dblquad(joint, 0, 1.0, 0, 1, epsabs=1e-13, epsrel=1e-7)
    value, _ = log_likelihood(LOGS, history((x, t_x, age)))
    assert value == pytest.approx(np.log(integral), rel=1e-4)


def test_gradient_agrees_with_small_steps():
    pairs = history((0, 0, 30), (1, 12, 50), (3, 40, 90), (25, 170, 180))
    error = check_grad(lambda logs: log_likelihood(logs, pairs)[0], lambda logs: log_likelihood(logs, pairs)[1], LOGS)
    assert error < 1e-4


def test_chance_within_t_agrees_with_an_integral_over_the_rate():
    """The rate of a living pair is Gamma(r + x, alpha + T): Bayes, with the likelihood of staying alive."""
    r, alpha, _, _ = TRUE.values()
    x, age, t = 2, 60.0, 14.0
    shape, scale = r + x, alpha + age

    def missed(rate):
        return np.exp(-rate * t) * scale**shape * rate ** (shape - 1) * np.exp(-scale * rate) / gamma(shape)

    expected = 1 - quad(missed, 0, 2)[0]
    assert curve(LOGS[:, None], history((x, 45, age))).awaited(t)[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("days", [7.0, 28.0])
def test_chances_are_what_happens_to_simulated_pairs(days):
    pairs = simulate_bgnbd(np.random.default_rng(3), **TRUE, pairs=40_000, days=200, ahead=30)
    said = curve(LOGS[:, None], pairs.history()).chance(days)
    came = pairs.waiting() <= days
    for repeats in (0, 1, 2):
        group = pairs.history().repeats == repeats
        assert said[group].mean() == pytest.approx(came[group].mean(), abs=0.012)
    likely = said > np.quantile(said, 0.9)
    assert said[likely].mean() == pytest.approx(came[likely].mean(), abs=0.02)


def test_fit_recovers_the_parameters_pairs_were_made_with():
    pairs = simulate_bgnbd(np.random.default_rng(1), **TRUE, pairs=20_000, days=300)
    r, alpha, a, b = np.exp(fit_parameters(pairs.history()))
    assert r == pytest.approx(TRUE["r"], rel=0.08)
    assert alpha == pytest.approx(TRUE["alpha"], rel=0.1)
    assert a / (a + b) == pytest.approx(TRUE["a"] / (TRUE["a"] + TRUE["b"]), rel=0.08)


def test_fit_of_no_pairs_is_what_was_known_before():
    np.testing.assert_array_equal(fit_parameters(history((0, 0, 1)).take(np.array([], int))), START)


def test_a_narrow_spread_holds_a_small_category_to_the_shop():
    few = history((4, 20, 25), (6, 30, 31), (5, 28, 40))
    near, far = (fit_parameters(few, centre=START, spread=spread) for spread in (0.05, 5.0))
    assert np.abs(near - START).max() < 0.1 < np.abs(far - START).max()


def test_a_pair_bought_once_is_taken_to_be_alive():
    assert curve(START[:, None], history((0, 0, 300))).alive.tolist() == [1.0]


def test_a_long_silence_means_gone_rather_than_overdue():
    found = curve(START[:, None], history((5, 50, 50), (5, 50, 100), (5, 50, 300)))
    assert (np.diff(found.alive) < 0).all()
    assert (np.diff(found.chance(14.0)) < 0).all()


def test_frequent_buyers_come_back_sooner():
    found = curve(START[:, None], history((2, 100, 100), (5, 100, 100), (12, 100, 100)))
    assert (np.diff(found.awaited(14.0)) > 0).all()


positive = st.floats(0.05, 300)


@given(positive, positive, st.floats(0.01, 0.99), st.floats(1, 100))
def test_quantile_is_the_inverse_of_the_chance(shape, scale, level, window):
    one = Curve(np.ones(1), np.array([shape]), np.array([scale]))
    day = one.quantile(level, window)
    assert 0 < day[0] <= window * (1 + 1e-9)
    assert one.awaited(day)[0] == pytest.approx(level * one.awaited(window)[0], rel=1e-6)
