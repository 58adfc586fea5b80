import math
from dataclasses import replace

import numpy as np
import pytest

import replenish
from replenish import baselines
from replenish.backtest import ALL, Bin, Contender, Row, contenders, cutoffs_for, follow_up_for, replay, verdict
from replenish.simulate import Products, simulate
from replenish.types import WINDOW, Forecasts, Purchases

START = 20_000
CUTOFF = 20_243


@pytest.fixture(scope="module")
def lines() -> Purchases:
    """A small shop of 300 days; the last 56 follow ``CUTOFF``."""
    rng = np.random.default_rng(3)
    products = Products(need=np.arange(16) // 2, use_days=rng.uniform(7, 40, 16), popularity=np.ones(16))
    return simulate(products, rng, members=30, start_day=START, days=300).purchases(products)


def bought(*rows: tuple[int, int, int], **columns) -> Purchases:
    """Lines of customer, product and day after ``CUTOFF`` (before: below 1)."""
    customer, product, day = np.array(rows).T
    return Purchases.from_columns(customer=customer, product=product, day=CUTOFF + day, **columns)


def oracle(**said: dict[tuple[int, int], float]) -> Contender:
    """Says what it is told to, by (customer, product); else .02, .5, .5, 10 to 30 days and no score."""

    def forecast(model: None, purchases: Purchases, *, as_of: int) -> Forecasts:
        pairs = sorted({*zip(purchases.customer.tolist(), purchases.product.tolist(), strict=True)})
        customer, product = np.array(pairs).T
        usual = {"p7": 0.02, "p14": 0.5, "p28": 0.5, "median_days": 20.0, "lower_days": 10.0, "upper_days": 30.0}
        columns = dict.fromkeys(Forecasts.__dataclass_fields__, np.zeros(len(pairs)))
        for name in (*usual, "score"):
            columns[name] = np.array([said.get(name, {}).get(pair, usual.get(name, 0.0)) for pair in pairs])
        return Forecasts(**{**columns, "customer": customer, "product": product})

    return Contender("oracle", lambda purchases, *, as_of: None, forecast)


def figures(purchases: Purchases, contender: Contender | None = None, **options) -> dict[str, float]:
    return replay([contender or oracle()], purchases, cutoffs=[CUTOFF], **options)[0].figures


# ---------------------------------------------------------------- never the future
def test_a_contender_is_handed_the_lines_until_the_cutoff_alone(lines):
    baseline = contenders(["poisson-gamma"])[0]
    handed = []

    def fit(purchases, **more):
        handed.append(purchases)
        return baseline.fit(purchases, **more)

    def forecast(model, purchases, **more):
        handed.append(purchases)
        return baseline.forecast(model, purchases, **more)

    replay([Contender("spy", fit, forecast)], lines, cutoffs=[CUTOFF - 21, CUTOFF])
    assert [past.day.max() <= CUTOFF for past in handed] == [True] * 4
    assert [past.day.max() <= CUTOFF - 21 for past in handed] == [True, True, False, False]
    # A view would lead back to the lines it was cut from.
    assert all(getattr(past, name).base is None for past in handed for name in past.__slots__)


def test_a_cheat_finds_nothing_to_cheat_with(lines):
    """It answers 1 for whatever is bought in the lines it was given after the cut-off, else 0."""

    def forecast(model, purchases, *, as_of):
        found = baselines.forecast(model, purchases, as_of=as_of)
        later = purchases.take(purchases.day > as_of)
        peeked = np.isin(found.customer * 1000 + found.product, later.customer * 1000 + later.product) * 1.0
        return replace(found, p7=peeked, p14=peeked, p28=peeked, score=peeked)

    cheat = Contender("cheat", contenders(["atd"])[0].fit, forecast)
    assert {bin.said for bin in replay([cheat], lines, cutoffs=[CUTOFF])[0].bins} == {0.0}


@pytest.mark.parametrize("name", [*replenish.KINDS, "poisson-gamma"])
def test_a_planted_future_changes_no_forecast(lines, name):
    contender = contenders([name])[0]
    said: list[Forecasts] = []

    def forecast(model, purchases, **more):
        said.append(contender.forecast(model, purchases, **more))
        return said[-1]

    planted = replace(lines, day=np.full_like(lines.day, CUTOFF + 1), quantity=np.full(len(lines), 9.0))
    columns = zip(*([getattr(some, field) for field in lines.__slots__] for some in (lines, planted)), strict=True)
    both = Purchases(*(np.concatenate(pair) for pair in columns))
    rows = [replay([replace(contender, forecast=forecast)], some, cutoffs=[CUTOFF])[0] for some in (lines, both)]
    for (column, before), (_, after) in zip(said[0].columns(), said[1].columns(), strict=True):
        np.testing.assert_array_equal(before, after, err_msg=column)
    assert rows[0].figures["base7"] < rows[1].figures["base7"] == 1.0


# ---------------------------------------------------------------- what is judged
def test_pairs_bought_on_two_days_are_judged_however_many_lines_a_day_has():
    twice, once = (1, 10, -9), (1, 20, -9)
    found = figures(bought(twice, (1, 10, 0), once, once))
    assert found["pairs"] == 1


def test_a_pair_given_back_is_not_judged():
    found = figures(bought((1, 10, -9), (1, 10, -5), (1, 10, -4), (1, 20, -9), (1, 20, -8), quantity=[1, 1, -2, 1, 1]))
    assert found["pairs"] == 1


def test_a_return_is_no_purchase():
    found = figures(bought((1, 10, -9), (1, 10, -5), (1, 10, 3), quantity=[1, 1, -1]))
    assert (found["base7"], found["share_back_in_H"]) == (0, 0)


@pytest.mark.parametrize(
    ("day", "base"), [(1, (1, 1, 1)), (7, (1, 1, 1)), (8, (0, 1, 1)), (28, (0, 0, 1)), (29, (0, 0, 0))]
)
def test_a_horizon_ends_with_its_last_day(day, base):
    found = figures(bought((1, 10, -9), (1, 10, 0), (1, 10, day)))
    assert (found["base7"], found["base14"], found["base28"]) == base


def test_dates_are_judged_by_those_who_came_back_within_the_window():
    rows = [(who, 10, day) for who in (1, 2, 3) for day in (-9, 0)]
    found = figures(bought(*rows, (1, 10, 25), (2, 10, WINDOW), (3, 10, WINDOW + 1)))
    assert found["share_back_in_H"] == pytest.approx(2 / 3)
    assert found["mae_days"] == pytest.approx((5 + 36) / 2)
    assert (found["coverage80"], found["above_upper"], found["width80_days"]) == (0.5, 0.5, 20)


def test_the_list_is_judged_by_what_the_next_basket_repeats():
    past = [(1, product, day) for product in (10, 20) for day in (-9, 0)]
    # 30 was bought once, 40 is new: the one counts among all repeats, the other for nothing. 20 comes a day too late.
    found = figures(
        bought(*past, (1, 30, -9), (1, 10, 5), (1, 30, 5), (1, 40, 5), (1, 20, 6)), oracle(score={(1, 20): 1.0})
    )
    assert (found["rank_customers_all"], found["rank_customers"]) == (1, 1)
    assert found["recall10_of_all_repeat_items"] == found["ceiling_recall_of_all_repeat_items"] == 0.5
    assert (found["recall10"], found["hit10"]) == (1, 1)
    assert found["ndcg10"] == pytest.approx(1 / math.log2(3))


def test_a_basket_of_new_things_alone_is_the_next_basket_all_the_same():
    found = figures(bought((1, 10, -9), (1, 10, 0), (1, 40, 5), (1, 10, 6)))
    assert found["rank_customers_all"] == 0
    assert math.isnan(found["recall10"])


def test_reminders_are_right_when_it_is_bought_within_two_weeks():
    past = [(1, product, day) for product in (10, 20) for day in (-9, 0)]
    found = figures(bought(*past, (1, 10, 14)), oracle(p14={(1, 20): 0.4}))
    assert found["reminder14_breakeven_precision"] == found["reminder14_precision_p50"] == 1
    assert (found["reminder14_n_p50"], found["reminder14_precision_top1_per_customer"]) == (1, 1)


def test_the_same_customer_counts_once_a_cutoff():
    rows = replay([oracle()], bought(*((1, 10, day) for day in (-40, -30, -20, 5))), cutoffs=[CUTOFF, CUTOFF - 25])
    pooled, *alone = [row for row in rows if row.segment == ALL]
    assert [row.cutoff for row in alone] == [CUTOFF - 25, CUTOFF]
    assert pooled.figures["rank_customers"] == sum(row.figures["rank_customers"] for row in alone) == 2


def test_segments_part_the_pairs(lines):
    rows = replay(contenders(["atd"]), lines, cutoffs=[CUTOFF], category_names=list("abcdefgh"))
    pairs = {row.segment: row.figures["pairs"] for row in rows}
    assert sum(pairs[f"purchases {some}"] for some in ("2", "3-4", "5-9", "10+")) == pairs[ALL]
    assert pairs["members new"] + pairs["members known"] == pairs[ALL]
    assert sum(pairs[f"category {name}"] for name in "abcdefgh") == pairs[ALL]


def test_a_member_is_new_for_sixty_days():
    rows = replay([oracle()], bought((1, 10, -59), (1, 10, 0), (2, 10, -60), (2, 10, 0), (2, 20, -5)), cutoffs=[CUTOFF])
    pairs = {row.segment: row.figures["pairs"] for row in rows}
    assert (pairs["members new"], pairs["members known"]) == (1, 1)


def test_bins_put_said_beside_seen():
    rows = [(who, 10, day) for who in (1, 2, 3) for day in (-9, 0)]
    found = replay([oracle(p14={(3, 10): 0.03})], bought(*rows, (1, 10, 5)), cutoffs=[CUTOFF])
    assert found[0].bins == (Bin(0.025, 0.05, 0.03, 0.0, 1), Bin(0.5, 0.6, 0.5, 0.5, 2))


# ---------------------------------------------------------------- contracts and choice of contenders
@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"p7": {(1, 10): 0.6}}, "chances that break"),
        ({"p28": {(1, 10): 1.1}}, "chances that break"),
        ({"lower_days": {(1, 10): 25.0}}, "dates that break"),
        ({"score": {(1, 10): math.nan}}, "no finite numbers"),
    ],
)
def test_a_contender_that_breaks_its_contract_is_named(said, message):
    with pytest.raises(ValueError, match=f"oracle has .*{message}"):
        figures(bought((1, 10, -9), (1, 10, 0)), oracle(**said))


