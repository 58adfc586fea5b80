"""How orders look to mobile clients; used wherever an answer carries an order.

Money is a string with its currency beside it, moments are ISO 8601 in UTC. The `*_json` functions make the answer,
the serializers of the same fields describe it in the schema (a contract test holds the two together).
"""

from collections.abc import Iterable
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from itertools import groupby
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from accounts.problems import Problem
from shop.models import Errand, Order, OrderLine, PaymentMethod
from shop.money import round_money

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    OpenApiParameter.HEADER,
    required=True,
    description="One key, one order: when in doubt whether a request arrived, send the same again.",
)


class MomentField(serializers.DateTimeField):
    """A moment that every time zone can say: those at both ends of the calendar overflow in some."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            at: datetime = super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow")
        if not MINYEAR < at.year < MAXYEAR:
            self.fail("overflow")
        return at


class OrderLineSerializer(serializers.Serializer):
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = serializers.CharField()
    amount = serializers.CharField()


class OrderSerializer(serializers.Serializer):
    number = serializers.CharField()
    store = serializers.CharField()
    status = serializers.ChoiceField(choices=Order.Status.choices)
    currency = serializers.CharField()
    total = serializers.CharField()
    payment = serializers.ChoiceField(choices=PaymentMethod.Kind.choices)
    placed_at = serializers.DateTimeField()
    lines = OrderLineSerializer(many=True)


class ErrandSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    placed_at = serializers.DateTimeField()
    undo_until = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)
    orders = OrderSerializer(many=True)


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def line_json(line: OrderLine, currency: str) -> dict[str, Any]:
    return {
        "sku": line.product.sku,
        "name": line.product.name,
        "quantity": line.quantity,
        "unit_price": str(round_money(line.unit_price, currency)),
        "amount": str(round_money(line.amount, currency)),
    }


def order_json(order: Order, lines: Iterable[OrderLine]) -> dict[str, Any]:
    """An order whose store is loaded, with its lines and their products."""
    return {
        "number": order.number,
        "store": order.store.code,
        "status": order.status,
        "currency": order.currency,
        "total": str(round_money(order.total, order.currency)),
        "payment": order.payment_kind,
        "placed_at": moment(order.placed_at),
        "lines": [line_json(line, order.currency) for line in lines],
    }


def errand_json(errand: Errand) -> dict[str, Any]:
    """An errand with its orders and their lines, in one statement."""
    lines = OrderLine.objects.filter(order__errand=errand).select_related("order__store", "product")
    by_order = groupby(lines.order_by("order", "pk"), key=lambda line: line.order)
    return {
        "id": errand.pk,
        "placed_at": moment(errand.placed_at),
        "undo_until": moment(errand.undo_until),
        "undone_at": moment(errand.undone_at),
        "orders": [order_json(order, lines_of) for order, lines_of in by_order],
    }


def idempotency_key(request: Request) -> str:
    """The request's Idempotency-Key; a problem with status 400 without a usable one (IETF httpapi draft)."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        raise Problem(400, "idempotency_key_missing", "Send an Idempotency-Key header: one key, one order.")
    if len(key) > 255 or not key.isascii() or not key.isprintable():
        raise Problem(400, "idempotency_key_invalid", "An Idempotency-Key is 1 to 255 printable ASCII characters.")
    return key
