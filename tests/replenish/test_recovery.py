"""Households and pairs with known habits: what is fitted to them finds those habits again, and knows how surely."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from replenish import KINDS, fit, forecast
from replenish.bgnbd import covariance, fit_parameters, log_likelihood, standard_errors
from replenish.intervals import next_days, summarise
from replenish.metrics import coverage
from replenish.simulate import Products, simulate, simulate_bgnbd
from replenish.types import WINDOW, Forecasts, Purchases

LOWEST, HIGHEST = np.log([0.4, 15.0, 0.4, 1.0]), np.log([2.0, 80.0, 1.5, 4.0])
"""Of log(r, alpha, a, b): from a purchase every week to one every half year, from a tenth to half who end each time."""

EIGHTY = 1.2816
"""So many standard deviations either way hold 80 % of a bell curve."""


def pairs_of(logs, seed, pairs=3000):
    r, alpha, a, b = np.exp(logs)
    rng = np.random.default_rng(seed)
    return simulate_bgnbd(rng, r=r, alpha=alpha, a=a, b=b, pairs=pairs, days=360).history()


def truth_at(place):
    """The logarithms at a ``place`` in the range, each coordinate from 0 to 1."""
    return LOWEST + (HIGHEST - LOWEST) * np.asarray(place)


places = st.tuples(*[st.floats(0, 1)] * 4)


@settings(max_examples=12, deadline=None)
@given(places, st.integers(0, 10_000))
def test_the_truth_lies_within_the_fits_own_bounds(place, seed):
    """All four together, at the distance that one right fit in 16,000 exceeds (four standard deviations of one)."""
    truth = truth_at(place)
    history = pairs_of(truth, seed)
    found = fit_parameters(history)
    away = found - truth
    assert away @ np.linalg.solve(covariance(found, history), away) < chi2.isf(6.3e-5, df=4)


def test_eighty_percent_intervals_hold_the_truth_in_eighty_of_a_hundred_fits():
    rng = np.random.default_rng(0)
    inside, near = [], []
    for seed in range(28):
        truth = truth_at(rng.random(4))
        history = pairs_of(truth, seed, pairs=1200)
        found = fit_parameters(history)
        away, spread = found - truth, covariance(found, history)
        inside.append(np.abs(away) < EIGHTY * np.sqrt(np.diag(spread)))
        near.append(away @ np.linalg.solve(spread, away) < chi2.isf(0.2, df=4))
    assert np.mean(inside) == pytest.approx(0.8, abs=0.08)
    assert np.mean(near) == pytest.approx(0.8, abs=0.12)


@settings(max_examples=5, deadline=None)
@given(places)
def test_four_times_the_pairs_halve_the_errors(place):
    logs = truth_at(place)
    few, many = (standard_errors(logs, pairs_of(logs, 1, pairs), spread=1e6) for pairs in (2000, 8000))
    np.testing.assert_allclose(many / few, 0.5, rtol=0.15)


def test_the_covariance_is_the_inverse_of_the_likelihoods_curvature():
    logs = truth_at([0.5] * 4)
    history = pairs_of(logs, 2)
    step = np.array([0.01, -0.02, 0.015, 0.01])
    middle, ahead, behind = (log_likelihood(logs + sign * step, history)[0] for sign in (0, 1, -1))
    information = np.linalg.inv(covariance(logs, history, spread=1e6))
    assert step @ information @ step == pytest.approx(2 * middle - ahead - behind, rel=0.01)


def test_without_pairs_only_what_was_known_beforehand_is_known():
    nothing = pairs_of(truth_at([0.5] * 4), 0, pairs=1).take(np.zeros(0, int))
    np.testing.assert_allclose(standard_errors(truth_at([0.5] * 4), nothing, spread=0.7), 0.7)


START, DAYS = 20_000, 330
AS_OF = START + DAYS - WINDOW


@dataclass(frozen=True)
class Shop:
    """Households of all habits, what they bought, and what was forecast for them at ``AS_OF``."""

    products: Products
    habit: np.ndarray
    lines: Purchases
    model: object
    found: Forecasts

    def of(self, habit):
        """Lines and forecasts of the households of one habit."""
        members = np.flatnonzero(self.habit == habit)
        return self.lines.take(np.isin(self.lines.customer, members)), self.found.take(
            np.isin(self.found.customer, members)
        )


@pytest.fixture(scope="module", params=KINDS)
def shop(request):
    rng = np.random.default_rng(5)
    use_days = np.repeat([10.0, 14.0, 20.0, 28.0, 40.0], 4)
    products = Products(need=np.arange(20), use_days=use_days, popularity=np.ones(20))
    bought = simulate(products, rng, members=220, start_day=START, days=DAYS)
    lines = bought.purchases(products)
    lines = replace(lines, category=lines.need // 4)
    model = fit(lines, as_of=AS_OF, kind=request.param)
    return Shop(products, bought.habit, lines, model, forecast(model, lines, as_of=AS_OF))


def waits(lines, found):
    """Days until each pair was really bought next; inf where it was not within the window."""
    pairs, _ = summarise(lines, as_of=AS_OF)
    wait = next_days(lines, pairs, as_of=AS_OF, until=AS_OF + WINDOW)
    place = np.lexsort((found.product, found.customer))
    np.testing.assert_array_equal(found.product[place], pairs.product)
    back = np.empty(len(found))
    back[place] = wait
    return back


def test_the_interval_is_how_long_a_pack_lasts(shop):
    """In the median household, and a bit longer: what runs out waits for the next trip, about a week apart."""
    _, found = shop.of("regular")
    found = found.take(found.purchases >= 5)
    for use_days in np.unique(shop.products.use_days):
        same = shop.products.use_days[found.product] == use_days
        assert 0.9 * use_days < np.median(found.interval_days[same]) < 1.1 * use_days + 3


@pytest.mark.parametrize(("habit", "give"), [("regular", 0.08), ("stocking", 0.12)])
def test_four_of_five_habits_come_back_within_their_own_window(shop, habit, give):
    lines, found = shop.of(habit)
    wait = waits(lines, found)
    back = (found.purchases >= 2) & np.isfinite(wait)
    assert back.sum() > 100
    assert coverage(wait[back], found.lower_days[back], found.upper_days[back]) == pytest.approx(0.8, abs=give)


def test_who_runs_out_later_is_expected_later(shop):
    """Of two packs bought on the same days, the one that lasts four times as long is dated further away."""
    lines, found = shop.of("regular")
    wait = waits(lines, found)
    back = (found.purchases >= 4) & np.isfinite(wait)
    quick, slow = (back & (shop.products.use_days[found.product] == days) for days in (10.0, 40.0))
    assert np.median(found.median_days[slow]) > 1.5 * np.median(found.median_days[quick])


def test_the_chances_of_who_is_gone_fall_and_fall(shop):
    lines, found = shop.of("gone")
    often = found.purchases >= 4
    pairs = set(zip(found.customer[often].tolist(), found.product[often].tolist(), strict=True))
    chances = []
    for later in (0, 30, 60, 120):
        then = forecast(shop.model, lines.take(lines.day <= AS_OF), as_of=AS_OF + later)
        same = [pair in pairs for pair in zip(then.customer.tolist(), then.product.tolist(), strict=True)]
        chances.append(then.p28[same].mean())
    assert (np.diff(chances) < 0).all()
    _, regular = shop.of("regular")
    assert chances[0] < 0.5 * regular.p28[regular.purchases >= 4].mean()


def test_two_packs_instead_of_one_move_the_date_back(shop):
    """The same households, had they taken twice as much the last time; of those who have not run out by now."""
    lines, found = shop.of("stocking")
    last = {
        (customer, product): day
        for customer, product, day in zip(found.customer, found.product, found.last_day, strict=True)
    }
    latest = np.array(
        [
            last.get((customer, product)) == day
            for customer, product, day in zip(lines.customer, lines.product, lines.day, strict=True)
        ]
    )
    more = replace(lines, quantity=np.where(latest, 2 * lines.quantity, lines.quantity))
    then = forecast(shop.model, more, as_of=AS_OF)
    order, other = (np.lexsort((one.product, one.customer)) for one in (found, then))
    found, then = found.take(order), then.take(other)
    fresh = (found.purchases >= 3) & (AS_OF - found.last_day < found.interval_days)
    assert fresh.sum() > 60
    assert (then.median_days[fresh] - found.median_days[fresh]).mean() > 1.0
    assert (then.p7[fresh] < found.p7[fresh]).mean() > 0.7
