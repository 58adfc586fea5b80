"""A mobile client's whole errand over HTTP: no cookies, nothing but a session token and JSON."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User
from mylist import tasks
from notify.channels import sms
from shop.models import Offer
from shop.orders import settle
from tests.factories import AddressFactory, ListItemFactory, MemberFactory, OfferFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db
SIGN_IN = "/_allauth/app/v1/auth"
API = "/api/v1"


class App:
    """Keeps the token as an app keeps it, sends no cookie and takes none."""

    def __init__(self, token: str = "") -> None:
        self.token = token

    def send(self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        if self.token:
            headers["X-Session-Token"] = self.token
        answer = Client(enforce_csrf_checks=True).generic(
            method,
            path,
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers=headers,
        )
        assert not answer.cookies, f"{method} {path} set {list(answer.cookies)}"
        assert "Set-Cookie" not in answer.headers
        return answer

    def sign_in(self, email: str, mailoutbox: list) -> None:
        asked = self.send("POST", f"{SIGN_IN}/code/request", {"email": email})
        assert asked.status_code == 401
        self.token = asked.json()["meta"]["session_token"]
        code = re.search(r"^\d{6}$", mailoutbox[-1].body, re.MULTILINE).group()
        entered = self.send("POST", f"{SIGN_IN}/code/confirm", {"code": code})
        assert entered.status_code == 200
        # The token of somebody signed in is a new one: who saw the first cannot use it.
        assert entered.json()["meta"]["session_token"] != self.token
        self.token = entered.json()["meta"]["session_token"]

    def reorder_due(self, totals: list[dict[str, str]], key: str) -> HttpResponse:
        return self.send("POST", f"{API}/my-list/reorder-due/", {"totals": totals}, **{"Idempotency-Key": key})


def is_problem(answer: HttpResponse, status: int, name: str) -> bool:
    return (answer.status_code, answer["Content-Type"], answer.json()["type"]) == (
        status,
        "application/problem+json",
        f"/problems/{name}",
    )


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def imported() -> User:
    """A member as an import leaves one, with three things due in as many stores."""
    member = MemberFactory(email="Mei.Lin@example.com", claimed_at=None)
    AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    ListItemFactory.create_batch(3, member=member, due=True, around=timezone.now())
    return member


def test_a_newcomer_joins_by_phone_orders_has_a_list_reorders_and_signs_out(app):
    offer = OfferFactory(price=320, product__name_en="Oat soap")
    store, sku = offer.store.code, offer.product.sku
    assert app.send("GET", f"{API}/products/?store={store}").json()["results"][0]["sku"] == sku

    joined = app.send("POST", f"{SIGN_IN}/signup", {"name": "Chen Wei", "phone": "0912 345 678"})
    assert joined.status_code == 401
    app.token = joined.json()["meta"]["session_token"]
    assert is_problem(app.send("GET", f"{API}/me/"), 401, "not_authenticated")  # the token of who has not proved it
    code = re.search(r"#(\d{6})$", sms.outbox[-1].text).group(1)
    entered = app.send("POST", f"{SIGN_IN}/code/confirm", {"code": code})
    assert entered.status_code == 200
    app.token = entered.json()["meta"]["session_token"]
    me = app.send("GET", f"{API}/me/").json()
    assert (me["name"], me["phone"], me["email"]) == ("Chen Wei", "+886912345678", "")
    assert is_problem(app.send("GET", f"{API}/my-list/"), 403, "not_returning")

    where = {
        "recipient": "Chen Wei",
        "phone": "0912345678",
        "postal_code": "106",
        "city": "Taipei",
        "street": "Heping 1",
    }
    assert app.send("POST", f"{API}/addresses/", where).status_code == 201
    assert app.send("POST", f"{API}/payment-methods/", {"kind": "cash_on_delivery"}).status_code == 200
    bought = {"store": store, "items": [{"sku": sku, "quantity": 2, "unit_price": "320"}]}
    first = app.send("POST", f"{API}/orders/", bought, **{"Idempotency-Key": "first"})
    assert first.status_code == 201

    # Ten minutes later the order is settled, and the worker has made the list of it.
    later = timezone.now() + timedelta(minutes=11)
    settle(at=later)
    tasks.predict_members(member_ids=list(User.objects.values_list("pk", flat=True)))
    (item,) = app.send("GET", f"{API}/my-list/").json()["items"]
    assert (item["name"], item["last_quantity"]) == ("Oat soap", "2")
    again = {"items": [{"id": item["id"], "quantity": 1, "unit_price": "320"}]}
    reordered = app.send("POST", f"{API}/my-list/reorder/", again, **{"Idempotency-Key": "again"})
    assert reordered.status_code == 201
    assert len(app.send("GET", f"{API}/orders/").json()["results"]) == 2

    assert app.send("DELETE", f"{SIGN_IN}/session").status_code == 401
    for path in ("me", "my-list", "orders"):
        assert is_problem(app.send("GET", f"{API}/{path}/"), 401, "not_authenticated")


def groups(app: App) -> list[str]:
    return [item["group"] for item in app.send("GET", f"{API}/my-list/").json()["items"]]


def test_an_imported_member_signs_in_orders_what_is_due_and_takes_it_back(app, imported, mailoutbox):
    app.sign_in("mei.lin@example.com", mailoutbox)
    imported.refresh_from_db()
    assert imported.claimed_at
    assert app.send("GET", f"{API}/me/").json()["member_no"] == imported.member_no

    found = app.send("GET", f"{API}/my-list/").json()
    assert [item["group"] for item in found["items"]] == ["due"] * 3
    assert found["due_totals"] == [{"currency": "TWD", "amount": "900"}]

    ordered = app.reorder_due(found["due_totals"], "one-tap")
    assert ordered.status_code == 201
    assert app.reorder_due(found["due_totals"], "one-tap").json() == ordered.json()
    assert groups(app) == ["on_its_way"] * 3

    numbers = {order["number"] for order in ordered.json()["orders"]}
    listed = app.send("GET", f"{API}/orders/").json()["results"]
    assert {order["number"] for order in listed} == numbers
    assert len(numbers) == 3

    undone = app.send("POST", f"{API}/errands/{ordered.json()['id']}/undo/")
    assert undone.status_code == 200
    assert {order["status"] for order in undone.json()["orders"]} == {"undone"}
    assert groups(app) == ["due"] * 3
    assert set(Offer.objects.values_list("stock", flat=True)) == {50}


def test_the_errand_costs_two_requests_and_at_most_twenty_statements(
    app, imported, mailoutbox, django_assert_max_num_queries
):
    app.sign_in(imported.email, mailoutbox)
    with django_assert_max_num_queries(20):
        found = app.send("GET", f"{API}/my-list/").json()
        answer = app.reorder_due(found["due_totals"], "one-tap")
    assert answer.status_code == 201
    assert len(answer.json()["orders"]) == 3


CALLS = [
    ("GET", f"{API}/my-list/"),
    ("POST", f"{API}/my-list/reorder-due/"),
    ("GET", f"{API}/orders/"),
    ("GET", f"{API}/me/"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("token", ["", "made-up", "x" * 5000])
def test_a_wrong_token_opens_nothing(method, path, token):
    answer = App(token).send(method, path)
    assert is_problem(answer, 401, "not_authenticated")
    assert "X-Session-Token" in answer["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_the_token_of_a_session_signed_out_opens_nothing(app, imported, mailoutbox, method, path):
    app.sign_in(imported.email, mailoutbox)
    assert app.send("DELETE", f"{SIGN_IN}/session").status_code == 401  # so allauth says: signed out
    assert is_problem(app.send(method, path), 401, "not_authenticated")


def test_what_belongs_to_another_is_not_found(app, imported, mailoutbox):
    app.sign_in(imported.email, mailoutbox)
    found = app.send("GET", f"{API}/my-list/").json()
    errand = app.reorder_due(found["due_totals"], "mine").json()

    stranger = App()
    other = ListItemFactory(due=True, around=timezone.now()).member
    for make in (AddressFactory, PaymentMethodFactory):
        make(member=other)
    stranger.sign_in(other.email, mailoutbox)
    item, order = found["items"][0]["id"], errand["orders"][0]["number"]
    address = imported.addresses.get().pk
    key = {"Idempotency-Key": "theirs"}
    answers = [
        stranger.send("GET", f"{API}/my-list/{item}/"),
        stranger.send("PATCH", f"{API}/my-list/{item}/", {"pinned": True}),
        stranger.send("POST", f"{API}/my-list/reorder/", {"items": [{"id": item}]}, **key),
        stranger.send("POST", f"{API}/errands/{errand['id']}/undo/"),
        stranger.send("GET", f"{API}/orders/{order}/"),
        stranger.send("POST", f"{API}/orders/{order}/undo/"),
        stranger.send("GET", f"{API}/addresses/{address}/"),
        stranger.send("PATCH", f"{API}/addresses/{address}/", {"city": "Tainan"}),
        stranger.send("DELETE", f"{API}/addresses/{address}/"),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert imported.addresses.get().city != "Tainan"
    assert groups(app) == ["on_its_way"] * 3
    assert stranger.send("GET", f"{API}/orders/").json()["results"] == []
