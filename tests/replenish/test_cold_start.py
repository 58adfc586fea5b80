"""Where little is known every kind of model still says something sensible, and less the less it has seen."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from replenish import KINDS, fit, forecast
from replenish.intervals import next_days, summarise
from replenish.simulate import Products, simulate
from replenish.types import WINDOW, Purchases

START, DAYS = 20_000, 300
AS_OF = START + DAYS - 1
NEWCOMER, STRANGE = 90_000, 70_000
"""No such member, and no such product, need or category, is in the simulated shop."""

NAMES = ("customer", "product", "day", "quantity", "need", "category", "size", "price")


@cache
def shop():
    rng = np.random.default_rng(7)
    products = Products(need=np.arange(24) // 2, use_days=np.repeat(rng.uniform(8, 40, 12), 2), popularity=np.ones(24))
    return simulate(products, rng, members=80, start_day=START, days=DAYS).purchases(products)


@cache
def model_of(kind):
    return fit(shop(), as_of=AS_OF, kind=kind)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def joined(*parts):
    return Purchases(*(np.concatenate([getattr(part, name) for part in parts]) for name in NAMES))


def without(lines, *names):
    """The same lines, some of whose columns are not known."""
    return Purchases.from_columns(**{name: getattr(lines, name) for name in NAMES if name not in names})


def sensible(found):
    """One row at least, all of it finite, in order and within bounds."""
    assert len(found)
    for name, column in found.columns():
        assert np.isfinite(column).all(), name
    assert ((found.p7 > 0) & (found.p7 <= found.p14) & (found.p14 <= found.p28) & (found.p28 < 1)).all()
    assert ((found.lower_days > 0) & (found.lower_days <= found.median_days)).all()
    assert ((found.median_days <= found.upper_days) & (found.upper_days <= WINDOW)).all()
    assert ((found.supply_left >= 0) & (found.supply_left <= 1)).all()
    assert ((found.interval_days > 0) & (found.interval_days < 1000)).all()
    return found


def every(gap, times, *, product=0, need=0, category=0, customer=NEWCOMER):
    """A pair bought every ``gap`` days, ``times`` times, the last time one gap ago."""
    day = AS_OF - gap * np.arange(times, 0, -1)
    same = np.ones(times, int)
    return Purchases.from_columns(
        customer=customer * same, product=product * same, day=day, need=need * same, category=category * same
    )


def test_the_shop_is_large_enough_for_networks(kind):
    model = model_of(kind)
    assert model.networks
    assert 0 < model.trust < 1


def test_one_purchase_is_forecast_and_less_likely_than_a_habit(kind):
    once = sensible(forecast(model_of(kind), every(14, 1), as_of=AS_OF))
    habit = sensible(forecast(model_of(kind), every(14, 8), as_of=AS_OF))
    assert (once.purchases[0], habit.purchases[0]) == (1, 8)
    assert once.p14[0] < habit.p14[0]


def test_the_first_purchases_each_make_the_next_one_likelier(kind):
    chances = [forecast(model_of(kind), every(14, times), as_of=AS_OF).p28[0] for times in (1, 2, 4, 8)]
    assert chances[0] < chances[1] < chances[-1]
    assert max(chances) - chances[-1] < 0.1


def test_a_window_is_wider_where_less_is_known(kind):
    """Of pairs bought once today against those of the members' settled habits bought today."""
    found = forecast(model_of(kind), shop(), as_of=AS_OF)
    width = found.upper_days - found.lower_days
    fresh = found.last_day > AS_OF - 14
    assert width[fresh & (found.purchases == 1)].mean() > width[fresh & (found.purchases > 8)].mean()


UNKNOWN = (
    {"product": STRANGE},
    {"product": STRANGE, "need": STRANGE},
    {"product": STRANGE, "category": STRANGE},
    {"product": STRANGE, "need": STRANGE, "category": STRANGE},
    {"product": STRANGE, "need": -1, "category": -1},
)


@pytest.mark.parametrize("unknown", UNKNOWN, ids=str)
@pytest.mark.parametrize("times", [1, 5])
def test_what_the_survey_does_not_know_is_forecast_like_the_usual(kind, unknown, times):
    usual = forecast(model_of(kind), every(14, times), as_of=AS_OF)
    found = sensible(forecast(model_of(kind), every(14, times, **unknown), as_of=AS_OF))
    odds = [np.log(p / (1 - p)) for p in (found.p14[0], usual.p14[0])]
    assert abs(odds[0] - odds[1]) < 2


