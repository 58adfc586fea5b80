import numpy as np
import pytest

from replenish.habits import fit_habits
from replenish.intervals import summarise
from replenish.simulate import Products, simulate
from replenish.supply import EDGES, USUAL_PACE
from replenish.types import WINDOW, Purchases

START, DAYS = 20_000, 420
AS_OF = START + DAYS - WINDOW


@pytest.fixture(scope="module")
def lines():
    rng = np.random.default_rng(2)
    use_days = np.repeat(rng.choice([10.0, 15.0, 21.0, 30.0, 45.0], 20), 2)
    products = Products(need=np.arange(40) // 2, use_days=use_days, popularity=rng.lognormal(0, 1, 40))
    return simulate(products, rng, members=400, start_day=START, days=DAYS).purchases(products)


@pytest.fixture(scope="module")
def habits(lines):
    return fit_habits(lines, as_of=AS_OF)


def test_the_pace_follows_the_supply_where_households_keep_stock(habits):
    often = dict(zip(EDGES, habits.pace[2, 0], strict=True))
    assert often[0.0] < 0.5 < 1.5 < often[1.0]


def test_the_pace_stays_as_granted_where_nothing_was_seen():
    nothing = fit_habits(Purchases.empty(), as_of=AS_OF)
    np.testing.assert_allclose(nothing.pace, np.broadcast_to(USUAL_PACE, nothing.pace.shape))


def test_a_category_with_short_gaps_has_a_shorter_gap(lines, habits):
    days = {c: habits.gaps[1 + i] for i, c in enumerate(habits.categories)}
    means = []
    for category in habits.categories:
        pairs, _ = summarise(lines.take(lines.category == category), as_of=AS_OF)
        means.append(pairs.recency.sum() / pairs.repeats.sum())
    assert np.corrcoef(list(days.values()), means)[0, 1] > 0.95


def test_a_category_first_sold_in_the_held_back_weeks_has_the_shops_pace(lines):
    new = Purchases.from_columns(
        customer=[1] * 3, product=[900] * 3, day=[AS_OF - 20, AS_OF - 9, AS_OF], category=[99] * 3
    )
    names = ("customer", "product", "day", "quantity", "need", "category", "size", "price")
    both = Purchases(*(np.concatenate([getattr(lines, n), getattr(new, n)]) for n in names))
    habits = fit_habits(both, as_of=AS_OF)
    assert habits.categories[-1] == 99
    np.testing.assert_array_equal(habits.pace[:, -1], habits.pace[:, 0])
