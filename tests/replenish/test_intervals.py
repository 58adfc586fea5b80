import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from replenish.intervals import columns, gaps, mean_gaps, members, next_days, summarise
from replenish.types import Purchases


def lines_of(*rows, **columns):
    """Lines from (customer, product, day, quantity)."""
    customer, product, day, quantity = zip(*rows, strict=True)
    return Purchases.from_columns(customer=customer, product=product, day=day, quantity=quantity, **columns)


def test_repeats_recency_and_age_count_days_of_a_pair():
    pairs, _ = summarise(lines_of((1, 1, 10, 1), (1, 1, 17, 1), (1, 1, 40, 1)), as_of=50)
    assert (pairs.repeats[0], pairs.recency[0], pairs.age[0], pairs.last_day[0]) == (2, 30, 40, 40)


def test_two_baskets_on_one_day_are_one_purchase():
    pairs, _ = summarise(lines_of((1, 1, 10, 1), (1, 1, 10, 2), (1, 1, 12, 3)), as_of=12)
    assert pairs.repeats[0] == 1
    assert pairs.packs[0] == 3


def test_packs_are_the_middle_quantity_of_a_day():
    pairs, _ = summarise(lines_of((1, 1, 1, 1), (1, 1, 2, 2), (1, 1, 3, 9)), as_of=5)
    assert pairs.packs[0] == 2


def test_a_return_is_no_purchase():
    pairs, houses = summarise(lines_of((1, 1, 10, 3), (1, 1, 15, -1), (1, 1, 20, 0)), as_of=30)
    assert (pairs.repeats[0], pairs.last_day[0]) == (0, 10)
    assert houses.recent[0, 0] == 2


def test_a_pair_given_back_altogether_is_left_out():
    pairs, houses = summarise(lines_of((1, 1, 10, 1), (1, 1, 11, -1), (1, 2, 10, 1)), as_of=30)
    assert pairs.product.tolist() == [2]
    assert len(houses) == 1


def test_a_return_on_the_day_of_purchase_lowers_that_purchase():
    _, houses = summarise(lines_of((1, 1, 10, 5), (1, 1, 20, -1), (1, 1, 20, 4)), as_of=30)
    assert houses.recent[0, :2].tolist() == [3, 5]


def test_a_return_of_what_was_bought_before_the_history_counts_against_nothing():
    first = (1, 1, 10, 2)
    _, houses = summarise(lines_of(first, (2, 1, 5, -1), (2, 1, 10, 4)), as_of=30)
    assert houses.recent[:, 0].tolist() == [2, 4]


def test_products_of_one_need_share_a_house():
    lines = lines_of((1, 1, 10, 1), (1, 2, 25, 2), (1, 3, 30, 1), need=[7, 7, 8])
    pairs, houses = summarise(lines, as_of=30)
    assert pairs.house[0] == pairs.house[1] != pairs.house[2]
    shared = pairs.house[0]
    assert (houses.occasions[shared], houses.span[shared], houses.elapsed[shared]) == (2, 15, 5)
    assert houses.recent[shared, :2].tolist() == [2, 1]


def test_a_product_without_a_need_is_its_own():
    pairs, houses = summarise(lines_of((1, 1, 10, 1), (1, 2, 10, 1)), as_of=10)
    assert len(houses) == 2
    assert len(set(pairs.house)) == 2


def test_contents_are_counted_where_every_size_is_known():
    rows = [(1, 1, 10, 2), (1, 2, 20, 1)]
    _, known = summarise(lines_of(*rows, need=[5, 5], size=[40.0, 100.0]), as_of=20)
    _, partly = summarise(lines_of(*rows, need=[5, 5], size=[40.0, np.nan]), as_of=20)
    assert known.recent[0, :2].tolist() == [100, 80]
    assert partly.recent[0, :2].tolist() == [1, 2]


def test_needs_of_two_households_stay_apart():
    _, houses = summarise(lines_of((1, 1, 10, 1), (2, 1, 12, 1), need=[5, 5]), as_of=20)
    assert houses.elapsed.tolist() == [10, 8]


def test_lines_after_the_day_do_not_exist():
    pairs, _ = summarise(lines_of((1, 1, 10, 1), (1, 1, 21, 1), (1, 2, 21, 1)), as_of=20)
    assert (pairs.product.tolist(), pairs.repeats.tolist()) == ([1], [0])


def test_nothing_gives_nothing():
    pairs, houses = summarise(Purchases.empty(), as_of=0)
    assert len(pairs) == len(houses) == 0


def test_gaps_are_between_days_of_a_pair():
    lines = lines_of((1, 1, 5, 1), (1, 1, 1, 1), (1, 1, 5, 1), (1, 2, 9, 1), (1, 1, 12, 1), category=[3] * 5)
    category, length = gaps(lines, as_of=20)
    assert length.tolist() == [4, 7]
    assert category.tolist() == [3, 3]


def test_next_days_are_the_first_purchase_within_the_time_asked_for():
    lines = lines_of((1, 1, 1, 1), (1, 1, 15, 1), (1, 1, 12, 1), (1, 2, 1, 1), (1, 2, 40, 1), (9, 1, 11, 1))
    pairs, _ = summarise(lines, as_of=10)
    assert next_days(lines, pairs, as_of=10, until=30).tolist() == [2, np.inf]


def test_a_category_has_its_column_and_a_stranger_the_shops():
    assert columns(np.array([3, 8]), np.array([8, 3, 5, -1])).tolist() == [2, 1, 0, 0]
    assert columns(np.array([], np.int64), np.array([8])).tolist() == [0]


def test_members_are_the_rows_of_each_label():
    assert [rows.tolist() for rows in members(np.array([2, 0, 2, 1]), np.array([0, 2, 3]))] == [
        [1],
        [0, 2],
        [],
    ]


def test_mean_gaps_are_drawn_towards_what_is_typical():
    pairs, _ = summarise(lines_of((1, 1, 0, 1), (1, 1, 20, 1), category=[4, 4]), as_of=20)
    shop, category = mean_gaps(pairs, np.array([4]), typical=30, weight=10)
    assert shop == (20 + 300) / 11
    assert category == (20 + 10 * shop) / 11


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 60), st.sampled_from([-1, 0, 1, 2])),
        max_size=40,
    )
)
def test_statistics_agree_with_a_plain_count(rows):
    as_of = 50
    lines = lines_of(*rows) if rows else Purchases.empty()
    pairs, _ = summarise(lines, as_of=as_of)
    days, net = {}, {}
    for customer, product, day, quantity in rows:
        if day <= as_of:
            net[customer, product] = net.get((customer, product), 0) + quantity
            if quantity > 0:
                days.setdefault((customer, product), set()).add(day)
    expected = {pair: (len(on) - 1, max(on) - min(on), as_of - min(on)) for pair, on in days.items() if net[pair] > 0}
    found = zip(pairs.customer, pairs.product, pairs.repeats, pairs.recency, pairs.age, strict=True)
    assert {(c, p): (x, t, age) for c, p, x, t, age in found} == expected
