import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln

from replenish.households import HALF_LIVES, MOST_TRIPS, REMEMBERED, SPANS, TripModel, fit_trips, households, signs
from replenish.households import trips_after as count_after
from replenish.intervals import unfold
from replenish.types import WINDOW, Purchases

AS_OF = 100


def lines_of(*rows, **columns):
    """Lines from (customer, product, day)."""
    customer, product, day = zip(*rows, strict=True)
    return Purchases.from_columns(customer=customer, product=product, day=day, **columns)


def seen(lines, as_of=AS_OF):
    pairs, _, events = unfold(lines, as_of=as_of)
    return pairs, events, households(pairs, events, as_of=as_of)


ANNE = [(1, 1, 40), (1, 2, 40), (1, 1, 70), (1, 3, 90), (1, 2, 90)]
BEN = [(2, 1, 99)]


def test_a_trip_is_a_day_on_which_anything_was_bought():
    _, _, found = seen(lines_of(*ANNE, *BEN))
    assert len(found) == 2
    assert found.trips.tolist() == [3, 1]
    assert found.silence.tolist() == [10, 1]
    assert found.age.tolist() == [60, 1]


def test_every_pair_knows_its_household():
    pairs, _, found = seen(lines_of(*BEN, *ANNE))
    assert list(zip(pairs.customer.tolist(), found.of_pair.tolist(), strict=True)) == [(1, 0)] * 3 + [(2, 1)]


def test_since_counts_the_trips_after_each_purchase_day():
    pairs, events, found = seen(lines_of(*ANNE, *BEN))
    told = zip(
        pairs.customer[events.pair].tolist(),
        pairs.product[events.pair].tolist(),
        events.day.tolist(),
        found.since.tolist(),
        strict=True,
    )
    assert list(told) == [(1, 1, 40, 2), (1, 1, 70, 1), (1, 2, 40, 2), (1, 2, 90, 0), (1, 3, 90, 0), (2, 1, 99, 0)]


def test_rates_are_faded_trips_over_the_part_of_the_memory_that_was_seen():
    _, _, found = seen(lines_of(*ANNE))
    for half, rate in zip(HALF_LIVES, found.rates[0], strict=True):
        faded = sum(2 ** (-ago / half) for ago in (60, 30, 10)) * 14 * np.log(2) / half
        assert rate == pytest.approx(faded / (1 - 2 ** (-61 / half)))


@pytest.mark.parametrize("age", [30, 100, 400])
def test_who_shops_weekly_is_expected_twice_a_fortnight_from_the_beginning(age):
    weekly = [(phase, 1, day) for phase in range(7) for day in range(AS_OF - age + phase, AS_OF + 1, 7)]
    assert seen(lines_of(*weekly))[2].rates.mean(axis=0) == pytest.approx([2] * len(HALF_LIVES), abs=0.25)


def test_a_return_is_no_trip():
    _, _, found = seen(lines_of((1, 1, 40), (1, 1, 50), (1, 1, 60), quantity=[2, 1, -1]))
    assert (found.trips[0], found.silence[0]) == (2, 50)


def test_no_purchases_are_no_households():
    pairs, _, found = seen(Purchases.empty())
    assert len(pairs) == len(found) == 0
    assert signs(found).shape == (0, 6)


def test_the_signs_of_a_household_do_not_depend_on_others():
    z = signs(seen(lines_of(*ANNE, *BEN, (3, 1, -800)))[2])
    np.testing.assert_array_equal(z[:1], signs(seen(lines_of(*ANNE))[2]))
    np.testing.assert_array_equal(z[1:2], signs(seen(lines_of(*BEN))[2]))


def test_a_wrong_date_far_in_the_past_takes_no_memory():
    rows = [(customer, 1, day) for customer in range(50) for day in (40, 90)]
    pairs, _, events = unfold(lines_of(*rows, (7, 1, -2_000_000)), as_of=AS_OF)
    tracemalloc.start()
    try:
        found = households(pairs, events, as_of=AS_OF)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * REMEMBERED * 40
    assert found.age[7] == REMEMBERED - 1
    others = np.arange(50) != 7
    np.testing.assert_array_equal(signs(found)[others], signs(seen(lines_of(*rows))[2])[others])


def test_what_is_older_than_remembered_counts_as_one_trip_that_long_ago():
    _, _, found = seen(lines_of((1, 1, -9_000), (1, 2, -8_000), (1, 1, 95)))
    _, _, near = seen(lines_of((1, 1, AS_OF - REMEMBERED + 1), (1, 2, AS_OF - REMEMBERED + 1), (1, 1, 95)))
    assert (found.trips[0], found.age[0]) == (2, REMEMBERED - 1)
    np.testing.assert_array_equal(signs(found), signs(near))
    np.testing.assert_array_equal(found.since, near.since)


def test_trips_to_come_are_days_with_a_purchase_within_each_span():
    later = [1, 1, 7, 8, 14, 20, 28, 29, WINDOW, WINDOW + 1]
    lines = lines_of(
        *[(4, product, AS_OF + day) for product, day in enumerate(later)], (4, 1, AS_OF), (9, 1, AS_OF + 3)
    )
    found = count_after(lines, np.array([1, 4, 9]), as_of=AS_OF)
    assert found.tolist() == [[0, 0, 0, 0], [2, 4, 6, 8], [1, 1, 1, 1]]


