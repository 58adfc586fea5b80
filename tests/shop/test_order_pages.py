"""Orders and earlier purchases as the member reads them, and taking an order back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from shop import orders
from shop.models import Errand, Offer, Order
from tests.factories import AddressFactory, OfferFactory, OrderFactory, OrderLineFactory, PurchaseFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    member = AddressFactory().member
    client.force_login(member)
    return member


def place(member, *offers, at=None) -> Errand:
    wanted = [orders.Wanted(offer.pk, 2, offer.price) for offer in offers]
    address = member.addresses.get()
    return orders.place(
        member=member, wanted=wanted, key="k", address=address, payment_kind="invoice", at=at or timezone.now()
    )


def order_url(order):
    return reverse("shop:order", args=[order.number])


def undo_url(errand):
    return reverse("shop:undo", args=[errand.pk])


class TestOrders:
    def test_newest_first_with_totals_as_shown(self, client, member, now):
        for day, total in ((1, 100), (3, 300), (2, 200)):
            placed = {"errand__member": member, "errand__placed_at": now + timedelta(days=day)}
            OrderLineFactory(order=OrderFactory(**placed, total=total))
        page = client.get(reverse("shop:orders"))
        assert [order.total for order in page.context["page"]] == [300, 200, 100]
        assert "NT$300" in page.content.decode()

    def test_shows_only_ones_own(self, client, member):
        theirs = OrderFactory()
        PurchaseFactory()
        page = client.get(reverse("shop:orders"))
        assert theirs.number not in page.content.decode()
        assert "No orders yet" in page.content.decode()

    def test_earlier_purchases_stand_by_day_and_store_with_returns_marked(self, client, member):
        first = PurchaseFactory(member=member, purchased_on=date(2026, 9, 2), quantity=2, unit_price=Decimal("150.4"))
        same_day = {"member": member, "purchased_on": date(2026, 9, 2), "channel": first.channel}
        PurchaseFactory(**same_day, quantity=Decimal(-1), unit_price=100)
        PurchaseFactory(member=member, purchased_on=date(2026, 9, 2))
        PurchaseFactory(member=member, purchased_on=date(2026, 9, 5))
        page = client.get(reverse("shop:orders"))
        visits = page.context["visits"]
        assert [(visit.on.day, len(visit.lines)) for visit in visits] == [(5, 1), (2, 2), (2, 1)]
        assert visits[1].total == 201
        assert "Returned" in page.content.decode()

    def test_both_histories_turn_their_own_pages(self, client, member, now):
        for day in range(12):
            OrderFactory(errand__member=member, errand__placed_at=now + timedelta(days=day))
            PurchaseFactory(member=member, purchased_on=date(2026, 1, 1) + timedelta(days=day))
        page = client.get(reverse("shop:orders"), {"page": 2, "earlier": 2})
        assert len(page.context["page"]) == len(page.context["visits"]) == 2
        assert "?page=1&amp;earlier=2" in page.content.decode()

    def test_needs_no_more_queries_for_more_orders(self, client, member, now, django_assert_num_queries):
        def another(day):
            order = OrderFactory(errand__member=member, errand__placed_at=now + timedelta(days=day))
            OrderLineFactory.create_batch(3, order=order)
            PurchaseFactory(member=member, purchased_on=date(2026, 1, 1) + timedelta(days=day))

        another(0)
        with django_assert_num_queries(8):
            client.get(reverse("shop:orders"))
        for day in range(1, 6):
            another(day)
        with django_assert_num_queries(8):
            client.get(reverse("shop:orders"))

    def test_are_for_members_and_only_to_read(self, client, member):
        assert client.post(reverse("shop:orders")).status_code == 405
        client.logout()
        assert client.get(reverse("shop:orders")).url.startswith(reverse("account_login"))


class TestOrder:
    def test_shows_lines_total_status_address_and_payment(self, client, member):
        offer = OfferFactory(price=150, product__name_en="Wipes")
        order = place(member, offer).orders.get()
        page = client.get(order_url(order)).content.decode()
        for words in (order.number, "Wipes", "2 × NT$150", "NT$300", "Placed", "Heping E. Rd. 1", "Invoice"):
            assert words in page

    def test_shows_chinese_names_to_a_member_who_reads_chinese(self, client, member):
        member.language = "zh-hant"
        member.save()
        order = place(member, OfferFactory(product__name_en="Wipes", product__name_zh="濕巾")).orders.get()
        page = client.get(order_url(order)).content.decode()
        assert "濕巾" in page
        assert "Wipes" not in page

    def test_anothers_and_unknown_orders_are_not_found(self, client, member):
        assert client.get(order_url(OrderFactory())).status_code == 404
        assert client.get("/orders/261118-NOTHING/").status_code == 404

    def test_is_for_members(self, client):
        assert client.get(order_url(OrderFactory())).url.startswith(reverse("account_login"))

    def test_undo_is_offered_only_while_it_is_possible(self, client, member):
        errand = place(member, OfferFactory(), at=datetime(2026, 11, 18, 4, 0, tzinfo=UTC))
        url = order_url(errand.orders.get())
        with time_machine.travel(errand.undo_until - timedelta(seconds=1), tick=False):
            client.force_login(member)
            assert undo_url(errand) in client.get(url).content.decode()
        with time_machine.travel(errand.undo_until, tick=False):
            assert undo_url(errand) not in client.get(url).content.decode()


class TestUndo:
    def test_takes_the_order_back_once_however_often_it_is_tapped(self, client, member):
        offer = OfferFactory(stock=10)
        errand = place(member, offer)
        for _ in range(2):
            page = client.post(undo_url(errand), follow=True)
            assert page.redirect_chain[-1][0] == order_url(errand.orders.get())
            assert "Undone. Nothing will be delivered" in page.content.decode()
            assert undo_url(errand) not in page.content.decode()
        assert Order.objects.get().status == Order.Status.UNDONE
        assert Offer.objects.get(pk=offer.pk).stock == 10

    def test_takes_back_the_orders_of_every_store_it_touched(self, client, member):
        errand = place(member, OfferFactory(), OfferFactory())
        client.post(undo_url(errand))
        assert set(errand.orders.values_list("status", flat=True)) == {"undone"}

    def test_too_late_is_said_and_changes_nothing(self, client, member):
        errand = place(member, OfferFactory(), at=timezone.now() - timedelta(hours=1))
        page = client.post(undo_url(errand), follow=True)
        assert "The time to undo is over" in page.content.decode()
        assert Order.objects.get().status == Order.Status.PLACED

    def test_anothers_errand_is_not_found(self, client, member):
        errand = place(AddressFactory().member, OfferFactory())
        assert client.post(undo_url(errand)).status_code == 404
        assert Order.objects.get().status == Order.Status.PLACED

    def test_get_is_refused_and_visitors_are_sent_to_sign_in(self, client, member):
        errand = place(member, OfferFactory())
        assert client.get(undo_url(errand)).status_code == 405
        client.logout()
        assert client.post(undo_url(errand)).url.startswith(reverse("account_login"))
        assert Order.objects.get().status == Order.Status.PLACED

    def test_goes_back_to_a_page_of_ours_only(self, client, member):
        errand = place(member, OfferFactory())
        assert client.post(undo_url(errand), {"next": "/orders/"}).url == "/orders/"
        assert client.post(undo_url(errand), {"next": "//evil.example"}).url == order_url(errand.orders.get())
