"""What members are told of their orders, as settling writes it."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from notify import dispatch
from notify.channels import sms
from notify.models import Message
from shop import messages, orders
from shop.models import Errand, Order, OrderLine, PaymentMethod
from tests.factories import AddressFactory, ErrandFactory, MemberFactory, OfferFactory, OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db

MEI = "+886912345678"


@pytest.fixture
def member() -> User:
    return MemberFactory(email="mei@example.com", phone=MEI, order_channel="email")


@pytest.fixture(autouse=True)
def site(settings):
    settings.SITE_URL = "https://shop.example"
    settings.SITE_NAME = "Daybell"


def _bought(member: User, now, *offers, key: str = "k") -> Errand:
    return orders.place(
        member=member,
        wanted=[orders.Wanted(offer.pk, 2) for offer in offers],
        key=key,
        address=AddressFactory.build(member=member),
        payment_kind=PaymentMethod.Kind.CASH,
        at=now,
    )


def _diapers(**changes):
    return OfferFactory(
        **{
            "price": Decimal(660),
            "product__name_en": "Diapers <b>& Co</b>",
            "product__name_zh": "尿布",
            "store__name_en": "Baby House",
            "store__name_zh": "寶貝屋",
            **changes,
        }
    )


def _wipes(**changes):
    return OfferFactory(**{"price": Decimal(90), "product__name_en": "Wipes", "store__name_en": "Pet Home", **changes})


def _told(now) -> Message:
    orders.settle(at=now + timedelta(minutes=10))
    return Message.objects.get()


def test_settling_writes_what_was_bought_where_and_for_how_much(member, now):
    errand = _bought(member, now, _diapers(), _wipes())
    message = _told(now)
    first, second = errand.orders.order_by("pk")
    assert (message.key, message.purpose) == (f"errand-{errand.pk}-settled", "order")
    assert (message.channel, message.recipient, message.whose) == ("email", "mei@example.com", str(member.pk))
    assert message.due_at == now + timedelta(minutes=10)
    assert message.subject == "Your order for NT$1,500 is confirmed"
    assert message.text.split("\n") == [
        "Your order for NT$1,500 is confirmed",
        "Nov. 18, 2026, noon",
        "",
        f"Baby House · Order {first.number}",
        "- 2 × Diapers <b>& Co</b>  NT$1,320",
        "Total: NT$1,320",
        f"https://shop.example/orders/{first.number}/",
        "",
        f"Pet Home · Order {second.number}",
        "- 2 × Wipes  NT$180",
        "Total: NT$180",
        f"https://shop.example/orders/{second.number}/",
        "",
        "Deliver to:",
        "Lin Mei",
        "106 Da'an, Taipei Heping E. Rd. 1",
        "+886912345678",
        "",
        "Payment: Cash on delivery",
        "",
        "-- ",
        "Daybell",
    ]


def test_the_mail_s_html_says_the_same_and_is_escaped_inlined_and_self_contained(member, now):
    errand = _bought(member, now, _diapers())
    html = _told(now).html
    number = errand.orders.get().number
    for words in (
        "NT$1,320",
        "Baby House",
        number,
        "Diapers &lt;b&gt;&amp; Co&lt;/b&gt;",
        "Lin Mei",
        "Cash on delivery",
    ):
        assert words in html
    assert re.findall(r'href="([^"]+)"', html) == [f"https://shop.example/orders/{number}/"]
    assert "background-color: #ad3f1a" in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert not any(outside in html for outside in ("<img", "url(", "<script"))


def test_the_link_leads_to_the_order(client, member, now):
    _bought(member, now, _diapers())
    link = re.search(r"https://shop\.example(/\S+)", _told(now).text)
    client.force_login(member)
    assert client.get(link[1]).status_code == 200


def test_the_member_s_language_and_zone_are_spoken(member, now):
    User.objects.update(language="zh-hant", time_zone="America/Los_Angeles")
    member.refresh_from_db()
    _bought(member, now, _diapers())
    message = _told(now)
    assert "寶貝屋" in message.text
    assert "2 × 尿布" in message.text
    assert "2026年11月17日" in message.text
    assert "貨到付款" in message.text
    assert '<html lang="zh-Hant">' in message.html


def test_an_sms_has_two_lines(member, now):
    User.objects.update(order_channel="sms")
    errand = _bought(member, now, _diapers())
    message = _told(now)
    assert (message.channel, message.recipient, message.html) == ("sms", MEI, "")
    assert message.text.split("\n") == [
        "Your order for NT$1,320 is confirmed (Baby House)",
        f"https://shop.example/orders/{errand.orders.get().number}/",
    ]
    dispatch.send(message_id=message.pk, at=now + timedelta(minutes=10))
    assert [text.recipient for text in sms.outbox] == [MEI]


def test_an_sms_about_several_stores_says_each_sum_and_leads_to_all(member, now):
    User.objects.update(order_channel="sms")
    _bought(member, now, _diapers(), _wipes())
    assert _told(now).text.split("\n") == [
        "Your order for NT$1,500 is confirmed (Baby House NT$1,320, Pet Home NT$180)",
        "https://shop.example/orders/",
    ]


def test_currencies_are_not_added_up(member, now):
    _bought(member, now, _diapers(), _wipes(currency="USD", price=Decimal("6.25")))
    assert _told(now).subject == "Your order for NT$1,320 + US$12.50 is confirmed"


@pytest.mark.parametrize(
    ("changes", "sms_url", "reached"),
    [
        ({"order_channel": "sms"}, "locmem://", ("sms", MEI)),
        ({"order_channel": "sms", "phone": ""}, "locmem://", ("email", "mei@example.com")),
        ({"order_channel": "sms"}, "", ("email", "mei@example.com")),
        ({"order_channel": "email", "email": ""}, "locmem://", ("sms", MEI)),
        ({"order_channel": "email", "email": ""}, "", None),
        ({"email": "", "phone": ""}, "locmem://", None),
    ],
)
def test_whoever_can_be_reached_only_one_way_is_reached_that_way(member, now, settings, changes, sms_url, reached):
    settings.SMS_URL = sms_url
    User.objects.update(**changes)
    _bought(member, now, _diapers())
    orders.settle(at=now + timedelta(minutes=10))
    assert Message.objects.values_list("channel", "recipient").first() == reached
    assert Order.objects.get().status == "settled"


def test_settled_twice_is_told_once(member, now):
    errand = _bought(member, now, _diapers(), _wipes())
    message = _told(now)
    later = now + timedelta(hours=1)
    # As if two had settled a store each: the second finds its order still to be settled.
    Order.objects.filter(store__name_en="Pet Home").update(status="placed", settled_at=None)
    assert orders.settle(at=later) == 1
    messages.tell_confirmed(errand_ids=[errand.pk], at=later)
    assert Message.objects.get() == message
    assert "Pet Home" in message.text


def test_what_was_undone_is_not_told_of(member, now):
    errand = _bought(member, now, _diapers())
    orders.undo(member=member, errand_id=errand.pk, at=now)
    orders.settle(at=now + timedelta(minutes=10))
    assert not Message.objects.exists()


def test_nothing_is_told_before_the_undo_window_is_over(member, now):
    _bought(member, now, _diapers())
    orders.settle(at=now + timedelta(minutes=9))
    assert not Message.objects.exists()


def test_the_message_and_the_settling_happen_together_or_not_at_all(member, now, monkeypatch):
    _bought(member, now, _diapers())
    monkeypatch.setattr(messages.outbox, "post_all", _fail)
    with pytest.raises(ZeroDivisionError):
        orders.settle(at=now + timedelta(minutes=10))
    assert Order.objects.get().status == "placed"


def _fail(_messages):
    raise ZeroDivisionError


def test_the_gate_lets_it_through_whatever_else_was_turned_off(member, now, mailoutbox):
    User.objects.update(reminder_channel="none", email_consent=False)
    _bought(member, now, _diapers())
    dispatch.send(message_id=_told(now).pk, at=now + timedelta(minutes=10))
    assert [mail.to for mail in mailoutbox] == [["mei@example.com"]]


def test_as_many_questions_for_forty_errands_as_for_four(now):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            orders.settle(at=now + timedelta(minutes=10))
        return len(captured)

    def errands(count: int) -> None:
        for _ in range(count):
            errand = ErrandFactory(placed_at=now)
            OrderLineFactory.create_batch(2, order=OrderFactory(errand=errand))

    errands(4)
    of_four = queries()
    errands(40)
    assert queries() == of_four
    assert Message.objects.count() == 44
    assert OrderLine.objects.count() == 88
