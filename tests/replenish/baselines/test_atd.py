import numpy as np
import pytest
from scipy.stats import lognorm

from replenish import baselines
from replenish.baselines.atd import Waiting
from tests.replenish.baselines.examples import SHOP, TODAY, bought, joined, weekly


def test_chance_is_the_share_of_longer_gaps_that_end_in_time():
    waiting = Waiting(mu=np.array([3.0]), sigma=np.array([0.8]), elapsed=np.array([9.5]))
    longer = lognorm(s=0.8, scale=np.exp(3)).sf
    assert waiting.chance(14)[0] == pytest.approx(1 - longer(23.5) / longer(9.5))


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("elapsed", [0.5, 30.0, 3_000.0])
def test_date_at_a_level_is_the_one_reached_with_that_chance_within_the_window(level, elapsed):
    waiting = Waiting(mu=np.array([3.0, 3.0]), sigma=np.array([0.9, 0.1]), elapsed=np.full(2, elapsed))
    days = waiting.quantile(level, 56)
    assert (days > 0).all()
    reached = [waiting.chance(day)[row] for row, day in enumerate(days)]
    np.testing.assert_allclose(reached, level * waiting.chance(56), rtol=1e-6)


def test_fit_finds_the_distribution_gaps_were_drawn_from():
    rng = np.random.default_rng(4)
    gaps = np.maximum(np.rint(np.exp(rng.normal(3.2, 0.5, (300, 8)))), 1).astype(int)
    lines = joined(*(bought(member, *np.cumsum(own)) for member, own in enumerate(gaps)))
    model = baselines.fit("atd", lines, as_of=TODAY)
    assert model.mu[-1] == pytest.approx(3.2, abs=0.03)
    assert model.sigma[-1] == pytest.approx(0.5, abs=0.03)


def test_gaps_that_are_all_alike_leave_a_little_doubt():
    model = baselines.fit("atd", SHOP, as_of=TODAY)
    today, later = (baselines.forecast(model, weekly(99, 5, since=since), as_of=TODAY) for since in (0, 5))
    assert 0.6 < today.p7[0] < 0.9
    assert later.median_days[0] < today.median_days[0]


def test_a_silence_of_years_still_has_a_chance_and_a_date():
    found = baselines.forecast(baselines.fit("atd", SHOP, as_of=TODAY), bought(99, 900, 907), as_of=TODAY)
    assert 0 < found.p7[0] <= found.p28[0] <= 1
    assert found.median_days[0] <= 56