def test_a_new_member_is_forecast_beside_the_others_and_changes_nothing_for_them(kind):
    model = model_of(kind)
    both = sensible(forecast(model, joined(shop(), every(2, 1), every(3, 1, product=5)), as_of=AS_OF))
    before = forecast(model, shop(), as_of=AS_OF)
    assert (both.customer == NEWCOMER).sum() == 2
    others = both.take(both.customer != NEWCOMER)
    for (name, ours), (_, theirs) in zip(others.columns(), before.columns(), strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


@pytest.mark.parametrize("days", [1, 30, 70])
def test_a_young_shop_is_no_crash_and_trusts_what_it_saw_only_so_far(kind, days):
    lines = shop().take(shop().day > AS_OF - days)
    model = fit(lines, as_of=AS_OF, kind=kind)
    assert model.trust < model_of(kind).trust
    sensible(forecast(model, lines, as_of=AS_OF))


def test_trust_grows_with_what_was_bought(kind):
    fewer = [fit(shop().take(shop().customer < some), as_of=AS_OF, kind=kind).trust for some in (2, 40)]
    trust = [*fewer, model_of(kind).trust]
    assert trust[0] == 0
    assert trust == sorted(trust)
    assert trust[-1] > trust[1]


@pytest.mark.parametrize("names", [("category",), ("category", "need", "quantity")], ids="+".join)
def test_a_shop_without_some_of_its_columns_is_forecast(kind, names):
    lines = without(shop(), *names)
    full = sensible(forecast(model_of(kind), shop(), as_of=AS_OF))
    found = sensible(forecast(fit(lines, as_of=AS_OF, kind=kind), lines, as_of=AS_OF))
    assert len(found) == len(full)
    assert found.p14.mean() == pytest.approx(full.p14.mean(), rel=0.2)


def test_a_shop_that_learns_its_prices_later_is_forecast(kind):
    """Prices known to the forecast and not to the fit, and the other way round."""
    prices = np.random.default_rng(0).choice([1.0, 1.2, 3.0], len(shop()))
    priced = Purchases.from_columns(price=prices, **{name: getattr(shop(), name) for name in NAMES[:-1]})
    sensible(forecast(model_of(kind), priced, as_of=AS_OF))
    sensible(forecast(fit(priced, as_of=AS_OF, kind=kind), shop(), as_of=AS_OF))


@pytest.mark.parametrize("gap", [1, 7])
def test_a_shop_where_everybody_does_the_same_is_forecast(kind, gap):
    """Nothing differs between the pairs, so every feature is a constant."""
    customer, day = (a.ravel() for a in np.meshgrid(np.arange(12), np.arange(AS_OF - 140, AS_OF + 1, gap)))
    lines = Purchases.from_columns(customer=customer, product=customer * 0, day=day)
    found = forecast(fit(lines, as_of=AS_OF, kind=kind), lines, as_of=AS_OF)
    for name, column in found.columns():
        assert np.isfinite(column).all(), name
    assert (np.ptp(found.p14), np.ptp(found.median_days)) == (0, 0)
    assert found.p14[0] > 0.8
    assert found.interval_days[0] == pytest.approx(gap, rel=0.2)


@cache
def growing_shop():
    """A shop that ten members join every fortnight."""
    rng = np.random.default_rng(8)
    products = Products(need=np.arange(24) // 2, use_days=np.repeat(rng.uniform(8, 40, 12), 2), popularity=np.ones(24))
    waves = []
    for wave, late in enumerate(range(0, 224, 14)):
        bought = simulate(
            products, rng, members=10, start_day=START + late, days=240 - late, shares=(0.7, 0.1, 0.1, 0.1, 0, 0)
        ).purchases(products)
        waves.append(replace(bought, customer=bought.customer + 10 * wave))
    return joined(*waves)


GROWN = START + 240 - 29
"""Its last day that is known; four weeks are to come."""


@cache
def growing_model(kind):
    return fit(growing_shop(), as_of=GROWN, kind=kind)


def test_members_of_the_last_weeks_come_back_as_often_as_said(kind):
    lines = growing_shop()
    found = forecast(growing_model(kind), lines, as_of=GROWN)
    found = found.take(np.lexsort((found.product, found.customer)))
    pairs, _ = summarise(lines, as_of=GROWN)
    wait = next_days(lines, pairs, as_of=GROWN, until=GROWN + 28)
    new = 14 * (found.customer // 10) > GROWN - START - 45
    assert new.sum() > 100
    for rows in (new, new & (found.purchases == 1), ~new):
        for horizon in (14, 28):
            chance = getattr(found, f"p{horizon}")[rows]
            assert chance.mean() == pytest.approx((wait[rows] <= horizon).mean(), abs=0.12)


def test_on_their_first_day_new_members_are_expected_back_about_as_often_as_others_were(kind):
    lines = growing_shop()
    joined_on = np.full(lines.customer.max() + 1, GROWN)
    np.minimum.at(joined_on, lines.customer, lines.day)
    first = lines.take((lines.day == joined_on[lines.customer]) & (lines.day <= GROWN))
    pairs, _ = summarise(first, as_of=GROWN)
    wait = np.array(
        [
            lines.day[(lines.customer == c) & (lines.product == p) & (lines.day > day)].min(initial=GROWN * 2) - day
            for c, p, day in zip(pairs.customer, pairs.product, pairs.last_day, strict=True)
        ]
    )
    today = replace(first, customer=first.customer + NEWCOMER, day=np.full_like(first.day, GROWN))
    found = sensible(forecast(growing_model(kind), today, as_of=GROWN))
    assert len(found) == len(wait)
    assert found.p28.mean() == pytest.approx((wait <= 28).mean(), abs=0.15)


def test_the_first_member_for_long_is_not_taken_for_an_old_one_who_seldom_buys(kind):
    """In a shop that nobody joined, two purchases mean little of an old member and much of a new one."""
    rng = np.random.default_rng(2)
    use_days = np.repeat(rng.choice([10.0, 15.0, 21.0, 30.0, 45.0], 20), 2)
    products = Products(need=np.arange(40) // 2, use_days=use_days, popularity=rng.lognormal(0, 1, 40))
    nobody_new = (0.6, 0.1, 0.15, 0.1, 0.05, 0.0)
    lines = simulate(products, rng, members=300, start_day=START, days=420, shares=nobody_new).purchases(products)
    as_of = START + 420 - WINDOW
    old = lines.take(lines.customer < 220)
    new = lines.take((lines.customer >= 220) & (lines.day > as_of - 50))
    found = forecast(fit(old, as_of=as_of, kind=kind), new, as_of=as_of)
    pairs, _ = summarise(new, as_of=as_of)
    found = found.take(np.lexsort((found.product, found.customer)))
    came = next_days(new, pairs, as_of=as_of, until=as_of + WINDOW) <= 28
    again = found.purchases > 1
    assert again.sum() > 200
    assert found.p28[again].mean() == pytest.approx(came[again].mean(), abs=0.15)
