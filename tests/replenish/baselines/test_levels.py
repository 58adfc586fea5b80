import numpy as np
import pytest

from replenish.baselines.levels import ENOUGH, WEIGHT, common, means, rows

CATEGORY = np.repeat([1, 1, 2, -1], [ENOUGH, 5, ENOUGH - 1, 1])
NEED = np.repeat([7, 8, 9, -1], [ENOUGH, 5, ENOUGH - 1, 1])
PRODUCT = np.repeat([70, 80, 90, 10], [ENOUGH, 5, ENOUGH - 1, 1])
KINDS = np.array([CATEGORY, NEED, PRODUCT])
KNOWN = common(KINDS)


def test_what_was_seen_often_enough_has_a_row_of_its_own():
    np.testing.assert_array_equal(KNOWN, [[0, 1, 2, 3], [0, 1, 7, 70]])


def test_the_finest_level_known_speaks():
    asked = np.array([[1, 1, 1, 2, -1], [7, 7, 8, 9, 7], [70, 71, 80, 90, 99]])
    np.testing.assert_array_equal(rows(KNOWN, asked), [3, 2, 1, 0, 2])


def test_means_are_those_of_each_level():
    values = np.repeat([4.0, 11.0, 6.0, 0.0], [ENOUGH, 5, ENOUGH - 1, 1])
    shop, category, need, product = means(KNOWN, KINDS, values, typical=100.0)
    assert need == product == 4
    assert category == pytest.approx((4 * ENOUGH + 11 * 5) / (ENOUGH + 5))
    assert shop == pytest.approx((values.sum() + 100 * WEIGHT) / (len(values) + WEIGHT))


def test_without_observations_the_typical_holds():
    nothing = np.zeros((3, 0), np.int64)
    known = common(nothing)
    assert known.shape == (2, 1)
    assert means(known, nothing, np.zeros(0), typical=30.0) == [30.0]
