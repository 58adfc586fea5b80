import numpy as np
import pytest

from replenish import baselines
from tests.replenish.baselines.examples import SHOP, TODAY, bought, joined, weekly

MODEL = baselines.fit("median-interval", SHOP, as_of=TODAY)


def usual(*lines):
    return baselines.forecast(MODEL, joined(*lines), as_of=TODAY).interval_days


def test_median_of_an_odd_number_of_gaps_is_the_middle_one():
    assert usual(bought(99, 0, 5, 15, 100)) == 10


def test_median_of_an_even_number_of_gaps_lies_between_the_two_in_the_middle():
    assert usual(bought(99, 0, 4, 10, 20, 100)) == 8


def test_each_pair_has_a_median_of_its_own():
    lines = joined(bought(99, 0, 9), bought(98, 0, 12), bought(97, 5))
    found = baselines.forecast(MODEL, lines, as_of=TODAY)
    np.testing.assert_allclose(found.interval_days, [7, 12, 9])


def test_one_long_holiday_does_not_move_it():
    median = usual(weekly(99, 9), bought(99, 400))
    mean = baselines.forecast(
        baselines.fit("mean-interval", SHOP, as_of=TODAY), joined(weekly(99, 9), bought(99, 400)), as_of=TODAY
    ).interval_days
    assert median == 7
    assert mean == pytest.approx(400 / 9)


def test_due_date_chance_and_order_follow_from_the_median():
    found = baselines.forecast(MODEL, bought(99, 3, 8, 18, 103), as_of=TODAY)
    assert found.median_days[0] == 7
    assert found.p28[0] == pytest.approx(1 - np.exp(-2.8))
    assert found.score[0] == -7