def test_a_pair_without_a_forecast_is_refused():
    def forgetful(model, purchases, *, as_of):
        found = oracle().forecast(model, purchases, as_of=as_of)
        return found.take(found.product != 10)

    with pytest.raises(ValueError, match="oracle has no forecast for 1 of 2 judged pairs"):
        figures(bought((1, 10, -9), (1, 10, 0), (1, 20, -9), (1, 20, 0)), replace(oracle(), forecast=forgetful))


def test_a_pair_with_two_forecasts_is_refused():
    def doubled(model, purchases, *, as_of):
        found = oracle().forecast(model, purchases, as_of=as_of)
        return found.take(np.zeros(2, int))

    with pytest.raises(ValueError, match="oracle has two forecasts for one pair"):
        figures(bought((1, 10, -9), (1, 10, 0)), replace(oracle(), forecast=doubled))


def test_contenders_are_all_models_and_baselines():
    assert [one.name for one in contenders()] == [*replenish.KINDS, *baselines.NAMES]


def test_an_unknown_contender_is_named():
    with pytest.raises(ValueError, match="there is no model 'crystal-ball', only light"):
        contenders(["light", "crystal-ball"])


def test_progress_is_told_of_every_fit(lines):
    told = []
    replay(contenders(["atd", "poisson-gamma"]), lines, cutoffs=[CUTOFF], progress=lambda *one: told.append(one))
    assert told == [("atd", CUTOFF), ("poisson-gamma", CUTOFF)]


