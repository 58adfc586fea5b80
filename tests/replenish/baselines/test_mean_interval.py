import numpy as np
import pytest

from replenish import baselines
from replenish.baselines.mean_interval import Interval
from tests.replenish.baselines.examples import SHOP, TODAY, bought, joined, weekly

MODEL = baselines.fit("mean-interval", SHOP, as_of=TODAY)


def test_one_mean_gap_after_the_last_purchase_is_due():
    found = baselines.forecast(MODEL, bought(99, 3, 13, 33), as_of=TODAY)
    assert found.interval_days[0] == 15
    assert found.median_days[0] == 12
    assert found.upper_days[0] == 27
    assert found.p14[0] == pytest.approx(1 - np.exp(-14 / 15))


def test_what_is_overdue_is_expected_tomorrow():
    assert baselines.forecast(MODEL, bought(99, 60, 70), as_of=TODAY).median_days[0] == 1


def test_bought_once_has_the_gap_of_its_product():
    assert baselines.forecast(MODEL, bought(99, 2), as_of=TODAY).interval_days[0] == 7


def test_bought_once_and_unknown_has_the_gap_of_the_shop():
    found = baselines.forecast(MODEL, bought(99, 2, product=5, category=6), as_of=TODAY)
    assert found.interval_days[0] == pytest.approx(7, abs=0.5)


def test_what_is_due_today_comes_first():
    lines = joined(*(weekly(99, 5, since=since, product=since) for since in (1, 6, 8, 20)))
    found = baselines.forecast(MODEL, lines, as_of=TODAY)
    np.testing.assert_array_equal(found.product, [6, 8, 1, 20])
    np.testing.assert_array_equal(found.score, [-1, -1, -6, -13])


def test_window_never_runs_beyond_what_is_asked():
    far = Interval(usual=np.array([300.0]), elapsed=np.array([0.0]))
    assert far.quantile(0.9, 56) == 56
