import numpy as np
import pytest

from replenish.simulate import HABITS, Products, simulate, simulate_bgnbd

START, DAYS = 20_000, 360


def products_of(count=30):
    rng = np.random.default_rng(0)
    return Products(need=np.arange(count) // 3, use_days=rng.uniform(10, 40, count), popularity=np.ones(count))


def only(habit, seed=1, members=60):
    shares = tuple(float(habit == other) for other in HABITS)
    return simulate(
        products_of(), np.random.default_rng(seed), members=members, start_day=START, days=DAYS, shares=shares
    )


def mean_gap(found, days):
    """Mean gap of member and need over the lines whose day is in ``days``."""
    rows = np.isin(found.day, days)
    pair, day = found.member[rows] * 100 + products_of().need[found.product[rows]], found.day[rows]
    order = np.lexsort((day, pair))
    gap, same = np.diff(day[order]), np.diff(pair[order]) == 0
    return gap[same & (gap > 0)].mean()


def test_the_same_seed_gives_the_same_purchases():
    first, second = only("regular"), only("regular")
    for name in ("member", "product", "day", "minute_of_day", "quantity", "habit"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_purchases_lie_in_the_time_asked_for():
    found = only("regular")
    assert found.day.min() >= START
    assert found.day.max() < START + DAYS
    assert ((found.minute_of_day >= 7 * 60) & (found.minute_of_day < 22 * 60)).all()


def test_lines_come_by_day_and_member_without_doubles():
    found = only("switching")
    line = (found.day.astype(np.int64) * 1000 + found.member) * 1000 + found.product
    assert (np.diff(line) > 0).all()


def test_a_trip_has_one_time_and_often_several_lines():
    found = only("regular")
    trip = found.day.astype(np.int64) * 1000 + found.member
    times = {}
    for key, minute in zip(trip.tolist(), found.minute_of_day.tolist(), strict=True):
        times.setdefault(key, []).append(minute)
    assert all(len(set(minutes)) == 1 for minutes in times.values())
    assert np.mean([len(minutes) > 1 for minutes in times.values()]) > 0.4


def test_fading_households_wait_longer_and_longer():
    found, half = only("fading"), START + DAYS // 2
    early, late = np.arange(START, half), np.arange(half, START + DAYS)
    assert mean_gap(found, late) > 1.3 * mean_gap(found, early)


def test_stocking_households_take_more_at_once_and_come_less_often():
    stocking, regular, always = only("stocking"), only("regular"), np.arange(START, START + DAYS)
    assert stocking.quantity.mean() > 1.5 > regular.quantity.mean()
    assert mean_gap(stocking, always) > 1.3 * mean_gap(regular, always)


def test_switching_households_buy_more_products_of_a_need():
    def products_a_need(found):
        need = products_of().need[found.product]
        pairs = {(m, p) for m, p in zip(found.member, found.product, strict=True)}
        return len(pairs) / len({(m, n) for m, n in zip(found.member, need, strict=True)})

    assert products_a_need(only("switching")) > products_a_need(only("regular")) + 0.2


def test_gone_households_stop():
    found = only("gone")
    last = np.array([found.day[found.member == member].max() for member in range(60)])
    assert (last < START + 0.9 * DAYS).all()


def test_new_households_begin_late():
    assert only("new").day.min() >= START + 0.75 * DAYS


def test_every_member_has_a_habit():
    found = simulate(products_of(), np.random.default_rng(0), members=300, start_day=START, days=30)
    assert set(found.habit) == set(HABITS)
    assert len(found.habit) == 300


def test_purchases_for_the_engine_carry_the_need():
    found = only("regular", members=3)
    lines = found.purchases(products_of())
    np.testing.assert_array_equal(lines.need, products_of().need[found.product])
    np.testing.assert_array_equal(lines.customer, found.member)


def test_no_members_or_no_days_buy_nothing():
    for members, days in ((0, 30), (5, 0)):
        rng = np.random.default_rng(0)
        found = simulate(products_of(), rng, members=members, start_day=START, days=days)
        assert len(found) == 0
        assert found.day.dtype == np.int32


@pytest.mark.parametrize(
    ("need", "use_days", "popularity"),
    [([], [], []), ([1], [0.0], [1.0]), ([1], [5.0], [0.0]), ([1, 2], [5.0], [1.0])],
)
def test_products_that_make_no_sense_are_refused(need, use_days, popularity):
    with pytest.raises(ValueError, match="must"):
        Products(np.array(need, np.int64), np.array(use_days), np.array(popularity))


def test_pairs_of_bgnbd_have_histories_that_hold_together():
    pairs = simulate_bgnbd(np.random.default_rng(4), r=1, alpha=20, a=0.5, b=2, pairs=500, days=200, ahead=50)
    history, waiting = pairs.history(), pairs.waiting()
    assert (history.recency <= history.age).all()
    assert ((history.recency > 0) == (history.repeats > 0)).all()
    assert (waiting[np.isfinite(waiting)] <= 50).all()


def test_pairs_of_bgnbd_buy_as_often_as_their_rate_says():
    """Without dropout the repeats of a pair are Poisson with mean E(lambda) T = r / alpha T."""
    pairs = simulate_bgnbd(np.random.default_rng(4), r=4, alpha=80, a=1e-6, b=1, pairs=4000, days=100)
    history = pairs.history()
    assert history.repeats.sum() / history.age.sum() == pytest.approx(4 / 80, rel=0.03)
