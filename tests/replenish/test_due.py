import numpy as np
import pytest

from replenish import fit, forecast, quantity_for
from replenish.due import SOONEST, assemble, usual_gap
from replenish.intervals import summarise
from replenish.types import WINDOW, Purchases

TODAY = 20_000


@pytest.fixture(scope="module")
def model():
    """A model of no purchases: what is taken for granted."""
    return fit(Purchases.empty(), as_of=TODAY)


def monthly(last_quantity=1, extra=()):
    """Customer 1 bought product 1 on six days a month apart, the last one ten days ago."""
    rows = [(1, TODAY - 10 - 30 * back, 1) for back in range(5, 0, -1)]
    rows += [(1, TODAY - 10, last_quantity), *extra]
    product, day, quantity = zip(*rows, strict=True)
    return Purchases.from_columns(
        customer=[1] * len(rows), product=product, day=day, quantity=quantity, need=[1] * len(rows)
    )


def of_first(model, lines, as_of=TODAY):
    found = forecast(model, lines, as_of=as_of)
    return found.take(found.product == 1)


def test_two_packs_move_the_date_and_lower_the_chance(model):
    one, two = of_first(model, monthly()), of_first(model, monthly(last_quantity=2))
    assert two.median_days[0] > one.median_days[0]
    assert two.p14[0] < one.p14[0]
    assert two.supply_left[0] > one.supply_left[0]


def test_another_brand_of_the_need_moves_the_date(model):
    other = of_first(model, monthly(extra=[(2, TODAY - 1, 2)]))
    assert other.median_days[0] > of_first(model, monthly()).median_days[0]
    assert other.supply_left[0] > 0.9


def test_a_product_of_another_need_moves_nothing(model):
    lines = monthly(extra=[(2, TODAY - 1, 2)])
    apart = Purchases.from_columns(
        customer=lines.customer, product=lines.product, day=lines.day, need=np.where(lines.product == 2, 2, 1)
    )
    assert of_first(model, apart).median_days[0] == of_first(model, monthly()).median_days[0]


def test_a_return_brings_the_date_nearer(model):
    kept = of_first(model, monthly(last_quantity=2))
    returned = of_first(model, monthly(last_quantity=2, extra=[(1, TODAY - 5, -1)]))
    assert returned.median_days[0] < kept.median_days[0]


def test_a_long_silence_lowers_the_chance(model):
    chances = [of_first(model, monthly(), as_of=TODAY + days).p28[0] for days in (20, 80, 200)]
    assert chances == sorted(chances, reverse=True)


def test_the_facts_of_a_pair_are_handed_on(model):
    found = of_first(model, monthly(last_quantity=3))
    assert (found.last_day[0], found.purchases[0], found.suggested_quantity[0]) == (TODAY - 10, 6, 1)
    assert found.interval_days[0] == pytest.approx(30)


def test_the_usual_quantity_is_suggested(model):
    lines = Purchases.from_columns(
        customer=[1] * 3, product=[1] * 3, day=[TODAY - 60, TODAY - 30, TODAY], quantity=[3, 3, 1]
    )
    assert forecast(model, lines, as_of=TODAY).suggested_quantity.tolist() == [3]


def test_part_of_a_pack_is_suggested_as_one(model):
    lines = Purchases.from_columns(customer=[1], product=[1], day=[TODAY], quantity=[0.3])
    assert forecast(model, lines, as_of=TODAY).suggested_quantity.tolist() == [1]


def test_usual_gap_of_a_single_purchase_is_the_typical_one():
    pairs, _ = summarise(Purchases.from_columns(customer=[1], product=[1], day=[5]), as_of=9)
    assert usual_gap(pairs, np.array([21.0])).tolist() == [21.0]


class Careless:
    """A model whose numbers go slightly astray."""

    def chance(self, days):
        return np.array([1.0000001 if days == 7 else 0.9])

    def quantile(self, level, window):
        return np.array([{0.1: 0.0, 0.5: 80.0, 0.9: 70.0}[level]])


def test_promises_are_kept_for_a_careless_model():
    pairs, _ = summarise(Purchases.from_columns(customer=[1], product=[1], day=[5]), as_of=9)
    levels = np.array([0.1, 0.5, 0.9])
    found = assemble(pairs, Careless(), usual=np.ones(1), left=np.ones(1), levels=levels)
    assert (found.p7[0], found.p14[0], found.p28[0]) == (1.0, 1.0, 1.0)
    assert (found.lower_days[0], found.median_days[0], found.upper_days[0]) == (SOONEST, WINDOW, WINDOW)


@pytest.mark.parametrize(
    ("days", "interval", "packs", "expected"),
    [
        (30, 30, 1, 1),
        (31, 30, 1, 2),
        (60, 30, 1, 2),
        (60, 30, 2, 4),
        (1, 30, 1, 1),
        (0, 30, 1, 1),
        (21, 7, 1, 3),
    ],
)
def test_quantity_for_is_whole_packs_that_last(days, interval, packs, expected):
    assert quantity_for(days, interval_days=interval, packs=packs) == expected


@pytest.mark.parametrize(("interval", "packs"), [(0, 1), (30, 0), (-1, 1), (float("nan"), 1)])
def test_quantity_for_needs_an_interval_and_a_quantity(interval, packs):
    with pytest.raises(ValueError, match="above zero"):
        quantity_for(30, interval_days=interval, packs=packs)


def test_forecast_of_an_absurd_quantity_suggests_the_most_a_column_holds():
    lines = Purchases.from_columns(customer=[1, 1], product=[1, 1], day=[0, 9], quantity=[3e9, 3e9])
    assert forecast(fit(lines, as_of=10), lines, as_of=10).suggested_quantity.tolist() == [2**31 - 1]
