import numpy as np
import pytest

from replenish import baselines
from tests.replenish.baselines.examples import SHOP, TODAY, bought, joined

MODEL = baselines.fit("modified-poisson-gamma", SHOP, as_of=TODAY)


def share(model, product=1):
    return model.back[1 + np.flatnonzero(model.products == product)[0]]


@pytest.mark.parametrize(
    ("since", "watched"),
    [(0, 20 + 2 * 10), (5, 20 + 2 * 5), (10, 20 + 0), (15, 20 + 2 * 5), (19, 20 + 2 * 9), (20, 40), (50, 70)],
)
def test_rate_is_highest_one_mean_gap_after_the_last_purchase(since, watched):
    found = baselines.forecast(MODEL, bought(99, since, since + 12, since + 20), as_of=TODAY)
    rate = (3 + MODEL.alpha[-1]) / (watched + MODEL.beta[-1])
    assert found.p14[0] == pytest.approx(share(MODEL) * (1 - np.exp(-14 * rate)))


def test_bought_once_is_as_in_poisson_gamma():
    plain = baselines.fit("poisson-gamma", SHOP, as_of=TODAY)
    once = [baselines.forecast(model, bought(99, 8), as_of=TODAY).p14[0] for model in (MODEL, plain)]
    assert once[0] == pytest.approx(share(MODEL) * once[1])


def test_share_who_came_back_by_hand():
    """Product 1: 3 of 4 came back. Product 2: 0 of 2. Shop: 3 of 6, and 2 of 10 taken for granted."""
    lines = joined(
        *(bought(member, 0, 9) for member in range(3)),
        bought(3, 0),
        bought(1, 5, product=2),
        bought(2, 5, product=2),
    )
    model = baselines.fit("modified-poisson-gamma", lines, as_of=TODAY)
    shop = 5 / 16
    np.testing.assert_allclose(model.back, [shop, (3 + 2 * shop) / 6, (0 + 2 * shop) / 4])


def test_a_product_never_seen_has_the_share_of_the_shop():
    found = baselines.forecast(MODEL, bought(99, 8, product=5, category=9), as_of=TODAY)
    rate = (1 + MODEL.alpha[0]) / (8 + MODEL.beta[0])
    assert found.p14[0] == pytest.approx(MODEL.back[0] * (1 - np.exp(-14 * rate)))


def test_dates_are_given_a_return():
    sure, unsure = (np.full_like(MODEL.back, back) for back in (1.0, 0.1))
    dates = [
        baselines.forecast(type(MODEL)(**{**MODEL.arrays(), "back": back}), bought(99, 3, 20), as_of=TODAY).median_days
        for back in (sure, unsure)
    ]
    assert dates[0] == dates[1]
