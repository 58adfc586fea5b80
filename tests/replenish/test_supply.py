import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replenish.intervals import summarise
from replenish.supply import EDGES, USUAL_PACE, Clock, Supply, stages, supply
from replenish.types import Purchases

TYPICAL = 30.0


def supply_of(*rows, as_of, **columns):
    """The supply of one household from (product, day, quantity), all of need 1."""
    product, day, quantity = zip(*rows, strict=True)
    n = len(rows)
    lines = Purchases.from_columns(
        customer=[1] * n, product=product, day=day, quantity=quantity, need=[1] * n, **columns
    )
    _, houses = summarise(lines, as_of=as_of)
    assert len(houses) == 1
    return supply(houses, np.array([TYPICAL]))


MONTHLY = [(1, day, 1) for day in range(0, 151, 30)]


def test_a_monthly_pack_lasts_a_month():
    assert supply_of(*MONTHLY, as_of=150).lasts[0] == pytest.approx(30)


@pytest.mark.parametrize(("days", "left"), [(0, 1.0), (15, 0.5), (30, 0.0), (300, 0.0)])
def test_supply_runs_down_day_by_day(days, left):
    assert supply_of(*MONTHLY, as_of=150 + days).left[0] == pytest.approx(left)


def test_two_packs_last_twice_as_long():
    one = supply_of(*MONTHLY, (1, 180, 1), as_of=200)
    two = supply_of(*MONTHLY, (1, 180, 2), as_of=200)
    assert two.lasts[0] == pytest.approx(2 * one.lasts[0], rel=0.1)
    assert two.left[0] > one.left[0]


def test_a_larger_pack_lasts_longer():
    rows = [*MONTHLY, (2, 180, 1)]
    small = supply_of(*rows, as_of=200, size=[100.0] * 7)
    large = supply_of(*rows, as_of=200, size=[100.0] * 6 + [200.0])
    assert large.lasts[0] == pytest.approx(2 * small.lasts[0], rel=0.1)


def test_another_product_of_the_need_fills_the_shelf():
    before = supply_of(*MONTHLY, as_of=178)
    after = supply_of(*MONTHLY, (2, 177, 1), as_of=178)
    assert before.left[0] < 0.1
    assert after.left[0] > 0.9


def test_what_was_left_adds_to_what_came():
    early = supply_of(*MONTHLY, (1, 155, 1), as_of=155)
    assert early.lasts[0] > 45


def test_a_return_leaves_less_in_the_house():
    kept = supply_of((1, 0, 2), (1, 60, 2), as_of=70)
    returned = supply_of((1, 0, 2), (1, 60, 2), (1, 62, -1), as_of=70)
    assert returned.lasts[0] < kept.lasts[0]


def test_a_purchase_wholly_given_back_leaves_nothing():
    assert supply_of((1, 0, 2), (1, 60, 1), (1, 61, -1), as_of=62).left[0] == 0.0


def test_bought_once_lasts_as_long_as_is_typical():
    assert supply_of((1, 0, 3), as_of=0).lasts[0] == pytest.approx(TYPICAL)


def clock_of(pace, elapsed, lasts):
    state = Supply(np.array([lasts]), np.array([elapsed]), np.zeros(1))
    return Clock.at(np.asarray(pace)[None, :], state, np.array([0]))


def test_an_even_pace_is_the_calendar():
    assert clock_of(np.ones(len(EDGES)), 11.0, 20.0).model_days(14.0)[0] == pytest.approx(14)


def test_time_is_slow_on_a_full_shelf_and_fast_on_an_empty_one():
    full, empty = (clock_of(USUAL_PACE, elapsed, 60.0) for elapsed in (0.0, 60.0))
    assert full.model_days(14.0)[0] < 14 < empty.model_days(14.0)[0]


def test_the_clock_adds_up_the_stages_it_passes():
    pace = np.arange(1.0, len(EDGES) + 1)
    # From place 0.2 to 0.6 of a supply of 100 days: 5 days in the second stage, 25 in the third, 10 in the fourth.
    assert clock_of(pace, 20.0, 100.0).model_days(40.0)[0] == pytest.approx(5 * 2 + 25 * 3 + 10 * 4)


@given(
    st.lists(st.floats(0.01, 20), min_size=len(EDGES), max_size=len(EDGES)),
    st.floats(0, 400),
    st.floats(1, 200),
    st.floats(0.1, 100),
)
def test_there_and_back_is_the_same_day(pace, elapsed, lasts, days):
    clock = clock_of(pace, elapsed, lasts)
    assert clock.calendar_days(clock.model_days(days))[0] == pytest.approx(days, rel=1e-6, abs=1e-6)


def test_a_stage_begins_at_its_edge():
    assert stages(np.array([0.0, 0.1, 0.99, 1.0, 4.9, 500.0])).tolist() == [0, 1, 4, 5, 9, 10]
