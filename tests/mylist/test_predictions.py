"""History in, list items and predictions out; the engine itself is tested in tests/replenish."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from accounts import erasure
from mylist import predictions, reorder, tasks
from mylist.models import FittedModel, ListItem, Prediction
from shop import orders
from shop.models import Offer, Purchase
from tests.factories import (
    AddressFactory,
    ChannelFactory,
    MemberFactory,
    OfferFactory,
    PaymentMethodFactory,
    PurchaseFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def regular(now):
    """A member who bought one product every 30 days, the last time 28 days ago."""
    member = MemberFactory()
    offer = OfferFactory()
    channel = ChannelFactory(store=offer.store)
    for days in (148, 118, 88, 58, 28):
        PurchaseFactory(
            member=member, product=offer.product, channel=channel, purchased_at=now - timedelta(days=days), quantity=2
        )
    return member


def predict(*members, at, **how) -> int:
    return predictions.predict_members(member_ids=[member.pk for member in members], at=at, **how)


def test_predict_writes_an_item_with_its_facts_and_its_forecast(regular, now):
    assert predict(regular, at=now) == 1
    item = ListItem.objects.select_related("prediction").get()
    assert (item.times_bought, item.last_quantity, item.last_bought_at) == (5, 2, now - timedelta(days=28))
    assert item.offer.product == item.product
    assert item.prediction.as_of == now
    assert 20 < item.prediction.interval_days < 45
    assert item.prediction.suggested_quantity == 2


def test_predict_again_changes_the_forecast_and_keeps_the_wishes(regular, now):
    predict(regular, at=now)
    ListItem.objects.update(pinned_at=now, quantity=7)
    predict(regular, at=now + timedelta(days=1))
    item = ListItem.objects.get()
    assert (item.pinned_at, item.quantity) == (now, 7)
    assert Prediction.objects.get().as_of == now + timedelta(days=1)


def test_an_older_forecast_never_replaces_a_newer_one(regular, now):
    predict(regular, at=now)
    assert predict(regular, at=now - timedelta(days=1)) == 0
    assert Prediction.objects.get().as_of == now


def test_unless_it_is_asked_to(regular, now):
    predict(regular, at=now)
    predict(regular, at=now - timedelta(days=1), overwrite=True)
    assert Prediction.objects.get().as_of == now - timedelta(days=1)


def test_whoever_was_erased_gets_no_list_again_from_the_purchases_that_stay(regular, now):
    predict(regular, at=now)
    erasure.erase(member=regular, at=now)
    assert predict(regular, at=now + timedelta(days=1)) == 0
    assert predictions.predict_all(at=now + timedelta(days=1)) == 0
    assert not ListItem.objects.exists()


def test_an_order_counts_at_once_and_its_undo_too(regular, now):
    AddressFactory(member=regular)
    PaymentMethodFactory(member=regular)
    predict(regular, at=now)
    before = Prediction.objects.get()
    errand = reorder.reorder(
        member=regular, lines=[reorder.Line(ListItem.objects.get().pk)], key="k", at=now + timedelta(minutes=1)
    )
    predict(regular, at=now + timedelta(minutes=2))
    after = Prediction.objects.get()
    assert after.supply_left > before.supply_left
    assert after.expected_on > before.expected_on
    assert ListItem.objects.get().times_bought == 6
    orders.undo(member=regular, errand_id=errand.pk, at=now + timedelta(minutes=3))
    predict(regular, at=now + timedelta(minutes=4))
    assert ListItem.objects.get().times_bought == 5
    assert Prediction.objects.get().p14 == before.p14


def test_what_was_undone_or_given_back_leaves_the_list(regular, now):
    kept = ListItem.objects.filter(product=Purchase.objects.first().product)
    returned = PurchaseFactory(member=regular, quantity=1, purchased_at=now - timedelta(days=3))
    predict(regular, at=now - timedelta(days=2))
    assert ListItem.objects.count() == 2
    PurchaseFactory(member=regular, product=returned.product, quantity=-1, purchased_at=now - timedelta(days=1))
    predict(regular, at=now)
    assert ListItem.objects.get() == kept.get()


def test_an_order_early_in_the_local_morning_is_not_tomorrow(regular):
    """22:30 in UTC is 06:30 of the next day in Taipei: the engine must count the member's day, not UTC's."""
    at = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)
    product = OfferFactory().product
    PurchaseFactory(member=regular, product=product, purchased_at=at, purchased_on=date(2026, 11, 19))
    predict(regular, at=at)
    assert ListItem.objects.filter(product=product).exists()


def test_shards_give_what_all_at_once_gives(regular, now):
    others = [PurchaseFactory(product=Purchase.objects.first().product).member for _ in range(4)]
    fitted = predictions.fit(at=now)
    predict(regular, *others, at=now, fitted=fitted)
    together = list(Prediction.objects.order_by("item__member").values_list("p14", "expected_on", "supply_left"))
    for member in (regular, *others):
        predict(member, at=now, fitted=fitted, overwrite=True)
    apart = list(Prediction.objects.order_by("item__member").values_list("p14", "expected_on", "supply_left"))
    assert together == apart


def test_the_offer_is_the_store_it_was_bought_in_then_the_cheapest(regular, now):
    bought_in = Offer.objects.get()
    dear = OfferFactory(product=bought_in.product, price=bought_in.price + 1)
    cheap = OfferFactory(product=bought_in.product, price=bought_in.price - 1)
    for offer in (bought_in, cheap, dear):
        predict(regular, at=now, overwrite=True)
        assert ListItem.objects.get().offer == offer
        Offer.objects.filter(pk=offer.pk).update(is_active=False)
    predict(regular, at=now, overwrite=True)
    assert ListItem.objects.get().offer is None


def test_predict_asks_and_writes_in_as_many_statements_however_many_members(regular, now, django_assert_num_queries):
    fitted = predictions.fit(at=now)
    many = [PurchaseFactory(product=Purchase.objects.first().product).member for _ in range(12)]
    predict(regular, at=now, fitted=fitted)  # the model is read once a process
    for members in ([regular], [*many, regular]):
        # Two of the savepoint; members, who is newer, two sources, offers; a table made, filled, emptied into
        # two others, dropped; how many items there are.
        with django_assert_num_queries(13 + (connection.vendor == "postgresql")):
            predict(*members, at=now, fitted=fitted)


def test_the_facts_are_those_of_the_last_day_and_its_last_line(regular, now):
    offer = Offer.objects.get()
    channel = ChannelFactory(store=offer.store)
    for hours, quantity, price in ((3, "1", "9.90"), (1, "0.5", "1234567.8901"), (2, "2.25", "8"), (0, "-1", "1")):
        PurchaseFactory(
            member=regular,
            product=offer.product,
            channel=channel,
            purchased_at=now - timedelta(hours=hours),
            quantity=Decimal(quantity),
            unit_price=Decimal(price),
            currency="TWD" if hours == 1 else "USD",
        )
    predict(regular, at=now)
    item = ListItem.objects.get()
    assert (item.last_quantity, item.last_unit_price, item.last_currency) == (
        Decimal("3.750"),
        Decimal("1234567.8901"),
        "TWD",
    )
    assert (item.last_bought_at, item.times_bought) == (now - timedelta(hours=1), 6)


def test_members_in_other_time_zones_are_forecast_as_of_their_own_day(regular):
    """22:30 in UTC is the next day in Taipei and still the same in New York."""
    at = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)
    far = PurchaseFactory(member__time_zone="America/New_York", product=Purchase.objects.first().product).member
    predict(regular, far, at=at)
    together = {item.member_id: item.prediction for item in ListItem.objects.select_related("prediction")}
    for member in (regular, far):
        predict(member, at=at)
        assert Prediction.objects.get(item__member=member).expected_on == together[member.pk].expected_on
    soonest = {"Asia/Taipei": date(2026, 11, 20), "America/New_York": date(2026, 11, 19)}
    assert all(together[member.pk].lower_on >= soonest[member.time_zone] for member in (regular, far))


def test_predict_all_reports_its_progress_and_leaves_newcomers_out(regular, now):
    newcomer = MemberFactory()
    told = []
    predictions.predict_all(at=now, progress=told.append)
    assert sum(told) == 1
    assert not ListItem.objects.filter(member=newcomer).exists()
    assert FittedModel.objects.get().as_of == now


def test_a_shop_without_a_history_is_predicted_without_a_fuss(now):
    assert predictions.predict_all(at=now) == 0


def test_the_command_takes_a_day_or_a_moment(regular, capsys):
    call_command("predict", as_of=None)
    call_command("predict", "--as-of", "2026-11-18")
    assert "as of 2026-11-18T23:59:59" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "18/11/2026"])
def test_the_command_says_how_to_write_a_day(text):
    with pytest.raises(CommandError, match="write a day such as"):
        call_command("predict", "--as-of", text)


def test_the_task_does_one_member(regular):
    assert tasks.predict_members(member_ids=[regular.pk]) == 1
