import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replenish import features as evidence_of
from replenish.features import features
from replenish.habits import fit_habits
from replenish.model import LIGHT, View
from replenish.types import Purchases

AS_OF = 200
HABITS = fit_habits(Purchases.empty(), as_of=0)
MILK, OAT_MILK, TEA = 10, 11, 20
DRINK, HOT = 1, 2


def lines_of(*rows, as_of=AS_OF):
    """Lines from (customer, product, days ago) and, where it matters, price and packs."""
    customer, product, ago, price, packs = zip(*[(*row, *(np.nan, 1)[len(row) - 3 :]) for row in rows], strict=True)
    product = np.array(product)
    return Purchases.from_columns(
        customer=customer,
        product=product,
        day=as_of - np.array(ago),
        price=price,
        quantity=packs,
        need=product // 10,
        category=np.full(len(product), DRINK),
    )


def looked_at(lines, *, as_of=AS_OF, survey=None, names=None):
    """The view, and the features of each pair by name as they were before their logarithm was taken."""
    view = View.at(HABITS, lines, as_of=as_of, survey=survey)
    found, table = features(view.evidence, names)
    values = np.sign(table) * np.expm1(np.abs(table.astype(np.float64)))
    return view, dict(zip(found, values, strict=True))


def of(lines, customer, product, **more):
    view, values = looked_at(lines, **more)
    (row,) = np.flatnonzero((view.pairs.customer == customer) & (view.pairs.product == product))
    return {name: column[row] for name, column in values.items()}


# Days ago. Trips of household 1: 100, 60, 50, 20, 10.
HOUSE = [(1, MILK, 100), (1, MILK, 60), (1, MILK, 20), (1, OAT_MILK, 10), (1, TEA, 60), (1, TEA, 50)]


@pytest.fixture(scope="module")
def milk():
    return of(lines_of(*HOUSE, (2, MILK, 3)), 1, MILK)


def near(value):
    return pytest.approx(value, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [("count", 3), ("silence", 20), ("age", 100), ("trips", 1), ("first_trip", 4), ("gap", 40), ("silence_gaps", 0.5)],
)
def test_counts_and_silence_are_those_of_the_pair(milk, name, value):
    assert milk[name] == near(value)


@pytest.mark.parametrize("half", [7, 15, 40, 100, 200])
def test_purchases_fade_with_the_days(milk, half):
    assert milk[f"days_{half}"] == near(sum(2 ** (-ago / half) for ago in (100, 60, 20)))


@pytest.mark.parametrize("half", [2, 5, 12, 25])
def test_purchases_fade_with_the_trips(milk, half):
    assert milk[f"trips_{half}"] == near(sum(2 ** (-trips / half) for trips in (4, 3, 1)))


def test_the_share_of_trips_counts_those_after_the_first(milk):
    assert milk["share"] == near(2 / 4)


@pytest.mark.parametrize("half", [5, 25])
def test_the_faded_share_is_bought_over_all_trips_since_the_first(milk, half):
    weights = [2 ** (-trips / half) for trips in range(5)]
    assert milk[f"share_{half}"] == near(sum(weights[trips] for trips in (4, 3, 1)) / sum(weights))


def test_who_buys_it_on_every_trip_has_a_share_of_one():
    found = of(lines_of(*[(1, MILK, ago) for ago in range(0, 70, 7)]), 1, MILK)
    assert [found[name] for name in ("share", "share_5", "share_25")] == near([1, 1, 1])


def test_bought_once_has_no_gap(milk):
    once = of(lines_of(*HOUSE), 1, OAT_MILK)
    assert [once[name] for name in ("gap", "last_gap", "longest", "spread", "share")] == [0] * 5
    assert once["hazard"] == near(0.3 / 1.5)


# Gaps of 10, 30, 32 and 80 days, then a silence.
UNEVEN = [(1, MILK, ago) for ago in (0, 10, 40, 72, 152)]


@pytest.mark.parametrize(
    ("silence", "lasted", "ended"),
    [(0, 4, 1), (10, 3, 0), (16, 3, 1), (18, 3, 2), (29, 3, 2), (30, 2, 1), (40, 1, 0), (70, 1, 1), (90, 0, 0)],
)
def test_the_hazard_counts_own_gaps_that_lasted_as_long_and_ended_within_a_fortnight(silence, lasted, ended):
    found = of(lines_of(*[(c, p, ago + silence) for c, p, ago in reversed(UNEVEN)]), 1, MILK)
    assert found["hazard"] == near((ended + 0.3) / (lasted + 1.5))
    assert found["survived"] == near((lasted + 0.3) / 5)


