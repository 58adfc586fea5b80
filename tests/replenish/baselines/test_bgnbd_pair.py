import numpy as np
import pytest

from replenish import baselines
from replenish.bgnbd import History, curve
from replenish.simulate import simulate_bgnbd
from tests.replenish.baselines.examples import SHOP, TODAY, bought, joined

MODEL = baselines.fit("bgnbd-pair", SHOP, as_of=TODAY)


def test_chance_is_that_of_the_category():
    found = baselines.forecast(MODEL, bought(99, 10, 20, 50), as_of=TODAY)
    own = curve(MODEL.parameters[:, 1:], History(np.array([2.0]), np.array([40.0]), np.array([50.0])))
    assert found.p14[0] == own.chance(14.0)[0]


def test_an_unknown_category_has_the_chance_of_the_shop():
    found = baselines.forecast(MODEL, bought(99, 10, 20, 50, category=77), as_of=TODAY)
    shop = curve(MODEL.parameters[:, :1], History(np.array([2.0]), np.array([40.0]), np.array([50.0])))
    assert found.p14[0] == shop.chance(14.0)[0]


def test_a_long_silence_means_gone_not_overdue():
    chances = [baselines.forecast(MODEL, bought(99, s, s + 7, s + 14), as_of=TODAY).p14[0] for s in (5, 40, 200)]
    assert chances == sorted(chances, reverse=True)


def test_categories_keep_their_own_parameters():
    daily = joined(SHOP, *(bought(member, *range(0, 60, 2), product=2, category=2) for member in range(40)))
    model = baselines.fit("bgnbd-pair", daily, as_of=TODAY)
    r, alpha, _, _ = np.exp(model.parameters)
    assert r[2] / alpha[2] > 1.5 * r[1] / alpha[1]


def test_fit_finds_the_parameters_pairs_were_made_with():
    true = {"r": 1.2, "alpha": 40.0, "a": 0.7, "b": 2.5}
    made = simulate_bgnbd(np.random.default_rng(2), **true, pairs=3_000, days=300)
    history = made.history()
    parts = [
        bought(pair, *np.unique(np.linspace(age, age - recency, int(x) + 1).round()))
        for pair, (x, recency, age) in enumerate(zip(history.repeats, history.recency, history.age, strict=True))
    ]
    model = baselines.fit("bgnbd-pair", joined(*parts), as_of=TODAY)
    r, alpha, a, b = np.exp(model.parameters[:, 1])
    assert r / alpha == pytest.approx(1.2 / 40, rel=0.15)
    assert a / (a + b) == pytest.approx(0.7 / 3.2, rel=0.2)
