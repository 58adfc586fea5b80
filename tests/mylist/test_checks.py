"""Forecasts kept, judged by what was bought since, and summed up."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from mylist import checks, tasks
from mylist.checks import Choice
from mylist.models import ChanceScore, DateScore, ForecastCheck, ListItem, Prediction
from shop.models import Order, Purchase
from tests.factories import (
    ListItemFactory,
    OfferFactory,
    OrderFactory,
    OrderLineFactory,
    PurchaseFactory,
)
from tests.mylist.reminding import order_of

pytestmark = pytest.mark.django_db

LATER = timedelta(days=70)
"""By then every horizon is over, whatever an import may still bring."""


@pytest.fixture
def known(now):
    """Somebody else's purchase long after: the shop knows of every day until then."""
    return PurchaseFactory(purchased_at=now + timedelta(days=300))


def said(p7: float, p14: float, p28: float, **facts) -> ListItem:
    """An item of which these chances are said now."""
    item = ListItemFactory(**facts)
    Prediction.objects.filter(pk=item.pk).update(p7=p7, p14=p14, p28=p28)
    return item


def buy(item: ListItem, *, at: datetime, quantity: int = 1) -> Purchase:
    return PurchaseFactory(member=item.member, product=item.product, purchased_at=at, quantity=quantity)


def tenths(horizon: int, segment: str = "all", **more) -> dict[int, tuple[int, float, int]]:
    """Tenth -> forecasts, sum of their chances, how many came true."""
    rows = ChanceScore.objects.filter(horizon=horizon, segment=segment, **more)
    return {row.bin: (row.count, pytest.approx(row.said), row.seen) for row in rows}


def everything() -> list[list[tuple]]:
    """All that is written, without the keys of the rows."""
    return [
        sorted(model.objects.values_list(*columns), key=str)
        for model, columns in (
            (ForecastCheck, ["item_id", "kept_on", "p7", "bought_at", "bought_on"]),
            (ChanceScore, ["week", "model_version", "segment", "horizon", "bin", "count", "said", "seen"]),
            (DateScore, ["week", "model_version", "segment", "count", "days_off", "early", "late"]),
        )
    ]


# ---------------------------------------------------------------- keeping


def test_keep_takes_what_the_list_says(now):
    item = said(0.31, 0.52, 0.73, times_bought=5)
    assert checks.keep(at=now) == 1
    check = ForecastCheck.objects.get()
    assert (check.item, check.kept_at, check.kept_on) == (item, now, date(2026, 11, 18))
    assert (check.p7, check.p14, check.p28) == (0.31, 0.52, 0.73)
    assert (check.lower_on, check.expected_on, check.upper_on) == (
        item.prediction.lower_on,
        item.prediction.expected_on,
        item.prediction.upper_on,
    )
    assert (check.model_version, check.times_bought, check.bought_at) == ("test", 5, None)


def test_keep_counts_the_day_of_the_shop(now):
    ListItemFactory(around=now.replace(hour=17))
    checks.keep(at=now.replace(hour=17))  # one in the morning in Taipei
    assert ForecastCheck.objects.get().kept_on == date(2026, 11, 19)


def test_keep_again_on_the_same_day_adds_nothing(now):
    ListItemFactory.create_batch(3)
    checks.keep(at=now)
    before = everything()
    ListItemFactory()
    assert checks.keep(at=now + timedelta(hours=2)) == 0
    assert everything() == before


def test_keep_draws_no_more_than_asked_and_the_same_on_a_second_try(now):
    ListItemFactory.create_batch(30)

    def drawn(at: datetime) -> set[int]:
        assert checks.keep(at=at, size=10) == 10
        items = set(ForecastCheck.objects.values_list("item", flat=True))
        ForecastCheck.objects.all().delete()
        return items

    first = drawn(now)
    assert drawn(now) == first
    assert drawn(now + timedelta(hours=1)) == first
    Prediction.objects.update(as_of=now + timedelta(days=1))
    assert drawn(now + timedelta(days=1)) != first


def test_keep_leaves_forecasts_that_were_not_renewed(now):
    ListItemFactory(around=now - timedelta(days=2))
    assert checks.keep(at=now) == 0