def test_gaps_of_a_pair_are_its_own():
    found = of(lines_of(*UNEVEN, (1, TEA, 199), (0, TEA, 1), (0, TEA, 180)), 1, MILK)
    assert found["last_gap"] == near(10)
    assert found["longest"] == near(80)
    assert found["shortest"] == near(10)
    assert found["spread"] == near(np.std([10, 30, 32, 80]) / 38)


def test_the_trip_hazard_counts_gaps_in_own_trips():
    # Milk on trips 0, 2 and 7 of ten: gaps of two and of five trips, and two trips since.
    trips = [(1, TEA, ago) for ago in range(0, 50, 5)]
    found = of(lines_of(*trips, (1, MILK, 45), (1, MILK, 35), (1, MILK, 10)), 1, MILK)
    assert found["trips"] == near(2)
    assert found["trip_hazard"] == near((1 + 0.3) / (1 + 1.5))


def test_another_brand_ends_the_silence_of_the_need(milk):
    assert milk["need_silence"] == near(10)
    assert milk["need_trips"] == near(0)
    assert milk["need_items"] == near(2)
    assert milk["need_own_times"] == near(4)
    assert milk["need_own_gap"] == near((100 - 10) / 3)
    assert milk["need_own_silence_gaps"] == near(10 / 30)
    alone = of(lines_of(*[row for row in HOUSE if row[1] != OAT_MILK]), 1, MILK)
    assert alone["need_silence"] == near(20)


def test_a_products_share_of_its_need_fades_too(milk):
    mine = sum(2 ** (-ago / 40) for ago in (100, 60, 20))
    assert milk["need_days_40"] == near(mine + 2 ** (-10 / 40))
    assert milk["of_need_days_40"] == near(mine / (mine + 2 ** (-10 / 40)))


def test_two_brands_on_one_day_are_one_purchase_of_the_need():
    found = of(lines_of((1, MILK, 30), (1, MILK, 10), (1, OAT_MILK, 10)), 1, MILK)
    assert found["need_own_times"] == near(2)
    assert found["need_faded_40"] == near(2 ** (-30 / 40) + 2 ** (-10 / 40))
    assert found["need_count"] == near(3)


def test_the_category_joins_what_the_needs_keep_apart():
    found = of(lines_of(*HOUSE, (1, TEA, 2)), 1, MILK)
    assert found["need_silence"] == near(10)
    assert found["kind_silence"] == near(2)
    assert found["kind_days_15"] == near(sum(2 ** (-ago / 15) for _, _, ago in (*HOUSE, (1, TEA, 2))))


def test_baskets_are_the_households(milk):
    assert milk["basket"] == near(6 / 5)
    assert milk["house_items"] == near(3)
    assert milk["house_silence"] == near(10)
    assert milk["basket_last"] == near(1 / (6 / 5))


def test_chance_of_the_basket_is_one_of_the_trips_to_come(milk):
    assert milk["basket_share"] == near(1 - (1 - 0.5) ** milk["house_28"])


def test_packs_last_as_long_as_those_before():
    # Four packs in sixty days, then two: thirty days, of which ten have gone.
    found = of(lines_of((1, MILK, 70, np.nan, 1), (1, MILK, 40, np.nan, 3), (1, MILK, 10, np.nan, 2)), 1, MILK)
    assert found["packs"] == near(2)
    assert found["packs_more"] == near(2 / (6 / 3))
    assert found["packs_last"] == near(2 / (4 / 60) - 10)


def test_logarithms_keep_the_sign():
    found = of(lines_of((1, MILK, 170), (1, MILK, 160), (1, MILK, 150)), 1, MILK)
    assert found["packs_last"] == near(1 / (2 / 20) - 150)
    assert found["curve_14"] < 0


def test_the_closed_form_stands_as_log_odds():
    lines = lines_of(*HOUSE)
    view = View.at(HABITS, lines, as_of=AS_OF)
    names, table = features(view.evidence, ("curve_14", "curve_56"))
    assert names == ("curve_14", "curve_56")
    np.testing.assert_allclose(table, view.curve[[1, 3]], rtol=1e-5)


def test_price_ratios_compare_offer_usual_and_own_price():
    lines = lines_of((1, MILK, 60, 2.0), (1, MILK, 30, 2.4), (2, MILK, 90, 1.6), (2, MILK, 5, 1.0))
    found = of(lines, 1, MILK)
    usual, offer, own = 7 / 4, (1.0 + 7 / 4) / 2, 2.2
    assert found["price_now"] == near(offer / usual)
    assert found["price_last"] == near(2.4 / usual)
    assert found["price_own"] == near(own / usual)
    assert found["price_for_me"] == near(offer / own)


