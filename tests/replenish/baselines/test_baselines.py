import numpy as np
import pytest

from replenish import baselines
from replenish.stored import pack, unpack
from tests.replenish.baselines.examples import NONE, SHOP, TODAY, bought, joined


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no baseline 'arima'"):
        baselines.fit("arima", SHOP, as_of=TODAY)


def test_a_stored_model_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="no baseline 'bgnbd-1'"):
        baselines.load(pack("bgnbd-1", {}))


@pytest.mark.parametrize("name", baselines.NAMES)
def test_a_stored_baseline_says_its_name_and_holds_numbers_only(name):
    version, arrays = unpack(baselines.dump(baselines.fit(name, SHOP, as_of=TODAY)))
    assert version == name
    assert all(array.dtype.kind in "if" for array in arrays.values())


@pytest.mark.parametrize("name", baselines.NAMES)
def test_a_shop_without_a_past_has_an_opinion_of_a_first_purchase(name):
    model = baselines.fit(name, NONE, as_of=TODAY)
    found = baselines.forecast(model, bought(1, 10), as_of=TODAY)
    assert 0.02 < found.p14[0] < 0.99
    assert found.interval_days[0] == pytest.approx(30)


@pytest.mark.parametrize("name", baselines.NAMES)
def test_lines_given_back_altogether_do_not_count(name):
    given_back = bought(7, 4, 3, product=2)
    given_back.quantity[1] = -1
    with_it, without = (baselines.fit(name, lines, as_of=TODAY) for lines in (joined(SHOP, given_back), SHOP))
    assert baselines.dump(with_it) == baselines.dump(without)


@pytest.mark.parametrize("name", ["poisson-gamma", "modified-poisson-gamma", "atd", "bgnbd-pair"])
def test_lists_are_ordered_by_the_chance_of_two_weeks(name):
    found = baselines.forecast(baselines.fit(name, SHOP, as_of=TODAY), SHOP, as_of=TODAY)
    np.testing.assert_array_equal(found.score, found.p14)
