import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replenish import KINDS, dump, fit, forecast, load
from replenish import learning as engine
from replenish.intervals import next_days, summarise
from replenish.metrics import coverage, ece, roc_auc
from replenish.simulate import Products, simulate
from replenish.stored import pack
from replenish.types import WINDOW, Purchases

START, DAYS = 20_000, 420
AS_OF = START + DAYS - WINDOW


@pytest.fixture(scope="module")
def lines():
    rng = np.random.default_rng(2)
    use_days = np.repeat(rng.choice([10.0, 15.0, 21.0, 30.0, 45.0], 20), 2)
    products = Products(need=np.arange(40) // 2, use_days=use_days, popularity=rng.lognormal(0, 1, 40))
    return simulate(products, rng, members=400, start_day=START, days=DAYS).purchases(products)


@pytest.fixture(scope="module", params=KINDS)
def model(request, lines):
    return fit(lines, as_of=AS_OF, kind=request.param)


@pytest.fixture(scope="module")
def judged(lines, model):
    """Forecasts of pairs bought twice or more, and the days until they were bought again."""
    found = forecast(model, lines, as_of=AS_OF)
    pairs, _ = summarise(lines, as_of=AS_OF)
    found = found.take(np.lexsort((found.product, found.customer)))
    wait = next_days(lines, pairs, as_of=AS_OF, until=AS_OF + WINDOW)
    again = found.purchases > 1
    return found.take(again), wait[again]


def test_the_version_names_the_model(model):
    assert model.version in {"light-1", "full-1"}
    assert model.as_of == AS_OF


def test_another_version_is_refused(model):
    with pytest.raises(ValueError, match="light-0"):
        load(pack("light-0", model.arrays()))


@pytest.mark.parametrize("place", [0, 30, 60, 5_000, -1])
def test_a_stored_model_with_a_changed_bit_is_refused(model, place):
    data = bytearray(dump(model))
    data[place] ^= 1
    with pytest.raises(ValueError, match=r"damaged|not a stored model"):
        load(bytes(data))


def test_half_a_stored_model_is_refused(model):
    data = dump(model)
    with pytest.raises(ValueError, match="damaged"):
        load(data[: len(data) // 2])


@pytest.mark.parametrize("horizon", [7, 14, 28])
def test_chances_are_calibrated_on_what_came_after(judged, horizon):
    found, wait = judged
    assert ece(wait <= horizon, getattr(found, f"p{horizon}")) < 0.06


def as_many_as_said(came, chance):
    """As many came as was said, give or take luck (three standard deviations) and two in a hundred."""
    luck = 3 * np.sqrt((chance * (1 - chance)).sum()) / len(chance)
    assert came.mean() == pytest.approx(chance.mean(), abs=0.02 + luck)


@pytest.mark.parametrize("horizon", [7, 14, 28])
@pytest.mark.parametrize(("least", "most"), [(2, 2), (3, 4), (5, 10_000)])
def test_chances_are_calibrated_whatever_the_number_of_purchases(judged, least, most, horizon):
    found, wait = judged
    rows = (found.purchases >= least) & (found.purchases <= most)
    assert rows.sum() > 200
    as_many_as_said(wait[rows] <= horizon, getattr(found, f"p{horizon}")[rows])


@pytest.mark.parametrize("horizon", [7, 14, 28])
def test_chances_are_calibrated_in_each_larger_category(judged, horizon):
    found, wait = judged
    category = found.product // 2
    larger = [rows for rows in (category == c for c in range(20)) if rows.sum() >= 200]
    assert len(larger) > 8
    for rows in larger:
        as_many_as_said(wait[rows] <= horizon, getattr(found, f"p{horizon}")[rows])


def test_chances_tell_who_comes_back(judged):
    found, wait = judged
    assert roc_auc(wait <= 14, found.p14) > 0.85


def test_four_of_five_come_back_within_their_window(judged):
    found, wait = judged
    back = np.isfinite(wait)
    assert coverage(wait[back], found.lower_days[back], found.upper_days[back]) == pytest.approx(0.8, abs=0.06)


def test_half_come_back_before_the_median(judged):
    found, wait = judged
    back = np.isfinite(wait)
    assert (wait[back] <= found.median_days[back]).mean() == pytest.approx(0.5, abs=0.08)


def test_a_large_shop_is_fitted_on_whole_households(lines, monkeypatch):
    past = lines.take(lines.day <= AS_OF)
    monkeypatch.setattr(engine, "ENOUGH", len(past) // 4 + 1)
    sampled = fit(lines, as_of=AS_OF, kind="light")
    some = past.take(np.isin(past.customer, np.unique(past.customer)[::4]))
    monkeypatch.undo()
    assert dump(sampled) == dump(fit(some, as_of=AS_OF, kind="light"))
    assert np.abs(sampled.habits.gaps[0] / fit(lines, as_of=AS_OF, kind="light").habits.gaps[0] - 1) < 0.15


@pytest.mark.parametrize("silent", [0, 30, 20_000])
def test_a_daily_buyer_of_six_years_is_no_overflow(silent):
    day = np.arange(2000)
    lines = Purchases.from_columns(customer=day * 0, product=day * 0, day=day)
    as_of = 1999 + silent
    found = forecast(fit(lines, as_of=as_of), lines, as_of=as_of)
    assert found.p7[0] > 0.95 if silent == 0 else found.p7[0] < 0.05
    assert found.interval_days[0] == pytest.approx(1, abs=0.1)


line = st.tuples(
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(-30_000, 30_000) | st.integers(-70, 5),
    st.sampled_from([1.0, 1.0, 2.0, 0.001, 1e9, 0.0, -1.0, -50.0]),
    st.integers(-1, 1),
    st.integers(-1, 1),
    st.sampled_from([np.nan, 1.0, 1e-6, 1e12, 0.0, -3.0, np.inf]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(line, min_size=1, max_size=12))
def test_whatever_lines_come_the_numbers_are_sensible(rows):
    """Warnings are errors here: no overflow, no division by zero hides behind a clipped result."""
    customer, product, day, quantity, need, category, size = zip(*rows, strict=True)
    lines = Purchases.from_columns(
        customer=customer,
        product=product,
        day=day,
        quantity=quantity,
        need=need,
        category=category,
        size=size,
    )
    found = forecast(fit(lines, as_of=0), lines, as_of=0)
    for name, column in found.columns():
        assert np.isfinite(column).all(), name
    assert ((found.p7 <= found.p14) & (found.p14 <= found.p28) & (found.p28 <= 1)).all()
    assert ((found.lower_days > 0) & (found.lower_days <= found.median_days)).all()
    assert (found.median_days <= found.upper_days).all()
