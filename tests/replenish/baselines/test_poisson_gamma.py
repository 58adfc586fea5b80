import numpy as np
import pytest

from replenish import baselines
from replenish.baselines.poisson_gamma import GREATEST_SHAPE
from tests.replenish.baselines.examples import SHOP, TODAY, bought, joined


def test_chance_is_that_of_the_mean_rate():
    model = baselines.fit("poisson-gamma", SHOP, as_of=TODAY)
    found = baselines.forecast(model, bought(99, 10, 20, 31, 40), as_of=TODAY)
    rate = (4 + model.alpha[-1]) / (40 + model.beta[-1])
    assert found.p14[0] == pytest.approx(1 - np.exp(-14 * rate))
    assert found.median_days[0] == pytest.approx(-np.log(1 - 0.5 * (1 - np.exp(-56 * rate))) / rate)


def test_moments_of_two_kinds_of_buyers_by_hand():
    """Rates .2 and .1 in equal parts: mean .15, variance .0025, so alpha = 9 and beta = 60."""
    often = [bought(member, 0, 5, 10, 20) for member in range(20)]
    seldom = [bought(member, 0, 20) for member in range(20, 40)]
    model = baselines.fit("poisson-gamma", joined(*often, *seldom), as_of=TODAY)
    assert model.alpha[-1] == pytest.approx(9)
    assert model.beta[-1] == pytest.approx(60)


def test_fit_finds_the_rates_pairs_were_made_with():
    rng = np.random.default_rng(6)
    parts = []
    for member, rate in enumerate(rng.gamma(3.0, 1 / 60, 700)):
        day = np.unique(np.floor(np.cumsum(rng.exponential(1 / rate, 200))))
        parts.append(bought(member, 900, *(900 - day[day <= 900])))
    model = baselines.fit("poisson-gamma", joined(*parts), as_of=TODAY)
    assert model.alpha[-1] / model.beta[-1] == pytest.approx(3 / 60, rel=0.05)
    assert model.alpha[-1] == pytest.approx(3.0, rel=0.2)


def test_households_all_alike_still_differ_a_little():
    lines = joined(*(bought(member, 0, 20) for member in range(40)))
    model = baselines.fit("poisson-gamma", lines, as_of=TODAY)
    assert model.alpha[-1] == pytest.approx(GREATEST_SHAPE)


def test_a_shop_bought_from_once_knows_what_is_usual():
    model = baselines.fit("poisson-gamma", bought(1, 0), as_of=TODAY)
    assert model.alpha == pytest.approx([0.5])
    assert model.beta == pytest.approx([15.0])
