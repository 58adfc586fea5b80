"""Every promise of estimator_contract.py, kept by every model."""

from functools import partial

import numpy as np
import pytest

import replenish
from replenish import baselines
from replenish.simulate import Products, simulate
from replenish.types import Purchases
from tests.replenish.estimator_contract import PROMISES, Contender

AS_OF = 20_300

CONTENDERS = [
    *(
        Contender(kind, partial(replenish.fit, kind=kind), replenish.forecast, replenish.dump, replenish.load)
        for kind in replenish.KINDS
    ),
    *(
        Contender(name, partial(baselines.fit, name), baselines.forecast, baselines.dump, baselines.load)
        for name in baselines.NAMES
    ),
]


@pytest.fixture(scope="module")
def lines() -> Purchases:
    """A small shop with a future, returns, unknown needs, categories and sizes, and fractions of packs."""
    rng = np.random.default_rng(11)
    products = Products(need=np.arange(18) // 2, use_days=rng.uniform(7, 50, 18), popularity=np.ones(18))
    bought = simulate(products, rng, members=40, start_day=AS_OF - 250, days=320)
    need = products.need[bought.product]
    size = np.where(need < 4, 1.0 + bought.product % 2, np.nan)
    quantity = bought.quantity * np.where(bought.product == 3, 0.35, 1.0)
    quantity = np.where(rng.random(len(quantity)) < 0.03, -quantity, quantity)
    return Purchases.from_columns(
        customer=bought.member,
        product=bought.product,
        day=bought.day,
        quantity=quantity,
        need=np.where(need == 8, -1, need),
        category=np.where(need >= 7, -1, need // 2),
        size=size,
    )


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
@pytest.mark.parametrize("promise", PROMISES)
def test_promise_is_kept(promise: str, contender: Contender, lines: Purchases) -> None:
    PROMISES[promise](contender, lines, AS_OF)
