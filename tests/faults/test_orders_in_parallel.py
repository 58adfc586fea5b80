"""Many at once, over real HTTP, on a database with real row locks."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from shop import orders
from shop.models import Errand, Offer, Order, OrderLine
from tests.factories import AddressFactory, ListItemFactory, MemberFactory, OfferFactory, PaymentMethodFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

AT_ONCE = 20
SESSION, CSRF = django_settings.SESSION_COOKIE_NAME, django_settings.CSRF_COOKIE_NAME


@pytest.fixture(autouse=True)
def _postgresql():
    if django_settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        pytest.fail("These tests need PostgreSQL: run `make test-services`, or set DATABASE_URL.")


def shopper(offer=None, **item):
    member = MemberFactory()
    AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    return ListItemFactory(member=member, offer=offer or OfferFactory(stock=50), due=True, **item)


def post(live_server, member, path: str, body: dict, key: str, barrier: Barrier) -> tuple[int, dict]:
    """One request of a signed-in member over its own connection, sent when all the others are ready."""
    client = Client()
    client.force_login(member)
    client.get("/my-list/")  # sets the CSRF cookie
    session, token = (client.cookies[name].value for name in (SESSION, CSRF))
    address = urlsplit(live_server.url)
    web = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    barrier.wait()
    web.request(
        "POST",
        path,
        json.dumps(body),
        {
            "Content-Type": "application/json",
            "Cookie": f"{SESSION}={session}; {CSRF}={token}",
            "X-CSRFToken": token,
            "Idempotency-Key": key,
        },
    )
    answer = web.getresponse()
    found = answer.status, json.loads(answer.read())
    web.close()
    return found


def all_at_once(calls):
    barrier = Barrier(len(calls))

    def run(call):
        try:
            return call(barrier)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_twenty_requests_with_one_key_make_one_order_and_get_one_answer(live_server):
    item = shopper()
    body = {"items": [{"id": item.pk, "quantity": 2}]}
    answers = all_at_once(
        [lambda b: post(live_server, item.member, "/api/v1/my-list/reorder/", body, "one-key", b)] * AT_ONCE
    )
    assert {status for status, _ in answers} == {201}
    assert len({json.dumps(answer, sort_keys=True) for _, answer in answers}) == 1
    assert (Errand.objects.count(), Order.objects.count(), OrderLine.objects.get().quantity) == (1, 1, 2)
    assert Offer.objects.get().stock == 48


def test_twenty_taps_on_reorder_all_due_with_twenty_keys_order_each_thing_once(live_server):
    item = shopper()
    answers = all_at_once(
        [
            lambda b, n=n: post(live_server, item.member, "/api/v1/my-list/reorder-due/", {}, f"key-{n}", b)
            for n in range(AT_ONCE)
        ]
    )
    assert sorted(status for status, _ in answers) == [201] + [409] * (AT_ONCE - 1)
    assert Order.objects.count() == 1


def test_twenty_shoppers_for_the_last_five_pieces_make_five_orders_and_stock_zero(live_server):
    offer = OfferFactory(stock=5)
    items = [shopper(offer) for _ in range(AT_ONCE)]
    answers = all_at_once(
        [
            lambda b, item=item: post(
                live_server,
                item.member,
                "/api/v1/my-list/reorder/",
                {"items": [{"id": item.pk, "quantity": 1}]},
                "mine",
                b,
            )
            for item in items
        ]
    )
    assert sorted(status for status, _ in answers) == [201] * 5 + [409] * 15
    refused = [answer for status, answer in answers if status == 409]
    assert {answer["items"][0]["reason"] for answer in refused} == {"sold_out"}
    assert (Order.objects.count(), Offer.objects.get(pk=offer.pk).stock) == (5, 0)


def test_baskets_that_overlap_crosswise_never_wait_for_each_other_in_a_circle(live_server):
    first, second = OfferFactory(stock=500), OfferFactory(stock=500)
    calls = []
    for number in range(AT_ONCE):
        one = shopper(first)
        other = ListItemFactory(member=one.member, offer=second, due=True)
        lines = [{"id": one.pk}, {"id": other.pk}]
        body = {"items": lines if number % 2 else lines[::-1]}
        calls.append(
            lambda b, member=one.member, body=body: post(live_server, member, "/api/v1/my-list/reorder/", body, "k", b)
        )
    assert {status for status, _ in all_at_once(calls)} == {201}
    assert set(Offer.objects.values_list("stock", flat=True)) == {480}


def test_undo_and_settle_at_once_end_in_one_of_the_two(settings):
    settings.UNDO_WINDOW = timedelta(seconds=0)
    items = [shopper() for _ in range(8)]
    at = timezone.now()
    errands = [
        orders.place(
            member=item.member,
            wanted=[orders.Wanted(item.offer_id, 1)],
            key="k",
            address=item.member.addresses.get(),
            payment_kind="invoice",
            at=at,
        )
        for item in items
    ]
    barrier = Barrier(9)

    def undo(errand):
        barrier.wait()
        try:
            # A clock a second behind still sees the window open: the rows decide, not the clocks.
            orders.undo(member=errand.member, errand_id=errand.pk, at=at - timedelta(seconds=1))
        except orders.UndoOver:
            return "settled"
        finally:
            connection.close()
        return "undone"

    def settle(_):
        barrier.wait()
        try:
            return orders.settle(at=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(9) as pool:
        settling = pool.submit(settle, None)
        outcomes = list(pool.map(undo, errands))
        settling.result()
    orders.settle(at=at)
    for errand, outcome, item in zip(errands, outcomes, items, strict=True):
        assert errand.orders.get().status == outcome
        assert Offer.objects.get(pk=item.offer_id).stock == (50 if outcome == "undone" else 49)


def test_a_wait_that_runs_out_is_a_refusal_to_be_tried_again(transactional_db):
    item = shopper()
    client = Client()
    client.force_login(item.member)
    held, done = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                orders.lock_member(item.member)
                held.set()
                done.wait(20)
        finally:
            connection.close()

    def tap():
        return client.post(
            "/api/v1/my-list/reorder/",
            {"items": [{"id": item.pk}]},
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )

    with ThreadPoolExecutor(1) as pool, connection.cursor() as cursor:
        holding = pool.submit(hold)
        assert held.wait(20)
        cursor.execute("SET lock_timeout = '200ms'")
        refused = tap()
        done.set()
        holding.result()
        cursor.execute("RESET lock_timeout")
    assert (refused.status_code, refused["Retry-After"]) == (409, "1")
    assert refused.json()["type"] == "/problems/in_progress"
    assert tap().status_code == 201
    assert Order.objects.count() == 1
