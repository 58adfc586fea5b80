"""What a member ordered here, and what an import says was bought before, as the member reads it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Prefetch, QuerySet

from accounts.models import User
from shop.models import Order, OrderLine, Purchase, Store
from shop.money import round_money


@dataclass(frozen=True, slots=True)
class Visit:
    """What was bought in one store on one day before this shop kept its own orders."""

    on: date
    store: Store
    lines: list[Purchase]
    currency: str
    total: Decimal


def orders_of(member: User) -> QuerySet[Order]:
    """The member's orders, newest first, with all that a page of one shows."""
    lines = OrderLine.objects.select_related("product", "offer").order_by("pk")
    return (
        Order.objects.filter(member=member)
        .select_related("store", "errand")
        .prefetch_related(Prefetch("lines", lines))
        .order_by("-placed_at", "-pk")
    )


def order_of(*, member: User, number: str) -> Order:
    """Raises Order.DoesNotExist, also for another's order."""
    return orders_of(member).get(number=number)


def visit_days(member: User) -> QuerySet:
    """The days of the member's imported purchases, newest first, as rows of (purchased_on, store id)."""
    return (
        Purchase.objects.filter(member=member)
        .values_list("purchased_on", "channel__store_id")
        .distinct()
        .order_by("-purchased_on", "channel__store_id")
    )


def visits(*, member: User, days: Collection[tuple[date, int]]) -> list[Visit]:
    """The member's imported purchases of the given days and stores (see visit_days), in the order given: one query."""
    bought: dict[tuple[date, int], list[Purchase]] = {day: [] for day in days}
    lines = (
        Purchase.objects.filter(member=member, purchased_on__in={on for on, _ in days})
        .select_related("product", "channel__store")
        .order_by("purchased_at", "transaction_no", "line_no")
    )
    for line in lines:
        if (day := (line.purchased_on, line.channel.store_id)) in bought:
            bought[day].append(line)
    return [_visit(on, lines) for (on, _), lines in bought.items() if lines]


def _visit(on: date, lines: list[Purchase]) -> Visit:
    currency = lines[0].currency
    total = sum((line.quantity * line.unit_price for line in lines if line.currency == currency), Decimal(0))
    return Visit(on, lines[0].channel.store, lines, currency, round_money(total, currency))