# ---------------------------------------------------------------- young shops
def test_the_last_cutoff_leaves_the_follow_up(lines):
    assert cutoffs_for(lines) == (CUTOFF - 42, CUTOFF - 21, CUTOFF)
    assert cutoffs_for(lines, count=1, follow_up=14) == (CUTOFF + 42,)


@pytest.mark.parametrize(("days", "follow_up"), [(300, 56), (112, 56), (111, 28), (31, 14), (20, 7), (3, 7)])
def test_the_follow_up_fits_the_history(lines, days, follow_up):
    first = int(lines.day.min())
    some = lines.take(lines.day < first + days)
    some = replace(
        some, day=np.where(np.arange(len(some)) == len(some) - 1, first + days - 1, some.day).astype(np.int32)
    )
    assert follow_up_for(some) == follow_up


def test_a_month_of_history_is_judged(lines):
    some = lines.take(lines.day < START + 35)
    follow_up = follow_up_for(some)
    assert follow_up == 14
    rows = replay(
        contenders(["light", "poisson-gamma"]), some, cutoffs=cutoffs_for(some, follow_up=follow_up), follow_up=14
    )
    found = rows[0].figures
    assert found["pairs"] > 0
    for name in ("logloss7", "logloss14", "recall10"):
        assert math.isfinite(found[name]), name
    for name in ("logloss28", "pr_auc28", "mae_days", "coverage80", "share_back_in_H"):
        assert math.isnan(found[name]), name
    assert verdict(rows, "light", ["poisson-gamma"]).comparisons[0].figure == "logloss14"


