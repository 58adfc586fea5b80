from dataclasses import replace

import numpy as np
import pytest

from replenish import backtest
from replenish.backtest import Contender
from replenish.simulate import Products, simulate
from replenish.types import Forecasts, Purchases

START = 20_000
CUTOFF = 20_243


@pytest.fixture(scope="module")
def lines() -> Purchases:
    rng = np.random.default_rng(3)
    products = Products(need=np.arange(16) // 2, use_days=rng.uniform(7, 40, 16), popularity=np.ones(16))
    return simulate(products, rng, members=30, start_day=START, days=300).purchases(products)


def test_a_contender_is_handed_the_lines_until_the_cutoff_alone(lines):
    baseline = backtest.contenders(["poisson-gamma"])[0]
    seen = []

    def spy(purchases, **more):
        seen.append(purchases)
        return baseline.fit(purchases, **more)

    def ask(model, purchases, **more):
        seen.append(purchases)
        return baseline.forecast(model, purchases, **more)

    backtest.replay([Contender("spy", spy, ask)], lines, cutoffs=[CUTOFF])
    assert [(past.day.max() <= CUTOFF, past.day.base is None) for past in seen] == [(True, True)] * 2


def test_a_planted_future_changes_no_forecast(lines):
    baseline = backtest.contenders(["atd"])[0]
    said: list[Forecasts] = []

    def ask(model, purchases, **more):
        said.append(baseline.forecast(model, purchases, **more))
        return said[-1]

    planted = Purchases(
        *(
            np.concatenate([getattr(lines, name), getattr(rows, name)])
            for rows in [replace(lines, day=np.full_like(lines.day, CUTOFF + 1))]
            for name in ("customer", "product", "day", "quantity", "need", "category", "size", "price")
        )
    )
    before, *_ = backtest.replay([Contender("atd", baseline.fit, ask)], lines, cutoffs=[CUTOFF])
    after, *_ = backtest.replay([Contender("atd", baseline.fit, ask)], planted, cutoffs=[CUTOFF])
    for (name, ours), (_, theirs) in zip(said[0].columns(), said[1].columns(), strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    assert before.figures["base7"] < after.figures["base7"] == 1.0