def test_prices_nobody_knows_are_as_usual():
    found = of(lines_of(*HOUSE), 1, MILK)
    assert [found[name] for name in ("price_now", "price_last", "price_own", "price_for_me")] == near([1] * 4)


def test_a_product_the_survey_does_not_know_has_the_middle_of_all():
    survey = View.at(HABITS, lines_of(*HOUSE), as_of=AS_OF).evidence.survey
    found = of(lines_of((5, 77, 12)), 5, 77, survey=survey)
    assert found["product_repeat"] == near(survey.product.column("repeat")[-1])
    assert found["category_repeat"] == near(survey.category.column("repeat")[0])


def test_no_kind_of_evidence_takes_the_name_of_another():
    evidence = View.at(HABITS, lines_of(*HOUSE), as_of=AS_OF).evidence
    own = evidence_of._own(evidence)
    shop = [evidence_of._shop(evidence, own, group) for group in ("product", "need", "category")]
    parts = [own, *(part(evidence, own) for part in (evidence_of._household, evidence_of._need)), *shop]
    parts += [evidence_of._price(evidence, shop[0]), evidence_of._category(evidence, own)]
    names, table = features(evidence)
    assert sorted(names) == sorted(name for part in parts for name in part)
    assert len(names) == len(table)


def test_need_and_shop_are_both_looked_at():
    found = of(lines_of(*HOUSE, (2, MILK, 30), (2, MILK, 2)), 1, MILK)
    assert found["need_own_gap"] == near(30)
    assert found["need_gap"] == near((80 + 28 + 30) / (2 + 1 + 1))
    assert found["need_own_silence_gaps"] == near(10 / 30)
    assert found["need_silence_gaps"] == near(20 / 34.5)


def test_the_light_model_looks_at_no_more_than_thirty_that_exist():
    view = View.at(HABITS, lines_of(*HOUSE), as_of=AS_OF)
    names, everything = features(view.evidence)
    assert len(LIGHT) == len(set(LIGHT)) <= 30
    assert set(LIGHT) <= set(names)
    found, table = features(view.evidence, LIGHT)
    assert found == LIGHT
    np.testing.assert_array_equal(table, everything[[names.index(name) for name in LIGHT]])


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(0)
    n = 2000
    prices = np.where(rng.random(n) < 0.8, rng.choice([0.9, 1.0, 2.35], n), np.nan)
    return lines_of(
        *zip(
            rng.integers(0, 60, n),
            rng.integers(0, 25, n),
            rng.integers(0, 190, n),
            prices,
            rng.integers(1, 4, n),
            strict=True,
        )
    )


def test_given_the_survey_others_do_not_matter(crowd):
    survey = View.at(HABITS, crowd, as_of=AS_OF).evidence.survey
    everybody, among = looked_at(crowd, survey=survey)
    for customer in (0, 31, 59):
        _, alone = looked_at(crowd.take(crowd.customer == customer), survey=survey)
        rows = everybody.pairs.customer == customer
        for name, values in alone.items():
            np.testing.assert_array_equal(values, among[name][rows], err_msg=name)


def test_lines_after_the_day_do_not_exist(crowd):
    day = AS_OF - 60
    _, known = looked_at(crowd, as_of=day)
    _, cut = looked_at(crowd.take(crowd.day <= day), as_of=day)
    for name, values in cut.items():
        np.testing.assert_array_equal(values, known[name], err_msg=name)


def test_nobody_has_no_features():
    _, values = looked_at(Purchases.empty())
    assert {column.shape for column in values.values()} == {(0,)}


line = st.tuples(
    st.integers(0, 2),
    st.integers(0, 40),
    st.integers(-30, 60) | st.integers(0, 30_000),
    st.sampled_from([np.nan, 0.0, -1.0, 1e-9, 2.5, 1e9, np.inf]),
    st.sampled_from([1.0, 2.0, 0.001, 1e12, 0.0, -1.0]),
)


@settings(max_examples=80)
@given(st.lists(line, min_size=1, max_size=15))
def test_whatever_lines_come_every_feature_is_finite(rows):
    _, values = looked_at(lines_of(*rows))
    for name, column in values.items():
        assert np.isfinite(column).all(), name


@pytest.mark.parametrize("price", [1e39, 1e300, 1.7e308, -1e300, np.inf])
def test_no_price_is_too_absurd(price):
    found = of(lines_of((1, MILK, 60, price), (1, MILK, 3, price), (1, TEA, 1, 1.0)), 1, MILK)
    assert np.isfinite(list(found.values())).all()
    assert found["price_own"] == near(1)
