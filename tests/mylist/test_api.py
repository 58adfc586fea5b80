"""My List over REST: who gets in, what is answered, and that nothing is ordered by accident."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from mylist.models import ListItem
from shop.models import Errand, Offer, Order, PaymentMethod
from tests.factories import AddressFactory, ListItemFactory, MemberFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db

LIST = "/api/v1/my-list/"
REORDER = "/api/v1/my-list/reorder/"
REORDER_DUE = "/api/v1/my-list/reorder-due/"


@pytest.fixture
def now():
    """The views read the clock themselves."""
    return timezone.now()


@pytest.fixture
def shopper():
    member = MemberFactory()
    AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    return member


@pytest.fixture
def item(shopper, now):
    return ListItemFactory(member=shopper, due=True, around=now)


@pytest.fixture
def api(client, shopper):
    client.force_login(shopper)
    return client


def post(client, path, body=None, key="k"):
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(path, body or {}, content_type="application/json", headers=headers)


def is_problem(answer, status, name) -> bool:
    body = answer.json()
    return (answer.status_code, answer["Content-Type"], body["type"], body["status"]) == (
        status,
        "application/problem+json",
        f"/problems/{name}",
        status,
    )


class TestWhoGetsIn:
    CALLS = [
        ("get", LIST),
        ("get", LIST + "1/"),
        ("patch", LIST + "1/"),
        ("post", REORDER),
        ("post", REORDER_DUE),
        ("post", "/api/v1/errands/1/undo/"),
    ]

    @pytest.mark.parametrize(("method", "path"), CALLS)
    def test_the_anonymous_are_told_to_sign_in(self, client, method, path):
        answer = getattr(client, method)(path, content_type="application/json")
        assert answer.status_code == 401
        assert "X-Session-Token" in answer["WWW-Authenticate"]

    @pytest.mark.parametrize("who", ["newcomer", "staff"])
    def test_without_a_completed_purchase_there_is_no_list(self, client, who):
        client.force_login(MemberFactory(is_staff=who == "staff", is_superuser=who == "staff"))
        assert is_problem(client.get(LIST), 403, "not_returning")

    def test_a_returning_customer_sees_the_own_list(self, api, item, now):
        ListItemFactory(around=now)
        assert [entry["id"] for entry in api.get(LIST).json()["items"]] == [item.pk]

    @pytest.mark.parametrize("staff", [False, True])
    def test_anothers_item_is_not_found_by_anybody_else(self, client, item, now, staff):
        other = ListItemFactory(around=now, member__is_staff=staff, member__is_superuser=staff).member
        AddressFactory(member=other)
        PaymentMethodFactory(member=other)
        client.force_login(other)
        path = f"{LIST}{item.pk}/"
        assert client.get(path).status_code == 404
        assert client.patch(path, {"pinned": True}, content_type="application/json").status_code == 404
        assert post(client, REORDER, {"items": [{"id": item.pk}]}).status_code == 404
        assert not Errand.objects.exists()
        assert ListItem.objects.get(pk=item.pk).pinned_at is None

    def test_anothers_errand_is_not_found(self, api, client, item):
        errand = post(api, REORDER, {"items": [{"id": item.pk}]}).json()
        client.force_login(MemberFactory())
        assert post(client, f"/api/v1/errands/{errand['id']}/undo/").status_code == 404
        assert Order.objects.get().status == "placed"

    @pytest.mark.parametrize("path", [LIST, REORDER, REORDER_DUE])
    def test_a_wrong_method_is_refused(self, api, path):
        assert api.put(path).status_code == 405


class TestList:
    def test_an_entry_says_all_a_client_shows(self, api, item):
        body = api.get(LIST).json()
        entry = body["items"][0]
        assert body["due_totals"] == [{"currency": "TWD", "amount": "300"}]
        assert (entry["group"], entry["name"], entry["unit_price"], entry["availability"]) == (
            "due",
            item.product.name,
            "300",
            "available",
        )
        assert entry["due_label"] == "Runs out about now"
        assert entry["reason"] == "About every 30 days, last time 1 pack, 29 days ago"
        assert entry["last_quantity"] == "1"

    def test_it_speaks_the_members_language(self, api, item, shopper):
        shopper.language = "zh-hant"
        shopper.save()
        entry = api.get(LIST).json()["items"][0]
        assert entry["name"] == item.product.name_zh
        assert entry["reason"].startswith("大約每 30 天買一次，上次買了 1 份")

    def test_an_app_is_answered_in_the_language_it_asks_for(self, api, item):
        app = {"X-Session-Token": api.session.session_key}
        for language, words in (("zh-TW", item.product.name_zh), ("en", item.product.name_en)):
            answer = Client().get(LIST, headers=app | {"Accept-Language": language})
            assert answer.json()["items"][0]["name"] == words

    def test_everything_hidden_is_an_empty_list_and_no_refusal(self, api, item, now):
        ListItem.objects.update(hidden_at=now)
        assert api.get(LIST).json() | {"drawn_at": ""} == {
            "drawn_at": "",
            "due_totals": [],
            "items": [],
            "hidden_count": 1,
        }

    def test_its_statements_do_not_grow_with_the_list(self, api, shopper, now, django_assert_num_queries):
        ListItemFactory.create_batch(15, member=shopper, around=now)
        with django_assert_num_queries(4):  # session, member, items, what is on its way
            api.get(LIST)


class TestWishes:
    def patch(self, api, item, **wishes):
        return api.patch(f"{LIST}{item.pk}/", wishes, content_type="application/json")

    def test_pin_hide_snooze_and_quantity_and_back(self, api, item, now):
        until = now + timedelta(days=7)
        body = self.patch(api, item, pinned=True, hidden=True, snoozed_until=until.isoformat(), quantity=3).json()
        assert (body["pinned"], body["hidden"], body["quantity"]) == (True, True, 3)
        assert body["snoozed_until"] == until.isoformat(timespec="seconds").replace("+00:00", "Z")
        body = self.patch(api, item, pinned=False, hidden=False, snoozed_until=None, quantity=None).json()
        assert (body["pinned"], body["hidden"], body["snoozed_until"], body["quantity"]) == (False, False, None, 1)

    def test_what_is_left_out_stays(self, api, item, now):
        ListItem.objects.update(pinned_at=now, quantity=4)
        self.patch(api, item, hidden=True)
        item.refresh_from_db()
        assert (item.pinned_at, item.quantity) == (now, 4)

    @pytest.mark.parametrize(
        "bad", [{"quantity": 0}, {"quantity": 100}, {"snoozed_until": "soon"}, {"pinned": "maybe"}]
    )
    def test_nonsense_is_refused_by_its_field(self, api, item, bad):
        answer = self.patch(api, item, **bad)
        assert is_problem(answer, 400, "invalid")
        assert list(answer.json()["errors"]) == list(bad)


class TestReorder:
    def test_it_places_an_order_that_can_be_undone(self, api, item):
        answer = post(api, REORDER, {"items": [{"id": item.pk, "quantity": 2, "unit_price": "300"}]})
        assert answer.status_code == 201
        order = answer.json()["orders"][0]
        assert (order["total"], order["status"], order["lines"][0]["quantity"]) == ("600", "placed", 2)
        undone = post(api, f"/api/v1/errands/{answer.json()['id']}/undo/", key=None).json()
        assert undone["orders"][0]["status"] == "undone"
        assert Offer.objects.get().stock == 50

    def test_the_same_key_is_answered_the_same(self, api, item):
        body = {"items": [{"id": item.pk}]}
        first, second = post(api, REORDER, body), post(api, REORDER, body)
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        assert Order.objects.count() == 1

    def test_the_same_key_with_another_body_is_422(self, api, item):
        post(api, REORDER, {"items": [{"id": item.pk}]})
        answer = post(api, REORDER, {"items": [{"id": item.pk, "quantity": 9}]})
        assert is_problem(answer, 422, "idempotency_key_reused")

    @pytest.mark.parametrize("path", [REORDER, REORDER_DUE])
    def test_without_a_key_nothing_is_bought(self, api, item, path):
        assert is_problem(post(api, path, {"items": [{"id": item.pk}]}, key=None), 400, "idempotency_key_missing")
        assert is_problem(post(api, path, {"items": [{"id": item.pk}]}, key="x" * 256), 400, "idempotency_key_invalid")
        assert not Order.objects.exists()

    def test_a_changed_price_is_asked_again(self, api, item):
        Offer.objects.update(price=320)
        answer = post(api, REORDER, {"items": [{"id": item.pk, "unit_price": "300"}]})
        assert is_problem(answer, 409, "list_changed")
        assert answer.json()["items"] == [
            {"id": item.pk, "reason": "price_changed", "unit_price": "320.00", "stock": 50}
        ]
        assert not Order.objects.exists()

    def test_after_a_refusal_the_key_is_free_for_the_agreed_order(self, api, item):
        Offer.objects.update(price=320)
        post(api, REORDER, {"items": [{"id": item.pk, "unit_price": "300"}]})
        assert post(api, REORDER, {"items": [{"id": item.pk, "unit_price": "320"}]}).status_code == 201

    @pytest.mark.parametrize(("missing", "name"), [("address", "address_missing"), ("payment", "payment_missing")])
    def test_what_is_missing_is_named(self, api, item, shopper, missing, name):
        shopper.addresses.all().delete() if missing == "address" else PaymentMethod.objects.all().delete()
        assert is_problem(post(api, REORDER, {"items": [{"id": item.pk}]}), 409, name)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"items": []},
            {"items": [{"id": "x"}]},
            {"items": [{"id": 1, "quantity": 0}]},
            {"items": [{"id": 1, "unit_price": "-1"}]},
            {"items": [{"id": 1}, {"id": 1}]},
            {"items": [{"id": 2**70}]},
            {"items": [{"id": 1}], "drawn_at": "then"},
        ],
    )
    def test_nonsense_is_refused(self, api, body):
        assert is_problem(post(api, REORDER, body), 400, "invalid")

    def test_a_list_drawn_before_the_order_cannot_order_again(self, api, item, now):
        drawn_at = api.get(LIST).json()["drawn_at"]
        body = {"items": [{"id": item.pk}], "drawn_at": drawn_at}
        first, second = post(api, REORDER, body, key="phone"), post(api, REORDER, body, key="tablet")
        assert first.json() == second.json()
        assert Order.objects.count() == 1


class TestReorderDue:
    def test_it_orders_all_that_is_due(self, api, item, shopper, now):
        ListItemFactory(member=shopper, around=now)
        answer = post(api, REORDER_DUE, {"totals": [{"currency": "TWD", "amount": "300"}]})
        assert [line["sku"] for order in answer.json()["orders"] for line in order["lines"]] == [item.product.sku]

    def test_another_total_than_the_buttons_is_refused(self, api, item):
        answer = post(api, REORDER_DUE, {"totals": [{"currency": "TWD", "amount": "299"}]})
        assert is_problem(answer, 409, "list_changed")

    def test_nothing_due_is_said(self, api, shopper, now):
        ListItemFactory(member=shopper, around=now)
        assert is_problem(post(api, REORDER_DUE), 409, "nothing_due")

    def test_the_undo_window_ends(self, api, item, settings):
        settings.UNDO_WINDOW = timedelta(0)
        errand = post(api, REORDER_DUE).json()
        assert is_problem(post(api, f"/api/v1/errands/{errand['id']}/undo/"), 409, "undo_over")


def test_the_errand_takes_two_requests_and_at_most_twenty_statements(api, shopper, now, django_assert_max_num_queries):
    ListItemFactory.create_batch(5, member=shopper, due=True, around=now)
    with django_assert_max_num_queries(20) as statements:
        found = api.get(LIST).json()
        answer = post(api, REORDER_DUE, {"totals": found["due_totals"]})
    assert answer.status_code == 201
    assert len(answer.json()["orders"]) == 5
    assert len(statements) > 5