def test_keep_tells_new_customers_from_others(now):
    new = ListItemFactory()
    old = ListItemFactory()
    PurchaseFactory(member=old.member, purchased_at=now - timedelta(days=91))
    returned = ListItemFactory()
    PurchaseFactory(member=returned.member, purchased_at=now - timedelta(days=200), quantity=-1)
    ordered = ListItemFactory()
    order_of(ordered.member, ordered.offer, at=now - timedelta(days=100))
    undone = ListItemFactory()
    OrderFactory(
        errand__member=undone.member, placed_at=now - timedelta(days=100), status=Order.Status.UNDONE, undone_at=now
    )
    checks.keep(at=now)
    newcomers = ForecastCheck.objects.filter(is_newcomer=True).values_list("item", flat=True)
    assert set(newcomers) == {new.pk, returned.pk, undone.pk}


# ---------------------------------------------------------------- judging


def test_judge_sums_up_a_known_history(now, known):
    """Of four chances of about a third one came true within a week, two within a fortnight, three within four weeks."""
    items = [said(0.31, 0.32, 0.33), said(0.32, 0.33, 0.34), said(0.33, 0.34, 0.35), said(0.39, 0.395, 0.399)]
    sure = said(0.9, 0.95, 1.0)
    checks.keep(at=now)
    for item, days in zip([*items[:3], sure], (7, 14, 28, 1), strict=True):
        buy(item, at=now + timedelta(days=days))
    assert checks.judge(at=now + LATER) == 4
    assert tenths(7) == {3: (4, 1.35, 1), 9: (1, 0.9, 1)}
    assert tenths(14) == {3: (4, 1.385, 2), 9: (1, 0.95, 1)}
    assert tenths(28) == {3: (4, 1.419, 3), 9: (1, 1.0, 1)}


def test_judge_counts_a_purchase_to_the_hour(now, known):
    late = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    buy(late, at=now + timedelta(days=7, seconds=1))
    checks.judge(at=now + LATER)
    assert tenths(7) == {5: (1, 0.5, 0)}
    assert tenths(14) == {6: (1, 0.6, 1)}


def test_judge_waits_until_a_horizon_is_over(now, known):
    said(0.1, 0.2, 0.3)
    checks.keep(at=now)
    checks.judge(at=now + timedelta(days=7, seconds=-1))
    assert not ChanceScore.objects.exists()
    checks.judge(at=now + timedelta(days=7))
    assert set(ChanceScore.objects.values_list("horizon", flat=True)) == {7}
    checks.judge(at=now + timedelta(days=28))
    assert set(ChanceScore.objects.values_list("horizon", flat=True)) == {7, 14, 28}


def test_judge_tells_nothing_of_days_the_history_does_not_reach(now):
    """A shop that imports once a month: what has not arrived is not a purchase that was not made."""
    said(0.1, 0.2, 0.3)
    checks.keep(at=now)
    PurchaseFactory(purchased_at=now + timedelta(days=6))
    checks.judge(at=now + timedelta(days=20))
    assert not ChanceScore.objects.exists()
    PurchaseFactory(purchased_at=now + timedelta(days=15))
    checks.judge(at=now + timedelta(days=20))
    assert set(ChanceScore.objects.values_list("horizon", flat=True)) == {7, 14}


def test_judge_measures_dates_of_what_was_bought_within_eight_weeks(now, known):
    """Expected on the 19th, 80 % between the 18th and the 24th: one a day off, one eight, one not bought in time."""
    dated = [ListItemFactory(due=True) for _ in range(4)]
    checks.keep(at=now)
    for item, days in zip(dated, (2, 9, 57), strict=False):
        buy(item, at=now + timedelta(days=days))
    checks.judge(at=now + LATER)
    score = DateScore.objects.get(segment="all")
    assert (score.count, score.days_off, score.early, score.late) == (2, 1 + 8, 0, 1)


def test_judge_counts_what_came_before_the_window(now, known):
    item = ListItemFactory()
    checks.keep(at=now)
    buy(item, at=now + timedelta(days=10))
    checks.judge(at=now + LATER)
    score = DateScore.objects.get(segment="all")
    assert (score.count, score.days_off, score.early, score.late) == (1, 38, 1, 0)


def test_judge_reads_the_day_of_the_member(now, known):
    item = ListItemFactory(member__time_zone="America/Los_Angeles")
    checks.keep(at=now)
    buy(item, at=datetime(2026, 11, 30, 2, tzinfo=now.tzinfo))
    checks.judge(at=now + timedelta(days=20))
    assert ForecastCheck.objects.get().bought_on == date(2026, 11, 29)


def test_judge_counts_own_orders_that_stand(now, known):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    order_of(item.member, item.offer, at=now + timedelta(days=3))
    checks.judge(at=now + LATER)
    assert tenths(7) == {5: (1, 0.5, 1)}


