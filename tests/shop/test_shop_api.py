"""The shop over REST: the catalogue for everybody, orders and payments for their member."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from shop import orders
from shop.models import Errand, Offer, Order
from shop.payments import default_payment
from tests.factories import (
    AddressFactory,
    MemberFactory,
    OfferFactory,
    OrderFactory,
    OrderLineFactory,
    PaymentMethodFactory,
    StoreFactory,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def buyer(client):
    """A member with an address and a way to pay, signed in."""
    member = PaymentMethodFactory(member=AddressFactory().member, kind="invoice").member
    client.force_login(member)
    return member


def post(client, path, body, key=None):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{API}{path}", json.dumps(body), content_type="application/json", headers=headers)


def body_for(offer, quantity=2, **item):
    return {"store": offer.store.code, "items": [{"sku": offer.product.sku, "quantity": quantity, **item}]}


def assert_problem(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{code}"
    assert answer.json()["status"] == status
    return answer.json()


class TestStores:
    def test_are_open_to_everybody(self, client):
        store = StoreFactory(name_en="Dozy Duck", accent_light="#123456")
        StoreFactory(is_active=False)
        (shown,) = client.get(f"{API}/stores/").json()
        assert shown["code"] == store.code
        assert (shown["name"], shown["currency"], shown["accent_light"]) == ("Dozy Duck", "TWD", "#123456")

    def test_are_only_to_read(self, client):
        assert client.delete(f"{API}/stores/").status_code == 405


class TestProducts:
    def test_carry_price_as_text_with_its_currency(self, client):
        offer = OfferFactory(price=Decimal("320.00"), stock=0, product__name_en="Wipes", product__name_zh="濕巾")
        (shown,) = client.get(f"{API}/products/").json()["results"]
        assert (shown["price"], shown["currency"], shown["sold_out"]) == ("320", "TWD", True)
        assert (shown["sku"], shown["store"], shown["name_zh"]) == (offer.product.sku, offer.store.code, "濕巾")
        assert (shown["package"], shown["package_size"], shown["package_unit"]) == ("30 pieces", "30", "piece")
        assert shown["picture"] is None

    def test_speak_the_language_asked_for(self, client):
        OfferFactory(product__name_en="Wipes", product__name_zh="濕巾")
        chinese = client.get(f"{API}/products/", headers={"Accept-Language": "zh-TW"}).json()["results"][0]
        assert chinese["name"] == "濕巾"

    def test_a_product_without_need_and_category_is_shown(self, client):
        OfferFactory(product__need=None, product__category=None, product__package_size=None)
        (shown,) = client.get(f"{API}/products/").json()["results"]
        assert shown["need"] is shown["category"] is shown["package_size"] is None

    def test_are_narrowed_by_store_and_words(self, client):
        offer = OfferFactory(product__name_zh="嬰兒濕巾")
        OfferFactory(store=offer.store)
        OfferFactory(product__name_zh="嬰兒濕巾")
        found = client.get(f"{API}/products/", {"store": offer.store.code, "q": "濕巾"}).json()["results"]
        assert [one["sku"] for one in found] == [offer.product.sku]

    def test_leave_out_what_is_not_on_sale(self, client):
        OfferFactory(is_active=False)
        OfferFactory(store__is_active=False)
        assert client.get(f"{API}/products/").json()["results"] == []

    def test_turn_pages_by_cursor(self, client, django_assert_num_queries):
        store = StoreFactory()
        for _ in range(53):
            OfferFactory(store=store)
        with django_assert_num_queries(1):
            first = client.get(f"{API}/products/").json()
        second = client.get(first["next"]).json()
        skus = [one["sku"] for one in first["results"] + second["results"]]
        assert (len(first["results"]), len(set(skus)), second["next"]) == (50, 53, None)

    @pytest.mark.parametrize("store", ["nowhere", "\0"])
    def test_of_an_unknown_store_are_a_problem(self, client, store):
        assert_problem(client.get(f"{API}/products/", {"store": store}), 404, "unknown_store")

    def test_a_bad_cursor_is_not_found(self, client):
        assert client.get(f"{API}/products/", {"cursor": "x"}).status_code == 404


class TestPlacingAnOrder:
    def test_places_with_the_stored_address_and_payment(self, client, buyer):
        offer = OfferFactory(price=150, stock=10)
        answer = post(client, "/orders/", body_for(offer, 2, unit_price="150"), "k1")
        assert answer.status_code == 201
        (order,) = answer.json()["orders"]
        assert (order["total"], order["currency"], order["payment"]) == ("300", "TWD", "invoice")
        assert order["lines"] == [
            {
                "sku": offer.product.sku,
                "name": offer.product.name,
                "quantity": 2,
                "unit_price": "150",
                "amount": "300",
            }
        ]
        assert answer.json()["undo_until"].endswith("Z")
        stored = Order.objects.get()
        assert (stored.number, stored.member, stored.recipient) == (order["number"], buyer, "Lin Mei")
        assert Offer.objects.get().stock == 8

    def test_a_retry_gets_the_same_answer_and_no_second_order(self, client, buyer):
        offer = OfferFactory(stock=2)
        first = post(client, "/orders/", body_for(offer), "k1")
        buyer.addresses.all().delete()
        second = post(client, "/orders/", body_for(offer), "k1")
        assert (second.status_code, second.json()) == (201, first.json())
        assert Order.objects.count() == 1

    def test_another_key_is_another_order(self, client, buyer):
        offer = OfferFactory()
        post(client, "/orders/", body_for(offer), "k1")
        post(client, "/orders/", body_for(offer), "k2")
        assert Order.objects.count() == 2

    def test_a_key_is_the_members_own(self, client, buyer):
        offer = OfferFactory()
        post(client, "/orders/", body_for(offer), "k1")
        other = PaymentMethodFactory(member=AddressFactory().member).member
        client.force_login(other)
        assert post(client, "/orders/", body_for(offer), "k1").status_code == 201
        assert set(Order.objects.values_list("member", flat=True)) == {buyer.pk, other.pk}

    def test_without_a_key_nothing_is_ordered(self, client, buyer):
        assert_problem(post(client, "/orders/", body_for(OfferFactory())), 400, "idempotency_key_missing")
        assert not Errand.objects.exists()

    def test_a_key_of_unusable_form_is_refused(self, client, buyer):
        answer = post(client, "/orders/", body_for(OfferFactory()), "k" * 256)
        assert_problem(answer, 400, "idempotency_key_invalid")

    @pytest.mark.parametrize("change", [{"payment": "cash_on_delivery"}, {"items": None}])
    def test_a_key_used_for_another_body_is_refused(self, client, buyer, change):
        offer = OfferFactory()
        post(client, "/orders/", body_for(offer), "k1")
        other = body_for(offer, 3) if "items" in change else body_for(offer) | change
        assert_problem(post(client, "/orders/", other, "k1"), 422, "idempotency_key_reused")
        assert Order.objects.count() == 1

    @pytest.mark.parametrize(
        ("state", "reason"),
        [
            ({"price": 320}, {"reason": "price_changed", "price": "320", "stock": 5}),
            ({"stock": 0}, {"reason": "sold_out", "price": "300", "stock": 0}),
            ({"stock": 1}, {"reason": "short", "price": "300", "stock": 1}),
            ({"is_active": False}, {"reason": "off_sale", "price": None, "stock": None}),
        ],
    )
    def test_what_stands_in_the_way_is_told_by_line_and_nothing_ordered(self, client, buyer, state, reason):
        offer = OfferFactory(price=300, stock=5)
        fine = OfferFactory(store=offer.store)
        Offer.objects.filter(pk=offer.pk).update(**state)
        body = body_for(offer, 2, unit_price="300.00")
        body["items"].append({"sku": fine.product.sku, "quantity": 1})
        problem = assert_problem(post(client, "/orders/", body, "k1"), 409, "refused")
        assert problem["lines"] == [{"sku": offer.product.sku, "currency": "TWD", **reason}]
        assert not Order.objects.exists()

    def test_a_refused_key_may_be_used_again(self, client, buyer):
        offer = OfferFactory(stock=0)
        assert_problem(post(client, "/orders/", body_for(offer), "k1"), 409, "refused")
        Offer.objects.update(stock=5)
        assert post(client, "/orders/", body_for(offer), "k1").status_code == 201

    def test_a_sku_the_store_never_had_is_told(self, client, buyer):
        offer = OfferFactory()
        problem = assert_problem(
            post(client, "/orders/", body_for(OfferFactory()) | {"store": offer.store.code}, "k1"), 409, "refused"
        )
        assert problem["lines"][0]["reason"] == "off_sale"

    def test_an_unknown_store_is_a_problem(self, client, buyer):
        answer = post(client, "/orders/", body_for(OfferFactory()) | {"store": "nowhere"}, "k1")
        assert_problem(answer, 404, "unknown_store")

    def test_without_an_address_it_says_what_is_missing(self, client):
        client.force_login(PaymentMethodFactory().member)
        assert_problem(post(client, "/orders/", body_for(OfferFactory()), "k1"), 409, "address_missing")

    def test_anothers_address_is_no_address(self, client, buyer):
        body = body_for(OfferFactory()) | {"address_id": AddressFactory().pk}
        assert_problem(post(client, "/orders/", body, "k1"), 409, "address_missing")

    def test_without_a_way_to_pay_it_says_what_is_missing(self, client):
        client.force_login(AddressFactory().member)
        offer = OfferFactory()
        assert_problem(post(client, "/orders/", body_for(offer), "k1"), 409, "payment_missing")
        body = body_for(offer) | {"payment": "cash_on_delivery"}
        assert post(client, "/orders/", body, "k1").json()["orders"][0]["payment"] == "cash_on_delivery"

    def test_goes_to_the_address_named(self, client, buyer):
        other = AddressFactory(member=buyer, is_default=False, street="Other St. 9")
        post(client, "/orders/", body_for(OfferFactory()) | {"address_id": other.pk}, "k1")
        assert "Other St. 9" in Order.objects.get().address

    @pytest.mark.parametrize("quantity", [0, -1, 100, "two", 1.5, None, 10**30])
    def test_an_odd_quantity_is_invalid(self, client, buyer, quantity):
        problem = assert_problem(post(client, "/orders/", body_for(OfferFactory(), quantity), "k1"), 400, "invalid")
        assert "items" in problem["errors"]

    @pytest.mark.parametrize(
        "odd",
        [
            {"items": []},
            {"items": "x"},
            {"items": [{"sku": "a", "quantity": 1}, {"sku": "a", "quantity": 1}]},
            {"items": [{"sku": "\0", "quantity": 1}]},
            {"items": [{"sku": "a", "quantity": 1, "unit_price": "NaN"}]},
            {"payment": "pebbles"},
            {"address_id": 10**30},
            {"store": "\0"},
        ],
    )
    def test_an_odd_body_is_invalid(self, client, buyer, odd):
        assert_problem(post(client, "/orders/", body_for(OfferFactory()) | odd, "k1"), 400, "invalid")
        assert not Order.objects.exists()

    def test_the_anonymous_are_refused(self, client):
        assert post(client, "/orders/", body_for(OfferFactory()), "k1").status_code == 401
        assert not Order.objects.exists()


class TestOrders:
    def test_newest_first_by_cursor_and_only_ones_own(self, client, buyer, now, django_assert_num_queries):
        for hours in range(22):
            order = OrderFactory(errand__member=buyer, errand__placed_at=now + timedelta(hours=hours))
            OrderLineFactory(order=order)
        OrderFactory()
        with django_assert_num_queries(4):
            first = client.get(f"{API}/orders/").json()
        second = client.get(first["next"]).json()
        moments = [order["placed_at"] for order in first["results"] + second["results"]]
        assert len(moments) == 22
        assert moments == sorted(moments, reverse=True)
        assert moments[-1] == "2026-11-18T04:00:00Z"

    def test_one_tells_where_it_goes_and_until_when_it_can_be_undone(self, client, buyer):
        line = OrderLineFactory(order__errand__member=buyer)
        shown = client.get(f"{API}/orders/{line.order.number}/").json()
        assert (shown["number"], shown["recipient"], shown["total"]) == (line.order.number, "Lin Mei", "300")
        assert shown["undo_until"] == "2026-11-18T04:10:00Z"
        assert shown["lines"][0]["sku"] == line.product.sku

    def test_anothers_and_unknown_ones_are_not_found(self, client, buyer):
        assert_problem(client.get(f"{API}/orders/{OrderFactory().number}/"), 404, "unknown_order")
        assert_problem(client.get(f"{API}/orders/nothing/"), 404, "unknown_order")

    def test_the_anonymous_are_refused(self, client):
        assert client.get(f"{API}/orders/").status_code == 401
        assert client.get(f"{API}/orders/{OrderFactory().number}/").status_code == 401


class TestUndo:
    def place(self, member, at=None) -> str:
        offer = OfferFactory(stock=10)
        errand = orders.place(
            member=member,
            wanted=[orders.Wanted(offer.pk, 2)],
            key="k",
            address=AddressFactory.build(member=member),
            payment_kind="invoice",
            at=at or timezone.now(),
        )
        return errand.orders.get().number

    def test_twice_is_once(self, client, buyer):
        number = self.place(buyer)
        answers = [post(client, f"/orders/{number}/undo/", {}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["orders"][0]["status"] == "undone"
        assert Offer.objects.get().stock == 10

    def test_too_late_is_a_problem(self, client, buyer):
        number = self.place(buyer, at=timezone.now() - timedelta(hours=1))
        assert_problem(post(client, f"/orders/{number}/undo/", {}), 409, "undo_over")
        assert Order.objects.get().status == Order.Status.PLACED

    def test_anothers_order_is_not_found(self, client, buyer):
        number = self.place(AddressFactory().member)
        assert_problem(post(client, f"/orders/{number}/undo/", {}), 404, "unknown_order")
        assert Order.objects.get().status == Order.Status.PLACED

    def test_get_and_the_anonymous_are_refused(self, client, buyer):
        number = self.place(buyer)
        assert client.get(f"{API}/orders/{number}/undo/").status_code == 405
        client.logout()
        assert post(client, f"/orders/{number}/undo/", {}).status_code == 401
        assert Order.objects.get().status == Order.Status.PLACED


class TestPaymentMethods:
    def test_are_kept_and_listed_default_first(self, client):
        member = MemberFactory()
        client.force_login(member)
        first = post(client, "/payment-methods/", {"kind": "invoice"}).json()
        assert first == {"id": first["id"], "kind": "invoice", "is_default": True}
        added = post(client, "/payment-methods/", {"kind": "cash_on_delivery", "is_default": False}).json()
        assert added == {"id": added["id"], "kind": "cash_on_delivery", "is_default": False}
        listed = client.get(f"{API}/payment-methods/").json()
        assert [method["kind"] for method in listed] == ["invoice", "cash_on_delivery"]

    def test_the_default_moves_and_is_never_taken_off(self, client, buyer):
        cash = post(client, "/payment-methods/", {"kind": "cash_on_delivery", "is_default": False}).json()
        path, json = f"{API}/payment-methods/{cash['id']}/", "application/json"
        assert client.patch(path, {"is_default": True}, json).json() == {**cash, "is_default": True}
        assert client.patch(path, {"is_default": False}, json).json()["is_default"] is True
        assert default_payment(buyer).kind == "cash_on_delivery"

    def test_are_deleted(self, client, buyer):
        assert client.delete(f"{API}/payment-methods/{default_payment(buyer).pk}/").status_code == 204
        assert default_payment(buyer) is None

    def test_of_a_stranger_are_404(self, client, buyer):
        path = f"{API}/payment-methods/{PaymentMethodFactory().pk}/"
        assert_problem(client.patch(path, {"is_default": True}, "application/json"), 404, "not_found")
        assert_problem(client.delete(path), 404, "not_found")

    def test_are_ones_own(self, client, buyer):
        PaymentMethodFactory(kind="cash_on_delivery")
        assert [method["kind"] for method in client.get(f"{API}/payment-methods/").json()] == ["invoice"]

    def test_what_is_no_payment_is_invalid(self, client, buyer):
        assert_problem(post(client, "/payment-methods/", {"kind": "pebbles"}), 400, "invalid")
        assert default_payment(buyer).kind == "invoice"

    def test_the_anonymous_are_refused(self, client):
        assert client.get(f"{API}/payment-methods/").status_code == 401
        assert post(client, "/payment-methods/", {"kind": "invoice"}).status_code == 401
