import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replenish.baselines.habits import Habits
from replenish.intervals import summarise
from replenish.types import Purchases
from tests.replenish.baselines.examples import NONE, TODAY, bought, joined


def test_gaps_belong_to_their_pair_in_time():
    lines = joined(bought(1, 10, 30, 35), bought(2, 1), bought(1, 8, 5, product=2))
    habits = Habits.until(lines, as_of=TODAY)
    np.testing.assert_array_equal(habits.pairs.customer, [1, 1, 2])
    np.testing.assert_array_equal(habits.gaps, [5, 20, 3])
    np.testing.assert_array_equal(habits.of, [0, 0, 1])
    np.testing.assert_array_equal(habits.count, [3, 2, 1])
    np.testing.assert_array_equal(habits.elapsed, [10, 5, 1])


def test_two_lines_of_one_day_are_one_purchase():
    assert len(Habits.until(bought(1, 10, 10, 30), as_of=TODAY).gaps) == 1


def test_kinds_are_category_need_and_product_of_each_pair():
    lines = joined(bought(1, 10, product=5, category=3, need=8), bought(1, 4, product=6, category=-1))
    np.testing.assert_array_equal(Habits.until(lines, as_of=TODAY).kinds, [[3, -1], [8, -1], [5, 6]])


def test_days_before_1970_are_days_too():
    lines = Purchases.from_columns(customer=[1, 1, 1], product=[1, 1, 1], day=[-20, -3, 4])
    np.testing.assert_array_equal(Habits.until(lines, as_of=10).gaps, [17, 7])


def test_no_purchases_are_no_habits():
    habits = Habits.until(NONE, as_of=TODAY)
    assert habits.kinds.shape == (3, 0)
    assert len(habits.gaps) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 60), st.sampled_from([-1.0, 0.0, 1.0, 2.0])),
        max_size=40,
    )
)
def test_gaps_add_up_to_what_pairs_say(rows):
    customer, product, day, quantity = (np.array(column) for column in zip(*rows, strict=True)) if rows else [[]] * 4
    lines = Purchases.from_columns(customer=customer, product=product, day=day, quantity=quantity)
    habits, (pairs, _) = Habits.until(lines, as_of=50), summarise(lines, as_of=50)
    np.testing.assert_array_equal(np.bincount(habits.of, minlength=len(pairs)), pairs.repeats)
    np.testing.assert_array_equal(np.bincount(habits.of, habits.gaps, len(pairs)), pairs.recency)
