import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replenish import metrics


def test_mae_is_the_mean_distance():
    assert metrics.mae([10, 20, 30], [12, 20, 24]) == pytest.approx(8 / 3)


def test_median_error_is_the_middle_distance():
    assert metrics.median_error([10, 20, 30], [12, 20, 24]) == 2


def test_within_counts_the_distance_itself():
    assert metrics.within([10, 20, 30, 40], [13, 20, 26, 50], 3) == 0.5


def test_bias_is_above_zero_where_predictions_come_late():
    assert metrics.bias([10, 20], [13, 19]) == 1


def test_pinball_weighs_too_low_and_too_high():
    assert metrics.pinball([10, 10], [8, 13], 0.9) == pytest.approx((0.9 * 2 + 0.1 * 3) / 2)


def test_pinball_at_the_median_is_half_the_mae():
    assert metrics.pinball([1, 5, 9], [2, 2, 2], 0.5) == metrics.mae([1, 5, 9], [2, 2, 2]) / 2


def test_coverage_counts_the_ends():
    assert metrics.coverage([1, 2, 3, 4], [1, 0, 4, 0], [5, 2, 9, 3]) == 0.5


def test_outside_tells_below_from_above():
    assert metrics.outside([1, 2, 3, 4], [2, 0, 0, 4], [5, 1, 1, 4]) == (0.25, 0.5)


def test_width_is_the_mean_of_the_windows():
    assert metrics.width([1, 2], [4, 10]) == 5.5


def test_brier_is_the_mean_square():
    assert metrics.brier([1, 0], [0.5, 0.2]) == pytest.approx((0.25 + 0.04) / 2)


def test_brier_skill_is_what_is_saved_of_always_saying_the_mean():
    assert metrics.brier_skill([1, 0, 0, 0], [0.25] * 4) == 0
    assert metrics.brier_skill([1, 0, 0, 0], [1, 0, 0, 0]) == 1
    assert metrics.brier_skill([1, 0], [0.5, 0.2]) == pytest.approx(1 - 0.145 / 0.25)


def test_log_loss_of_a_coin_is_log_two():
    assert metrics.log_loss([0, 1], [0.5, 0.5]) == pytest.approx(math.log(2))


def test_log_loss_of_a_bold_miss_stays_finite():
    assert metrics.log_loss([1], [0.0]) == pytest.approx(-math.log(metrics.CLIP))


def test_roc_auc_counts_pairs_in_order_and_half_the_ties():
    # Pairs (happened, not): .8>.3, .8>.5, .5>.3, .5=.5
    assert metrics.roc_auc([1, 0, 1, 0], [0.8, 0.3, 0.5, 0.5]) == pytest.approx(3.5 / 4)


def test_pr_auc_is_average_precision():
    # Hits at places 1 and 3: precision 1 and 2/3, each for half of the recall.
    assert metrics.pr_auc([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]) == pytest.approx((1 + 2 / 3) / 2)


def test_pr_auc_of_equal_scores_is_the_share_that_happened():
    assert metrics.pr_auc([1, 0, 0, 0], [0.5] * 4) == 0.25


def test_ece_is_the_gap_between_said_and_seen():
    happened, said = [0, 0, 0, 1, 1, 1, 1, 1], [0.1] * 4 + [0.9] * 4
    # Low half: said .1, seen .25. High half: said .9, seen 1.
    assert metrics.ece(happened, said, bins=2) == pytest.approx((0.15 + 0.1) / 2)


def test_ece_of_honest_chances_is_nil():
    rng = np.random.default_rng(0)
    said = rng.random(200_000)
    assert metrics.ece(rng.random(200_000) < said, said) < 0.01


def test_reliability_puts_said_beside_seen():
    said, seen, count = metrics.reliability([0, 1, 1, 1], [0.1, 0.3, 0.8, 1.0], [0.0, 0.5, 0.6, 1.0])
    np.testing.assert_allclose(said, [0.2, np.nan, 0.9])
    np.testing.assert_allclose(seen, [0.5, np.nan, 1.0])
    assert count.tolist() == [2, 0, 2]


def test_reliability_puts_an_edge_into_the_bin_it_begins():
    assert metrics.reliability([0, 0], [0.5, 0.4], [0.0, 0.5, 1.0])[2].tolist() == [1, 1]


