"""My List for mobile clients: the same verbs as the pages, phrased as JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import member_of
from accounts.problems import Problem, refusal
from mylist import lists, reorder, wishes
from mylist.models import ListItem
from shop import history, orders
from shop.models import Errand
from shop.money import round_money
from shop.orders import MAX_QUANTITY
from shop.serializers import IDEMPOTENCY_KEY, ErrandSerializer, MomentField, errand_json, idempotency_key, moment

_REORDER_ANSWERS = {
    201: ErrandSerializer,
    409: refusal(
        "Nothing was ordered: list_changed (with `items` and the reason for each: price_changed, sold_out, short, "
        "off_sale or total_changed), address_missing, payment_missing or nothing_due"
    ),
    422: refusal("idempotency_key_reused: the key was used for something else"),
}


class MoneySerializer(serializers.Serializer):
    currency = serializers.CharField(max_length=3)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=Decimal(0))


class EntrySerializer(serializers.Serializer):
    id = serializers.IntegerField()
    group = serializers.ChoiceField(choices=lists.Group.choices)
    sku = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField(allow_blank=True)
    picture = serializers.CharField(allow_null=True)
    store = serializers.CharField(allow_null=True)
    availability = serializers.ChoiceField(choices=lists.Availability.choices)
    quantity = serializers.IntegerField()
    suggested_quantity = serializers.IntegerField()
    unit_price = serializers.CharField(allow_null=True)
    previous_price = serializers.CharField(allow_null=True, help_text="what was paid last time, where it differs")
    currency = serializers.CharField()
    due_label = serializers.CharField(help_text="when it is likely needed, no surer than the forecast")
    reason = serializers.CharField(help_text="why: the rhythm and the last purchase, in words")
    supply_left = serializers.FloatField(help_text="0 to 1")
    expected_on = serializers.DateField()
    last_bought_at = serializers.DateTimeField()
    last_quantity = serializers.CharField()
    pinned = serializers.BooleanField()
    hidden = serializers.BooleanField()
    snoozed_until = serializers.DateTimeField(allow_null=True)
    ordered_at = serializers.DateTimeField(allow_null=True, help_text="a reorder that is on its way")


class MemberListSerializer(serializers.Serializer):
    drawn_at = serializers.DateTimeField(help_text="hand it back with a reorder: a stale list can't order twice")
    due_totals = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    items = EntrySerializer(many=True)
    hidden_count = serializers.IntegerField()


class WishesSerializer(serializers.Serializer):
    """The member's wishes for an item; what is left out stays."""

    pinned = serializers.BooleanField(required=False)
    hidden = serializers.BooleanField(required=False)
    snoozed_until = MomentField(required=False, allow_null=True)
    quantity = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_QUANTITY, help_text="null: as suggested"
    )


class LineSerializer(serializers.Serializer):
    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    quantity = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=MAX_QUANTITY)
    unit_price = serializers.DecimalField(
        required=False,
        allow_null=True,
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        help_text="the price that was shown; another price now is refused with 409 instead of charged",
    )


class ReorderSerializer(serializers.Serializer):
    items = LineSerializer(many=True, allow_empty=False)
    drawn_at = MomentField(required=False, allow_null=True)

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({item["id"] for item in items}) < len(items):
            raise serializers.ValidationError(_("An item is named twice."))
        return items


class ReorderDueSerializer(serializers.Serializer):
    # A ListField: with many=True the null would be allowed to each of them as well.
    totals = serializers.ListField(
        child=MoneySerializer(),
        required=False,
        allow_null=True,
        help_text="what the button said; another sum now is refused",
    )


class ListView(APIView):
    @extend_schema(
        operation_id="my_list",
        responses={
            200: MemberListSerializer,
            403: refusal("not_returning: the list opens with the first completed purchase"),
        },
    )
    def get(self, request: Request) -> Response:
        """The member's list, in the order it is shown. 403 `not_returning` before the first completed purchase."""
        at = timezone.now()
        found = lists.build(member=member_of(request), at=at)
        if not found.entries and not found.hidden_count:
            _only_returning(request, at)
        return Response(
            {
                "drawn_at": found.drawn_at.isoformat(),
                "due_totals": [
                    {"currency": currency, "amount": str(round_money(amount, currency))}
                    for currency, amount in found.due_totals
                ],
                "items": [entry_json(entry) for entry in found.entries],
                "hidden_count": found.hidden_count,
            }
        )


class ItemView(APIView):
    @extend_schema(operation_id="my_list_item", responses=EntrySerializer)
    def get(self, request: Request, item_id: int) -> Response:
        """One item."""
        with _own_item():
            return Response(entry_json(lists.get(member=member_of(request), item_id=item_id, at=timezone.now())))

    @extend_schema(operation_id="my_list_item_change", request=WishesSerializer, responses=EntrySerializer)
    def patch(self, request: Request, item_id: int) -> Response:
        """Pin, hide, snooze, set the quantity, or undo any of them."""
        body = WishesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        at = timezone.now()
        with _own_item():
            wishes.wish(member=member_of(request), item_id=item_id, at=at, **body.validated_data)
            return Response(entry_json(lists.get(member=member_of(request), item_id=item_id, at=at)))


