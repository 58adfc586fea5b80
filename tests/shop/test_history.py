"""Two sources, one history; and who counts as a returning customer."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AnonymousUser

from shop import history, orders
from tests.factories import (
    AddressFactory,
    MemberFactory,
    OfferFactory,
    OrderFactory,
    ProductFactory,
    PurchaseFactory,
)

pytestmark = pytest.mark.django_db

EPOCH = date(1970, 1, 1)


@pytest.fixture
def buyer():
    return AddressFactory().member


def buy(buyer, at, key="k"):
    return orders.place(
        member=buyer,
        wanted=[orders.Wanted(OfferFactory().pk, 2)],
        key=key,
        address=buyer.addresses.get(),
        payment_kind="invoice",
        at=at,
    )


class TestBought:
    def test_imported_and_own_purchases_are_one_history(self, buyer, now):
        imported = PurchaseFactory(member=buyer)
        line = buy(buyer, now).orders.get().lines.get()
        found = {row.product_id: row for row in history.bought(until=now, member_ids=[buyer.pk])}
        assert found[imported.product_id].day == (imported.purchased_on - EPOCH).days
        assert (found[line.product_id].quantity, found[line.product_id].store_id) == (2, line.order.store_id)

    def test_what_was_undone_was_not_bought(self, buyer, now):
        errand = buy(buyer, now)
        orders.undo(member=buyer, errand_id=errand.pk, at=now)
        assert list(history.bought(until=now)) == []

    def test_nothing_of_the_future_is_seen(self, buyer, now):
        PurchaseFactory(member=buyer, purchased_at=now)
        buy(buyer, now)
        assert list(history.bought(until=now - timedelta(seconds=1))) == []

    def test_an_own_order_counts_for_the_members_local_day(self, buyer):
        late = datetime(2026, 11, 18, 17, 30, tzinfo=UTC)
        buy(buyer, late)
        assert [row.day for row in history.bought(until=late)] == [(date(2026, 11, 19) - EPOCH).days]

    @pytest.mark.parametrize(
        ("zone", "last_moment"),
        [
            ("Asia/Kathmandu", datetime(2026, 11, 18, 18, 14, 59, 999999, tzinfo=UTC)),
            ("America/New_York", datetime(2026, 11, 1, 4, 59, 59, tzinfo=UTC) - timedelta(hours=1)),
            ("America/New_York", datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC)),
        ],
    )
    def test_the_local_day_ends_where_the_clock_on_the_wall_says(self, buyer, zone, last_moment):
        buyer.time_zone = zone
        buyer.save()
        buy(buyer, last_moment, key="before")
        buy(buyer, last_moment + timedelta(seconds=1), key="after")
        today = (last_moment.astimezone(ZoneInfo(zone)).date() - EPOCH).days
        assert sorted(row.day for row in history.bought(until=last_moment + timedelta(days=1))) == [today, today + 1]

    @pytest.mark.parametrize("microsecond", [0, 1, 999999])
    def test_moments_are_kept_to_the_microsecond(self, buyer, now, microsecond):
        at = now.replace(microsecond=microsecond)
        PurchaseFactory(member=buyer, purchased_at=at)
        buy(buyer, at)
        assert [history.moment(row.at) for row in history.bought(until=at)] == [at, at]

    def test_prices_are_kept_to_the_last_digit(self, buyer, now):
        PurchaseFactory(member=buyer, unit_price=Decimal("12345678.9012"), quantity=Decimal("0.001"))
        (row,) = history.bought(until=now)
        assert (row.unit_price, row.quantity) == (Decimal("12345678.9012"), 0.001)

    def test_what_is_not_known_of_a_product_is_none(self, buyer, now):
        product = ProductFactory(need=None, category=None, package_size=None)
        PurchaseFactory(member=buyer, product=product)
        (row,) = history.bought(until=now)
        assert (row.need_id, row.category_id, row.package_size) == (None, None, None)

    def test_only_the_members_asked_for(self, buyer, now):
        PurchaseFactory()
        mine = PurchaseFactory(member=buyer)
        assert [row.product_id for row in history.bought(until=now, member_ids=[buyer.pk])] == [mine.product_id]


class TestReturning:
    def test_nobody_anonymous_returns(self, now, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert not history.is_returning(AnonymousUser(), now)

    def test_a_member_without_purchases_does_not(self, now):
        assert not history.is_returning(MemberFactory(), now)

    def test_one_imported_purchase_is_enough(self, now):
        assert history.is_returning(PurchaseFactory().member, now)

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_a_return_or_an_empty_line_is_no_purchase(self, now, quantity):
        assert not history.is_returning(PurchaseFactory(quantity=quantity).member, now)

    def test_an_order_counts_once_it_can_no_longer_be_undone(self, buyer, now):
        buy(buyer, now)
        assert not history.is_returning(buyer, now + timedelta(minutes=9))
        assert history.is_returning(buyer, now + timedelta(minutes=10))
        orders.settle(at=now + timedelta(minutes=10))
        assert history.is_returning(buyer, now + timedelta(minutes=10))

    def test_an_undone_order_never_counts(self, buyer, now):
        errand = buy(buyer, now)
        orders.undo(member=buyer, errand_id=errand.pk, at=now)
        assert not history.is_returning(buyer, now + timedelta(days=1))

    def test_anothers_purchase_does_not_count(self, buyer, now):
        PurchaseFactory()
        assert not history.is_returning(buyer, now)

    def test_returning_members_are_those(self, buyer, now):
        customer = PurchaseFactory().member
        assert list(history.returning_members(now)) == [customer]


def test_reaches_is_the_moment_of_the_newest_line(now):
    assert history.reaches() is None
    PurchaseFactory(purchased_at=now - timedelta(days=3))
    assert history.reaches() == now - timedelta(days=3)
    OrderFactory(placed_at=now - timedelta(days=1))
    assert history.reaches() == now - timedelta(days=1)
