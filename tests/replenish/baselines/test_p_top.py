import numpy as np
import pytest

from replenish import baselines
from replenish.baselines.p_top import Rate
from tests.replenish.baselines.examples import NONE, TODAY, bought, joined

MODEL = baselines.fit("p-top", NONE, as_of=TODAY)


def test_the_list_is_ordered_by_frequency_then_by_the_last_purchase():
    lines = joined(
        bought(1, 90, 100, 110, product=1),
        bought(1, 2, 5, product=2),
        bought(1, 1, 50, product=3),
        bought(1, 0, product=4),
    )
    np.testing.assert_array_equal(baselines.forecast(MODEL, lines, as_of=TODAY).product, [1, 3, 2, 4])


def test_chance_is_that_of_purchases_at_random():
    found = baselines.forecast(MODEL, bought(1, 5, 20, 40), as_of=TODAY)
    assert found.p14[0] == pytest.approx(1 - np.exp(-14 * 3 / 40))


def test_date_at_a_level_is_the_one_reached_with_that_chance_within_the_window():
    rate = Rate(per_day=np.array([0.02, 0.3]), share=np.array([0.4, 1.0]))
    for level in (0.1, 0.5, 0.9):
        days = rate.quantile(level, 56)
        np.testing.assert_allclose(-np.expm1(-days * rate.per_day) * rate.share, level * rate.chance(56))
