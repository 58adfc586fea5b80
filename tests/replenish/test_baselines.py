import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln

from replenish import baselines
from replenish.types import Purchases

TODAY = 1_000


def weekly(member, count, *, every=7, since=0):
    """``count`` purchases of product 1, the last one ``since`` days before today."""
    day = TODAY - since - every * np.arange(count)
    return Purchases.from_columns(customer=[member] * count, product=[1] * count, day=day, category=[1] * count)


def joined(*parts):
    names = ("customer", "product", "day", "quantity", "need", "category", "size", "price")
    return Purchases(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


SHOP = joined(*(weekly(member, 20, since=member % 7) for member in range(40)))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no baseline 'arima'"):
        baselines.fit("arima", SHOP, as_of=TODAY)


@pytest.mark.parametrize("name", ["mean-interval", "median-interval"])
def test_an_interval_after_the_last_purchase_is_due(name):
    model = baselines.fit(name, SHOP, as_of=TODAY)
    found = baselines.forecast(model, weekly(99, 30, since=3), as_of=TODAY)
    assert found.median_days[0] == pytest.approx(4, abs=0.5)
    assert found.interval_days[0] == pytest.approx(7, abs=0.3)


def test_the_median_interval_does_not_mind_a_long_holiday():
    holiday = joined(SHOP, *(weekly(member, 2, every=200, since=400) for member in range(100, 130)))
    mean, median = (baselines.fit(f"{kind}-interval", holiday, as_of=TODAY) for kind in ("mean", "median"))
    assert median.gaps[1] < mean.gaps[1] - 1


def test_atd_waits_what_is_left_of_the_usual_gaps():
    model = baselines.fit("atd", SHOP, as_of=TODAY)
    today, later = (baselines.forecast(model, weekly(99, 5, since=since), as_of=TODAY) for since in (0, 5))
    assert today.p7[0] > 0.9
    assert later.median_days[0] < today.median_days[0]


def test_atd_share_of_longer_gaps_falls_from_one_and_stays_above_zero():
    longer = baselines.fit("atd", SHOP, as_of=TODAY).table
    assert (longer[:, 0] == 1).all()
    assert (np.diff(longer, axis=1) <= 0).all()
    assert (longer > 0).all()


def test_atd_gaps_beyond_the_longest_are_not_told_apart():
    model = baselines.fit("atd", SHOP, as_of=TODAY)
    found = baselines.forecast(model, weekly(99, 2, since=900), as_of=TODAY)
    assert 0 <= found.p28[0] <= 1
    assert np.isfinite(found.median_days[0])


def test_poisson_gamma_is_the_integral_over_the_rate():
    model = baselines.fit("poisson-gamma", SHOP, as_of=TODAY)
    found = baselines.forecast(model, weekly(99, 4, since=10), as_of=TODAY)
    r, alpha = np.exp(model.table[1])
    shape, scale = r + 3, alpha + 31

    def missed(rate):
        logs = shape * np.log(scale) + (shape - 1) * np.log(rate) - (scale + 14) * rate - gammaln(shape)
        return np.exp(logs)

    assert found.p14[0] == pytest.approx(1 - quad(missed, 0, 1)[0], rel=1e-5)


def test_poisson_gamma_finds_the_rate_of_the_shop():
    rng = np.random.default_rng(6)
    parts = []
    for member, rate in enumerate(rng.gamma(2.0, 1 / 40, 600)):
        day = np.unique(TODAY - 300 + np.floor(np.cumsum(rng.exponential(1 / rate, 80))))
        day = np.append(TODAY - 300, day[day <= TODAY])
        parts.append(Purchases.from_columns(customer=[member] * len(day), product=[1] * len(day), day=day))
    model = baselines.fit("poisson-gamma", joined(*parts), as_of=TODAY)
    r, alpha = np.exp(model.table[0])
    assert r / alpha == pytest.approx(2 / 40, rel=0.1)
    assert r == pytest.approx(2.0, rel=0.25)
