"""What the shop writes to members about their orders: one message an errand, once it can no longer be undone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from notify import outbox
from notify.channels import sms
from notify.gates import Allow, Answer
from notify.markup import render_html
from notify.models import Message
from shop.models import Errand, Order, OrderLine
from shop.money import format_money

PURPOSE = "order"


def gate(message: Message, at: datetime) -> Answer:
    """Always: it belongs to the purchase, and is about one that was made."""
    return Allow()


def tell_confirmed(*, errand_ids: Collection[int], at: datetime) -> None:
    """Write to the members of these errands what is confirmed now, in the caller's transaction.

    An errand that was told of before is not told of again. As many questions to the database for one as for many.
    """
    orders = Order.objects.exclude(status=Order.Status.UNDONE).select_related("store").order_by("pk")
    lines = OrderLine.objects.select_related("product").order_by("pk")
    errands = (
        Errand.objects.filter(pk__in=errand_ids)
        .select_related("member")
        .prefetch_related(Prefetch("orders", orders), Prefetch("orders__lines", lines))
        .order_by("pk")  # two who settle at once wait for each other in one order
    )
    outbox.post_all([message for errand in errands if (message := _confirmation(errand, at))])


def _confirmation(errand: Errand, at: datetime) -> Message | None:
    member = errand.member
    channel, recipient = _reached(member)
    if not recipient:
        return None
    with translation.override(member.language), timezone.override(ZoneInfo(member.time_zone)):
        context = _context(errand, member.language)
        is_mail = channel == Message.Channel.EMAIL
        return Message(
            key=f"errand-{errand.pk}-settled",
            purpose=PURPOSE,
            channel=channel,
            recipient=recipient,
            whose=str(member.pk),
            subject=" ".join(render_to_string("emails/order.subject.txt", context).split()),
            text=render_to_string("emails/order.txt" if is_mail else "emails/order.sms.txt", context).strip(),
            html=render_html("emails/order.html", context) if is_mail else "",
            created_at=at,
            due_at=at,
        )


def _reached(member: User) -> tuple[Message.Channel, str]:
    """By the channel the member chose, or by the other where that one does not reach the member."""
    by_mail = (Message.Channel.EMAIL, member.email)
    by_sms = (Message.Channel.SMS, member.phone if sms.is_available() else "")
    first, second = (by_sms, by_mail) if member.order_channel == User.OrderChannel.SMS else (by_mail, by_sms)
    return first if first[1] else second


@dataclass(frozen=True, slots=True)
class _Line:
    quantity: int
    name: str
    amount: str


@dataclass(frozen=True, slots=True)
class _Part:
    """What was bought in one store."""

    store: str
    accent: str
    number: str
    link: str
    lines: list[_Line]
    total: str


def _context(errand: Errand, language: str) -> dict[str, Any]:
    orders = list(errand.orders.all())
    parts = [_part(order, language) for order in orders]
    totals: dict[str, Decimal] = {}
    for order in orders:
        totals[order.currency] = totals.get(order.currency, Decimal(0)) + order.total
    return {
        "site_name": settings.SITE_NAME,
        "html_language": "en" if language == "en" else "zh-Hant",
        "parts": parts,
        "total": " + ".join(format_money(total, currency, language) for currency, total in totals.items()),
        "order": orders[0],  # one errand goes to one address and is paid in one way
        "placed_at": errand.placed_at,
        "link": parts[0].link if len(parts) == 1 else settings.SITE_URL + reverse("shop:orders"),
    }


def _part(order: Order, language: str) -> _Part:
    def money(amount: Decimal) -> str:
        return format_money(amount, order.currency, language)

    return _Part(
        store=order.store.name,
        accent=order.store.accent_light,
        number=order.number,
        link=settings.SITE_URL + reverse("shop:order", args=[order.number]),
        lines=[
            _Line(line.quantity, " ".join(line.product.name.split()), money(line.amount)) for line in order.lines.all()
        ],
        total=money(order.total),
    )