def test_a_shop_of_two_weeks_is_judged_by_seven_days(lines):
    rows = replay(contenders(["atd", "poisson-gamma"]), lines, cutoffs=[CUTOFF], follow_up=7)
    assert math.isnan(rows[0].figures["logloss14"])
    assert math.isnan(rows[0].figures["reminder14_n_p50"])
    assert rows[0].bins
    assert verdict(rows, "atd", ["poisson-gamma"]).comparisons[0].figure == "logloss7"


@pytest.mark.parametrize(
    "purchases",
    [Purchases.empty(), bought((1, 10, 0)), bought((1, 10, 0), (1, 20, 30))],
    ids=["none", "one", "no repeat"],
)
def test_what_cannot_be_judged_has_no_cutoffs_rows_or_winner(purchases):
    assert cutoffs_for(purchases, follow_up=follow_up_for(purchases)) == ()
    assert replay(contenders(["atd"]), purchases, cutoffs=[CUTOFF]) == []
    assert not verdict([], "light", ["atd"]).passed


def test_a_count_below_one_is_refused(lines):
    with pytest.raises(ValueError, match="count and follow_up must be at least 1"):
        cutoffs_for(lines, count=0)


# ---------------------------------------------------------------- the verdict
def rows_of(**losses: tuple[float, float, float]) -> list[Row]:
    """Pooled rows with log loss, PR and NDCG by contender, and others that must not count."""
    names = ("logloss14", "pr_auc14", "ndcg10")
    pooled = [Row(name, None, ALL, WINDOW, dict(zip(names, values, strict=True))) for name, values in losses.items()]
    return [*pooled, *(replace(row, cutoff=CUTOFF, figures=dict.fromkeys(names, 0.5)) for row in pooled)]


@pytest.mark.parametrize(
    ("candidate", "passed"),
    [
        ((0.26, 0.37, 0.47), True),
        ((0.27, 0.37, 0.47), False),
        ((0.28, 0.40, 0.50), False),
        ((0.26, 0.366, 0.466), True),
        ((0.26, 0.36, 0.47), False),
        ((0.26, 0.37, 0.46), False),
        ((math.nan, 0.37, 0.47), False),
        ((0.26, math.nan, math.nan), True),
    ],
    ids=["better", "equal", "worse loss", "a little behind", "PR too low", "NDCG too low", "no loss", "loss alone"],
)
def test_a_candidate_needs_less_loss_and_no_worse_lists(candidate, passed):
    assert verdict(rows_of(new=candidate, old=(0.27, 0.37, 0.47)), "new", ["old"]).passed is passed


def test_one_rival_that_does_better_is_enough():
    found = verdict(
        rows_of(new=(0.26, 0.37, 0.47), old=(0.27, 0.37, 0.47), atd=(0.25, 0.1, 0.1)), "new", ["old", "atd"]
    )
    assert not found.passed
    assert [(one.rival, one.figure) for one in found.comparisons if not one.passed] == [("atd", "logloss14")]


def test_a_rival_that_took_no_part_is_named():
    with pytest.raises(ValueError, match="'old' was not in the back-test, only new"):
        verdict(rows_of(new=(0.26, 0.37, 0.47)), "new", ["old"])


def test_everything_is_said_of_every_pooled_row(lines):
    rows = replay(contenders(["atd"]), lines, cutoffs=[CUTOFF])
    assert all(math.isfinite(value) for value in rows[0].figures.values())
    assert rows[0].figures.keys() == rows[-1].figures.keys()
    assert [row.cutoff for row in rows if row.segment == ALL] == [None, CUTOFF]