class ReorderView(APIView):
    @extend_schema(
        operation_id="my_list_reorder",
        parameters=[IDEMPOTENCY_KEY],
        request=ReorderSerializer,
        responses=_REORDER_ANSWERS | {404: refusal("not_found: an item that is none of yours")},
    )
    def post(self, request: Request) -> Response:
        """Order the named items at once, all or none, with the stored address and payment."""
        key = idempotency_key(request)
        body = ReorderSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        lines = [
            reorder.Line(item["id"], item.get("quantity"), item.get("unit_price"))
            for item in body.validated_data["items"]
        ]
        with _refusals(), _own_item():
            errand = reorder.reorder(
                member=member_of(request),
                lines=lines,
                key=key,
                at=timezone.now(),
                drawn_at=body.validated_data.get("drawn_at"),
            )
        return Response(errand_json(errand), status=201)


class ReorderDueView(APIView):
    @extend_schema(
        operation_id="my_list_reorder_due",
        parameters=[IDEMPOTENCY_KEY],
        request=ReorderDueSerializer,
        responses=_REORDER_ANSWERS,
    )
    def post(self, request: Request) -> Response:
        """Order all that is due and to be had, at once."""
        key = idempotency_key(request)
        body = ReorderDueSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        totals = body.validated_data.get("totals")
        with _refusals():
            errand = reorder.reorder_due(
                member=member_of(request),
                key=key,
                at=timezone.now(),
                expected_totals=None if totals is None else [(one["currency"], one["amount"]) for one in totals],
            )
        return Response(errand_json(errand), status=201)


class UndoView(APIView):
    @extend_schema(
        operation_id="errand_undo",
        request=None,
        responses={200: ErrandSerializer, 409: refusal("undo_over: the order is confirmed")},
    )
    def post(self, request: Request, errand_id: int) -> Response:
        """Take an errand back, all its orders; a second time changes nothing. 409 `undo_over` after the window."""
        try:
            errand = orders.undo(member=member_of(request), errand_id=errand_id, at=timezone.now())
        except Errand.DoesNotExist:
            raise Http404 from None
        except orders.UndoOver:
            raise Problem(409, "undo_over", _("The order is confirmed and can't be undone any more.")) from None
        return Response(errand_json(errand))


def entry_json(entry: lists.Entry) -> dict[str, Any]:
    item, product = entry.item, entry.product

    def money(amount: Decimal | None) -> str | None:
        return None if amount is None else str(round_money(amount, entry.currency))

    return {
        "id": item.pk,
        "group": entry.group.value,
        "sku": product.sku,
        "name": product.name,
        "brand": product.brand,
        "picture": product.picture.url if product.picture else None,
        "store": entry.store.code if entry.store else None,
        "availability": entry.availability.value,
        "quantity": entry.quantity,
        "suggested_quantity": entry.prediction.suggested_quantity,
        "unit_price": money(entry.unit_price),
        "previous_price": money(entry.previous_price),
        "currency": entry.currency,
        "due_label": entry.due_label,
        "reason": entry.reason,
        "supply_left": round(entry.supply_left, 3),
        "expected_on": entry.prediction.expected_on.isoformat(),
        "last_bought_at": moment(item.last_bought_at),
        "last_quantity": f"{item.last_quantity.normalize():f}",
        "pinned": entry.pinned,
        "hidden": item.hidden_at is not None,
        "snoozed_until": moment(item.snoozed_until),
        "ordered_at": moment(entry.ordered_at),
    }


def _only_returning(request: Request, at: datetime) -> None:
    if not history.is_returning(member_of(request), at):
        raise Problem(403, "not_returning", _("Your list opens with your first completed purchase."))


@contextmanager
def _own_item() -> Iterator[None]:
    """Another's item and none at all look the same."""
    try:
        yield
    except ListItem.DoesNotExist:
        raise Http404 from None


@contextmanager
def _refusals() -> Iterator[None]:
    """What a reorder may refuse, as problems a client can act on."""
    try:
        yield
    except reorder.ListChanged as changed:
        items = [
            {
                "id": problem.item_id,
                "reason": problem.reason,
                "unit_price": None if problem.price is None else str(problem.price),
                "stock": problem.stock,
            }
            for problem in changed.problems
        ]
        raise Problem(409, "list_changed", _("Your list has changed; nothing was ordered."), items=items) from None
    except orders.KeyReused:
        raise Problem(422, "idempotency_key_reused", _("This Idempotency-Key was used for something else.")) from None
    except reorder.AddressMissing:
        raise Problem(409, "address_missing", _("There is no address to deliver to yet.")) from None
    except reorder.PaymentMissing:
        raise Problem(409, "payment_missing", _("There is no way to pay chosen yet.")) from None
    except reorder.NothingToReorder:
        raise Problem(409, "nothing_due", _("Nothing is due right now.")) from None