def test_trips_of_strangers_and_returns_are_not_counted():
    lines = lines_of(
        (3, 1, AS_OF + 1), (5, 1, AS_OF + 1), (-7, 1, AS_OF + 1), (4, 1, AS_OF + 1), quantity=[1, 1, 1, -1]
    )
    assert count_after(lines, np.array([4]), as_of=AS_OF).tolist() == [[0] * len(SPANS)]
    assert count_after(lines, np.array([], np.int64), as_of=AS_OF).shape == (0, len(SPANS))


def test_any_whole_number_names_a_customer():
    lines = lines_of((-5, 1, AS_OF + 1), (-1, 1, AS_OF + 1))
    assert count_after(lines, np.array([-5]), as_of=AS_OF)[:, -1].tolist() == [1]
    assert count_after(lines, np.array([-1]), as_of=AS_OF)[:, -1].tolist() == [1]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 170)), min_size=1, max_size=40))
def test_figures_agree_with_a_plain_count(rows):
    lines = lines_of(*rows)
    pairs, events, found = seen(lines)
    days = {c: {d for who, _, d in rows if who == c and d <= AS_OF} for c in {c for c, _, _ in rows}}
    customers = sorted(c for c in days if days[c])
    assert found.trips.tolist() == [len(days[c]) for c in customers]
    assert found.silence.tolist() == [AS_OF - max(days[c]) for c in customers]
    assert found.age.tolist() == [AS_OF - min(days[c]) for c in customers]
    after = [
        sum(d > day for d in days[c]) for c, day in zip(pairs.customer[events.pair].tolist(), events.day, strict=True)
    ]
    assert found.since.tolist() == after
    ahead = [
        [len({d for who, _, d in rows if who == c and AS_OF < d <= AS_OF + span}) for span in SPANS] for c in customers
    ]
    assert count_after(lines, np.array(customers, np.int64), as_of=AS_OF).tolist() == ahead


WEIGHTS = np.array([0.5, 0.3, -0.2, 0.15, 0.0, 0.1, -0.1, 0.4, 0.6])
"""b0, six b, g0, g1."""


def trip_model(weights=WEIGHTS):
    return TripModel(np.zeros(6), np.ones(6), np.tile(weights, (len(SPANS), 1)))


def mean_and_size(z, weights=WEIGHTS):
    log_mean = weights[0] + z @ weights[1:7]
    return np.exp(log_mean), np.exp(weights[7] + weights[8] * log_mean)


def closed_form(k, mean, size):
    """The negative binomial as the books have it."""
    logs = gammaln(k + size) - gammaln(size) - gammaln(k + 1.0)
    return np.exp(logs + size * np.log(size / (size + mean)) + k * np.log(mean / (size + mean)))


@pytest.mark.parametrize("span", range(len(SPANS)))
def test_chances_are_those_of_the_negative_binomial(span):
    z = np.random.default_rng(0).normal(size=(200, 6))
    found = trip_model().chances(z, span)
    mean, size = mean_and_size(z)
    expected = closed_form(np.arange(MOST_TRIPS[span]), mean[:, None], size[:, None])
    np.testing.assert_allclose(found[:, :-1], expected, rtol=1e-10)
    np.testing.assert_allclose(found[:, -1], 1 - expected.sum(axis=1), rtol=1e-6, atol=1e-12)


@given(st.floats(-50, 50), st.floats(-20, 20), st.floats(-10, 10), st.floats(-1e3, 1e3))
def test_whatever_the_weights_the_chances_are_a_distribution(level, size, slope, sign):
    weights = np.array([level, 1.0, 0, 0, 0, 0, 0, size, slope])
    for span in range(len(SPANS)):
        found = trip_model(weights).chances(np.array([[sign, 0, 0, 0, 0, 0]]), span)
        assert (found >= 0).all()
        assert found.sum() == pytest.approx(1, abs=1e-9)


def simulated(n, seed=1):
    """Signs of n households and their negative binomial trips, none of them cut off."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 6))
    mean, size = mean_and_size(z)
    trips = rng.poisson(rng.gamma(size[:, None], (mean / size)[:, None], (n, len(SPANS))))
    return z, trips


def test_simulated_trips_are_found_again():
    z, trips = simulated(6000)
    found = fit_trips(z, trips, np.ones(trips.shape, bool))
    for span in range(1, len(SPANS)):
        b0, *b, g0, g1 = found.weights[span]
        np.testing.assert_allclose(b / found.scale, WEIGHTS[1:7], atol=0.05)
        assert b0 - b / found.scale @ found.centre == pytest.approx(WEIGHTS[0], abs=0.05)
        assert (g0, g1) == pytest.approx(WEIGHTS[7:], abs=0.2)
        mean, _ = mean_and_size(z)
        foreseen = found.chances(z, span) @ np.arange(MOST_TRIPS[span] + 1)
        assert np.corrcoef(foreseen, mean)[0, 1] > 0.99
        assert foreseen.mean() == pytest.approx(trips[:, span].mean(), rel=0.02)


def test_trips_not_seen_to_the_end_teach_nothing():
    z, trips = simulated(300)
    known = np.random.default_rng(2).random(trips.shape) < 0.7
    fitted, other = (fit_trips(z, np.where(known, trips, garbage), known) for garbage in (0, 40))
    np.testing.assert_array_equal(fitted.weights, other.weights)


def test_where_nobody_was_seen_a_trip_a_week_is_taken_for_granted():
    model = fit_trips(np.zeros((0, 6)), np.zeros((0, len(SPANS)), np.int64), np.zeros((0, len(SPANS)), bool))
    for span, days in enumerate(SPANS):
        mean = model.chances(np.zeros((1, 6)), span) @ np.arange(MOST_TRIPS[span] + 1)
        assert mean[0] == pytest.approx(days / 7, rel=0.15)