def test_judge_counts_no_returns_and_no_undone_orders(now, known):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    buy(item, at=now + timedelta(days=1), quantity=-1)
    buy(item, at=now + timedelta(days=1), quantity=0)
    moment = now + timedelta(days=2)
    undone = OrderFactory(errand__member=item.member, placed_at=moment, status=Order.Status.UNDONE, undone_at=moment)
    OrderLineFactory(order=undone, offer=OfferFactory(product=item.product, store=undone.store))
    assert checks.judge(at=now + LATER) == 0
    assert tenths(28) == {7: (1, 0.7, 0)}


def test_judge_waits_with_an_order_that_can_still_be_undone(now):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    placed = now + timedelta(days=7, minutes=-5)
    order_of(item.member, item.offer, at=placed)
    assert checks.judge(at=placed + timedelta(minutes=9)) == 0
    assert checks.judge(at=placed + timedelta(minutes=10)) == 1


def test_judge_counts_the_same_product_of_the_same_member_only(now, known):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    PurchaseFactory(member=item.member, purchased_at=now + timedelta(days=1))
    PurchaseFactory(product=item.product, purchased_at=now + timedelta(days=1))
    buy(item, at=now)  # known when the forecast was kept
    assert checks.judge(at=now + LATER) == 0


def test_a_late_import_mends_what_was_judged(now, known):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    buy(item, at=now + timedelta(days=20))
    checks.judge(at=now + timedelta(days=40))
    assert tenths(7)[5][2] == 0
    buy(item, at=now + timedelta(days=5))
    checks.judge(at=now + timedelta(days=41))
    assert tenths(7)[5][2] == 1


def test_judge_sums_up_by_segment(now, known):
    once = said(0.1, 0.2, 0.3, times_bought=1)
    often = said(0.4, 0.5, 0.6, times_bought=12)
    PurchaseFactory(member=often.member, purchased_at=now - timedelta(days=400))
    checks.keep(at=now)
    buy(often, at=now + timedelta(days=3))
    checks.judge(at=now + LATER)
    assert tenths(7, "times:1") == tenths(7, "customers:new") == {1: (1, 0.1, 0)}
    assert tenths(7, "times:10") == tenths(7, "customers:regular") == {4: (1, 0.4, 1)}
    assert tenths(7, f"category:{once.product.category_id}") == {1: (1, 0.1, 0)}
    assert DateScore.objects.filter(segment=f"category:{often.product.category_id}").count() == 1
    assert not DateScore.objects.filter(segment="times:1").exists()


def test_judge_tells_models_and_weeks_apart(now, known):
    """A week begins on Monday, in the shop's time zone."""
    said(0.1, 0.2, 0.3)
    new = said(0.1, 0.2, 0.3)
    Prediction.objects.filter(pk=new.pk).update(model_version="better")
    checks.keep(at=now)
    sunday = datetime(2026, 11, 22, 15, tzinfo=now.tzinfo)
    for night in (sunday, sunday + timedelta(hours=2)):
        Prediction.objects.update(as_of=night)
        checks.keep(at=night)
    checks.judge(at=now + timedelta(days=35))
    rows = ChanceScore.objects.filter(horizon=7, segment="all")
    assert {(row.week, row.model_version): row.count for row in rows} == {
        (date(2026, 11, 16), "test"): 2,
        (date(2026, 11, 16), "better"): 2,
        (date(2026, 11, 23), "test"): 1,
        (date(2026, 11, 23), "better"): 1,
    }


def test_judge_twice_gives_the_same(now, known):
    items = [said(n / 20, n / 18, n / 15, times_bought=n) for n in range(1, 12)]
    for day in range(3):
        Prediction.objects.update(as_of=now + timedelta(days=day))
        checks.keep(at=now + timedelta(days=day))
    for number, item in enumerate(items[:6]):
        buy(item, at=now + timedelta(days=4 * number, hours=60))
    at = now + timedelta(days=60)
    checks.judge(at=at)
    before = everything()
    assert before[1]
    checks.judge(at=at)
    assert everything() == before


@pytest.mark.parametrize("step", ["_fill_in", "_replace"])
def test_judge_cut_off_halfway_is_made_up_for(now, known, monkeypatch, step):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    buy(item, at=now + timedelta(days=3))
    whole = getattr(checks.judging, step)

    def dies(*args):
        whole(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checks.judging, step, dies)
        checks.judge(at=now + LATER)
    checks.judge(at=now + LATER)
    assert tenths(7) == {5: (1, 0.5, 1)}
    assert DateScore.objects.filter(segment="all").count() == 1
    assert not ForecastCheck.objects.exists()