def test_break_even_picks_as_many_as_happened():
    # Two happened; of the two likeliest one did.
    assert metrics.break_even_precision([1, 0, 0, 1], [0.9, 0.8, 0.1, 0.2]) == 0.5


def test_precision_from_an_even_chance_on_counts_the_even_chance():
    assert metrics.precision_from(0.5, [1, 0, 1], [0.5, 0.6, 0.4]) == (0.5, 2)


LISTS = {
    "customer": [1, 1, 1, 2, 2, 3],
    "product": [1, 2, 3, 1, 2, 1],
    "score": [0.9, 0.5, 0.1, 0.2, 0.8, 0.5],
    "bought": [1, 0, 1, 1, 0, 0],
}


def test_recall_is_the_mean_over_those_who_bought():
    assert metrics.recall_at(2, **LISTS) == pytest.approx((1 / 2 + 1) / 2)
    assert metrics.recall_at(1, **LISTS) == pytest.approx((1 / 2 + 0) / 2)


def test_hit_is_one_thing_among_the_first():
    assert metrics.hit_at(1, **LISTS) == 0.5
    assert metrics.hit_at(2, **LISTS) == 1


def test_precision_at_first_asks_the_head_of_every_list():
    lists = [LISTS[name] for name in ("customer", "product", "score", "bought")]
    assert metrics.precision_at_first(*lists) == pytest.approx(1 / 3)


def test_of_equal_scores_the_lower_product_is_first():
    assert metrics.precision_at_first([1, 1], [8, 7], [0.5, 0.5], [0, 1]) == 1


def test_recall_of_all_counts_what_no_list_could_hold():
    # The first wanted four things; two are on the list, one among its first two. The third's is not on his.
    found = metrics.recall_of_all_at(2, **LISTS, wanted=[4, 4, 4, 1, 1, 1])
    assert found == (pytest.approx((1 / 4 + 1 + 0) / 3), pytest.approx((2 / 4 + 1 + 0) / 3))


def test_ndcg_discounts_by_place():
    first = (1 + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    second = 1 / math.log2(3)
    assert metrics.ndcg_at(3, **LISTS) == pytest.approx((first + second) / 2)


def test_a_perfect_list_has_ndcg_one():
    assert metrics.ndcg_at(2, [1] * 4, [1, 2, 3, 4], [4, 3, 2, 1], [1, 1, 1, 0]) == pytest.approx(1)


def test_a_list_needs_a_length():
    with pytest.raises(ValueError, match="k must be at least 1"):
        metrics.recall_at(0, **LISTS)


def test_nobody_bought_has_no_recall():
    assert math.isnan(metrics.recall_at(3, [1], [1], [0.5], [0]))


@pytest.mark.parametrize(
    "of_nothing",
    [
        lambda: metrics.mae([], []),
        lambda: metrics.median_error([], []),
        lambda: metrics.brier_skill([1, 1], [0.5, 0.9]),
        lambda: metrics.break_even_precision([0, 0], [0.5, 0.9]),
        lambda: metrics.precision_from(0.5, [1], [0.4])[0],
        lambda: metrics.coverage([], [], []),
        lambda: metrics.ece([], []),
        lambda: metrics.roc_auc([1, 1], [0.1, 0.2]),
        lambda: metrics.pr_auc([0, 0], [0.1, 0.2]),
    ],
    ids=[
        "mae",
        "median error",
        "brier skill of one class",
        "break-even of none",
        "precision of none",
        "coverage",
        "ece",
        "roc of one class",
        "pr of one class",
    ],
)
def test_what_is_not_defined_is_nan(of_nothing):
    assert math.isnan(of_nothing())


def test_columns_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        metrics.mae([1, 2], [1])


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.4, 0.5, 0.9])), min_size=1, max_size=30))
def test_roc_auc_agrees_with_counting_every_pair(rows):
    happened, score = np.array(rows, float).T
    above = [(s > t) + (s == t) / 2 for s in score[happened == 1] for t in score[happened == 0]]
    found = metrics.roc_auc(happened, score)
    assert math.isnan(found) if not above else found == pytest.approx(np.mean(above))
