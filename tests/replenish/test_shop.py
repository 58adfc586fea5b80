import numpy as np
import pytest

from replenish.intervals import unfold
from replenish.shop import COLUMNS, NEVER, Group, Survey
from replenish.types import Purchases

AS_OF = 200
MILK, TEA = 10, 20

# Customer, product, days ago, price. Milk: three households, of whom two came back, one of them twice.
LINES = [
    (1, MILK, 100, 2.0),
    (1, MILK, 60, 2.0),
    (1, MILK, 20, 2.0),
    (2, MILK, 50, 3.0),
    (2, MILK, 10, 1.5),
    (3, MILK, 5, 1.5),
    (3, TEA, 150, np.nan),
]


def lines_of(rows, **columns):
    customer, product, ago, price = zip(*rows, strict=True)
    return Purchases.from_columns(customer=customer, product=product, day=AS_OF - np.array(ago), price=price, **columns)


@pytest.fixture
def products():
    pairs, _, events = unfold(lines_of(LINES), as_of=AS_OF)
    return Group.take(pairs.product, pairs, events, as_of=AS_OF)


# Of milk and of tea, each worked out from the lines above and the few pairs that stand for what is usual.
EXPECTED = {
    "buyers": (np.log(1 + 3), np.log(1 + 0)),
    "back_28": ((2 + 0.5) / (2 + 10), (0 + 0.5) / (1 + 10)),
    "back_14": ((1 + 0.5) / (2 + 10), (0 + 0.5) / (1 + 10)),
    "repeat": ((2 + 1) / (3 + 5), (0 + 1) / (1 + 5)),
    "regular": ((1 + 1) / (2 + 3), (0 + 1) / (0 + 3)),
    "times": (6 / 3, 1 / 1),
    "pairs": (np.log(1 + 3), np.log(1 + 1)),
    "gap": ((80 + 40 + 30) / (2 + 1 + 1), 30 / 1),
    "last": (5, 150),
    "week": ((1 + 0.5) / (4 + 4) * 8, 0.5 / 4 * 8),
    "fortnight": ((2 + 1) / (4 + 4) * 4, 1 / 4 * 4),
    "season": ((4 + 3) / (6 + 9) * 3, (0 + 3) / (1 + 9) * 3),
    "price": (12 / 6, 0),
    "offer": ((1.5 + 1.5 + 2) / (2 + 1), 0),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_figure_is_what_a_count_by_hand_says(products, name):
    assert products.known.tolist() == [MILK, TEA]
    assert products.column(name)[:2] == pytest.approx(EXPECTED[name])


def test_an_unknown_product_gets_the_middle_row():
    rows = [*LINES, (4, 30, 1, 9.0), (4, 30, 30, 9.0)]
    pairs, _, events = unfold(lines_of(rows), as_of=AS_OF)
    group = Group.take(pairs.product, pairs, events, as_of=AS_OF)
    assert group.rows(np.array([30, MILK, 15, -1, 99, TEA])).tolist() == [2, 0, 3, 3, 3, 1]
    assert group.table.shape == (4, len(COLUMNS))
    for name in COLUMNS:
        *known, unknown = group.column(name)
        assert unknown == sorted(known)[1]


def test_a_shop_that_sold_nothing_has_a_row_for_whatever_comes():
    pairs, _, events = unfold(Purchases.empty(), as_of=AS_OF)
    survey = Survey.take(pairs, events, as_of=AS_OF)
    for group in (survey.product, survey.need, survey.category):
        assert group.rows(np.array([1, -1])).tolist() == [0, 0]
        assert np.isfinite(group.table).all()


def test_what_was_not_bought_for_ages_is_as_good_as_never_bought():
    pairs, _, events = unfold(lines_of([(1, MILK, 50_000, 1.0)]), as_of=AS_OF)
    assert Group.take(pairs.product, pairs, events, as_of=AS_OF).column("last")[0] == NEVER


def test_products_needs_and_categories_are_surveyed_apart():
    n = len(LINES)
    lines = lines_of(LINES, need=[7] * n, category=[3] * (n - 1) + [-1])
    pairs, _, events = unfold(lines, as_of=AS_OF)
    survey = Survey.take(pairs, events, as_of=AS_OF)
    assert survey.product.known.tolist() == [MILK, TEA]
    assert survey.need.known.tolist() == [7]
    assert survey.category.known.tolist() == [-1, 3]
    assert np.expm1(survey.need.column("pairs")[0]) == pytest.approx(4)
    assert survey.category.column("last")[:2].tolist() == [150, 5]


def test_the_order_of_lines_makes_no_difference_to_a_survey():
    rng = np.random.default_rng(0)
    rows = [
        (c, p, d, rng.choice([1.25, 2.5, np.nan]))
        for c, p, d in zip(rng.integers(0, 20, 400), rng.integers(0, 9, 400), rng.integers(0, 190, 400), strict=True)
    ]
    tables = []
    for mixed in (rows, [rows[i] for i in rng.permutation(400)]):
        pairs, _, events = unfold(lines_of(mixed), as_of=AS_OF)
        tables.append(Survey.take(pairs, events, as_of=AS_OF).product.table)
    np.testing.assert_array_equal(*tables)


def test_a_product_that_takes_off_shows_in_the_ratios_of_late():
    steady = [(1, MILK, ago, np.nan) for ago in range(0, 196, 7)]
    rising = [(1, TEA, ago, np.nan) for ago in (*range(0, 14, 2), 30, 60, 100)]
    pairs, _, events = unfold(lines_of(steady + rising), as_of=AS_OF)
    group = Group.take(pairs.product, pairs, events, as_of=AS_OF)
    for name in ("week", "fortnight", "season"):
        even, up = group.column(name)[:2]
        assert even == pytest.approx(1, abs=0.1), name
        assert up > 1.4, name
