import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replenish.ranking import order, ranks


def test_order_is_by_customer_then_best_score():
    customer, product = np.array([2, 1, 2, 1]), np.array([1, 1, 2, 2])
    assert order(customer, product, np.array([0.1, 0.2, 0.9, 0.8])).tolist() == [3, 1, 2, 0]


def test_equal_scores_are_ordered_by_product():
    assert order(np.array([1, 1, 1]), np.array([9, 3, 5]), np.zeros(3)).tolist() == [1, 2, 0]


def test_ranks_count_from_one_for_each_customer():
    customer, product = np.array([2, 1, 2, 1]), np.array([1, 1, 2, 2])
    assert ranks(customer, product, np.array([0.1, 0.2, 0.9, 0.8])).tolist() == [2, 2, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), max_size=30))
def test_every_customer_has_each_place_once(rows):
    customer = np.array([c for c, _ in rows], np.int64)
    place = ranks(customer, np.arange(len(rows)), np.array([s for _, s in rows]))
    for who in set(customer.tolist()):
        assert sorted(place[customer == who]) == list(range(1, (customer == who).sum() + 1))