def test_kept_forecasts_go_by_whole_weeks_once_all_is_known(now, known):
    said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    over = timezone.localtime(now).replace(hour=0, minute=0) + timedelta(days=5 + 56 + 7)  # a Monday's midnight
    checks.judge(at=over - timedelta(seconds=1))
    assert ForecastCheck.objects.exists()
    before = everything()[1:]
    checks.judge(at=over)
    assert not ForecastCheck.objects.exists()
    assert everything()[1:] == before


def test_sums_are_kept_a_year_and_then_gone(now, known):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    buy(item, at=now + timedelta(days=3))
    checks.judge(at=now + LATER)
    before = everything()
    checks.judge(at=now + timedelta(days=365))
    assert everything() == before
    checks.judge(at=now + timedelta(days=380))
    assert everything() == [[], [], []]


def test_nothing_is_kept_of_a_member_who_is_erased(now, known):
    item = said(0.5, 0.6, 0.7)
    checks.keep(at=now)
    item.delete()
    checks.judge(at=now + LATER)
    assert everything() == [[], [], []]


def test_judge_asks_as_many_questions_of_many_as_of_few(now, known, django_assert_max_num_queries):
    items = ListItemFactory.create_batch(40)
    checks.keep(at=now)
    for item in items[:30]:
        buy(item, at=now + timedelta(days=3))
    with django_assert_max_num_queries(30):
        assert checks.judge(at=now + LATER) == 30


def test_the_task_keeps_and_judges_once_a_day(now, known):
    said(0.5, 0.6, 0.7)
    with time_machine.travel(now, tick=False):
        assert tasks.check_forecasts() == 1
        assert tasks.check_forecasts() == 0
    Prediction.objects.update(as_of=now + timedelta(days=7))
    with time_machine.travel(now + timedelta(days=7, hours=1), tick=False):
        assert tasks.check_forecasts() == 1
    assert tenths(7) == {5: (1, 0.5, 0)}


# ---------------------------------------------------------------- reading


def test_quality_puts_weeks_and_models_together(now, known):
    old, new = said(0.31, 0.4, 0.5), said(0.35, 0.4, 0.5)
    Prediction.objects.filter(pk=new.pk).update(model_version="better")
    checks.keep(at=now)
    buy(old, at=now + timedelta(days=3))
    checks.judge(at=now + LATER)
    found = checks.quality(Choice(horizon=7), at=now + LATER)
    assert found.chances.tenths[3].count == 2
    assert found.chances.tenths[3].said == pytest.approx(0.33)
    assert found.chances.tenths[3].seen == 0.5
    assert found.chances.gap == pytest.approx(0.17)
    assert list(found.chances_by_week) == [date(2026, 11, 16)]
    assert found.chances_by_model["better"].gap == pytest.approx(0.35)
    assert found.chances_by_model["test"].gap == pytest.approx(0.69)
    assert found.dates.days_off == 45
    assert found.dates.within == 0
    assert found.dates.early_share == 1
    alone = checks.quality(Choice(horizon=7, model_version="better"), at=now + LATER)
    assert list(alone.chances_by_model) == ["better"]
    assert alone.dates.count == 0


def test_quality_leaves_out_what_is_older_than_asked(now, known):
    said(0.31, 0.4, 0.5)
    checks.keep(at=now)
    checks.judge(at=now + LATER)
    assert checks.quality(Choice(weeks=9), at=now + LATER).chances.tenths == {}
    assert checks.quality(Choice(weeks=10), at=now + LATER).chances.all.count == 1


def test_waiting_tells_when_the_first_results_are_due(now):
    assert checks.waiting(at=now).first_on is None
    ListItemFactory.create_batch(2)
    checks.keep(at=now)
    found = checks.waiting(at=now)
    assert (found.count, found.first_on) == (2, date(2026, 11, 26))


def test_waiting_promises_no_day_that_is_over(now):
    """A shop whose imports have stopped."""
    ListItemFactory()
    checks.keep(at=now)
    assert checks.waiting(at=now + timedelta(days=30)).first_on == date(2026, 12, 19)


def test_offered_names_the_models_and_segments_there_are(now, known):
    item = said(0.31, 0.4, 0.5, times_bought=1)
    checks.keep(at=now)
    checks.judge(at=now + LATER)
    offered = checks.offered()
    assert offered.model_versions == ["test"]
    assert list(offered.segments) == ["all", "times:1", "customers:new", f"category:{item.product.category_id}"]
    assert offered.segments[f"category:{item.product.category_id}"] == item.product.category.name_en
