"""The shop for apps: stores, goods, orders and ways to pay."""

from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, datetime
from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import member_of
from accounts.problems import Problem, refusal
from shop import storefront
from shop.checkout import AddressMissing, Item, NotSoldHere, PaymentMissing, order_items
from shop.models import Errand, Offer, Order, PaymentMethod, Store
from shop.money import round_money
from shop.orders import MAX_QUANTITY, KeyReused, Refused, UndoOver, undo
from shop.packages import package_words
from shop.payments import choose_payment, forget_payment, payment_methods
from shop.receipts import order_of, orders_of
from shop.serializers import (
    IDEMPOTENCY_KEY,
    ErrandSerializer,
    OrderSerializer,
    errand_json,
    idempotency_key,
    moment,
    order_json,
)


class StoreSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    tagline = serializers.CharField()
    currency = serializers.CharField()
    country = serializers.CharField()
    accent_light = serializers.CharField()
    accent_dark = serializers.CharField()


class OfferSerializer(serializers.Serializer):
    """A product in a store; `name` is in the language asked for."""

    sku = serializers.CharField(source="product.sku")
    store = serializers.CharField(source="store.code")
    name = serializers.CharField(source="product.name")
    name_zh = serializers.CharField(source="product.name_zh")
    name_en = serializers.CharField(source="product.name_en")
    brand = serializers.CharField(source="product.brand")
    category = serializers.CharField(source="product.category.code", default=None, allow_null=True)
    need = serializers.CharField(source="product.need.code", default=None, allow_null=True)
    package = serializers.SerializerMethodField(help_text="in words, such as 84 pieces")
    package_size = serializers.DecimalField(
        12, 3, source="product.package_size", normalize_output=True, allow_null=True
    )
    package_unit = serializers.CharField(source="product.package_unit")
    price = serializers.SerializerMethodField(help_text="in the currency's coins, such as 320 or 12.50")
    currency = serializers.CharField()
    sold_out = serializers.BooleanField(source="is_sold_out")
    stock = serializers.IntegerField(allow_null=True, help_text="null: not counted")
    picture = serializers.FileField(source="product.picture", allow_null=True)

    def get_package(self, offer: Offer) -> str:
        return package_words(offer.product)

    def get_price(self, offer: Offer) -> str:
        return str(round_money(offer.price, offer.currency))


class ProductPageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = OfferSerializer(many=True)


class WholeOrderSerializer(OrderSerializer):
    """An order with where it goes and until when it can be taken back."""

    undo_until = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)
    recipient = serializers.CharField()
    phone = serializers.CharField()
    address = serializers.CharField()


class OrderPageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = WholeOrderSerializer(many=True)


class ItemSerializer(serializers.Serializer):
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY)
    unit_price = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        required=False,
        help_text="What the buyer was shown; if it costs something else by now, nothing is ordered.",
    )


class NewOrderSerializer(serializers.Serializer):
    store = serializers.SlugField()
    items = serializers.ListField(child=ItemSerializer(), min_length=1, max_length=500)
    address_id = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Without it: the default address."
    )
    payment = serializers.ChoiceField(
        PaymentMethod.Kind.choices, required=False, help_text="Without it: the default payment method."
    )

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({item["sku"] for item in items}) < len(items):
            raise serializers.ValidationError(_("Each SKU once, please."))
        return items


class PaymentMethodSerializer(serializers.Serializer):
    id = serializers.IntegerField(read_only=True)
    kind = serializers.ChoiceField(PaymentMethod.Kind.choices)
    is_default = serializers.BooleanField(default=True)


class ChosenPaymentSerializer(serializers.Serializer):
    is_default = serializers.BooleanField(
        help_text="true makes it the one default. false leaves the default where it is: choose another instead."
    )


class _Pages(CursorPagination):
    """Refuses positions none of our cursors has; REST framework would hand them to the database."""

    check: Callable[[str], object]  # ValueError for a position that is none

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None:
            try:
                self.check(str(cursor.position))
            except ValueError:
                raise NotFound(self.invalid_cursor_message) from None
        return cursor


class ProductPages(_Pages):
    page_size = 50
    ordering = "pk"

    check = int


class OrderPages(_Pages):
    page_size = 20
    ordering = ("-placed_at", "-pk")

    @staticmethod
    def check(position: str) -> None:
        at = datetime.fromisoformat(position)
        if at.tzinfo is None or not MINYEAR < at.year < MAXYEAR:
            raise ValueError(position)


class StoresView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="stores_list", responses=StoreSerializer(many=True), summary="The open stores")
    def get(self, request: Request) -> Response:
        return Response(StoreSerializer(storefront.stores(), many=True).data)


class ProductsView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="products_list",
        summary="What is on sale",
        parameters=[
            OpenApiParameter("store", description="Only this store's, by its code"),
            OpenApiParameter("q", description="Words to find in names, brands and needs, in either language"),
            OpenApiParameter("cursor"),
        ],
        responses={
            200: ProductPageSerializer,
            404: refusal("unknown_store, or not_found: a cursor that is none of ours"),
        },
    )
    def get(self, request: Request) -> Response:
        offers = storefront.on_sale()
        if code := request.query_params.get("store"):
            offers = offers.filter(store=_store(code.replace("\0", "")))
        words = request.query_params.get("q", "").replace("\0", "")[:100]
        pages = ProductPages()
        page = pages.paginate_queryset(storefront.search(offers, words), request)
        return pages.get_paginated_response(OfferSerializer(page, many=True, context={"request": request}).data)


class OrdersView(APIView):
    @extend_schema(
        operation_id="orders_list",
        summary="My orders, newest first",
        parameters=[OpenApiParameter("cursor")],
        responses={200: OrderPageSerializer, 404: refusal("not_found: a cursor that is none of ours")},
    )
    def get(self, request: Request) -> Response:
        pages = OrderPages()
        page = pages.paginate_queryset(orders_of(member_of(request)), request)
        return pages.get_paginated_response([whole_order_json(order) for order in page or ()])

    @extend_schema(
        summary="Order items of one store, all or none",
        parameters=[IDEMPOTENCY_KEY],
        request=NewOrderSerializer,
        responses={
            201: ErrandSerializer,
            404: refusal("unknown_store: there is no such store"),
            409: refusal("Nothing was ordered: refused (with `lines` and the reason for each: price_changed, "
                          "sold_out, short or off_sale), address_missing or payment_missing"),
            422: refusal("idempotency_key_reused: the key was used for another body"),
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        key = idempotency_key(request)
        body = NewOrderSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        return Response(errand_json(_place(request, _store(asked["store"]), asked, key)), status=201)


class OrderView(APIView):
    @extend_schema(
        summary="One of my orders",
        responses={200: WholeOrderSerializer, 404: refusal("unknown_order: there is none, or it is not yours")},
    )
    def get(self, request: Request, number: str) -> Response:
        return Response(whole_order_json(_find(request, number)))


class UndoView(APIView):
    @extend_schema(
        summary="Take an order back, with all that was ordered in the same errand",
        request=None,
        responses={
            200: ErrandSerializer,
            404: refusal("unknown_order: there is none, or it is not yours"),
            409: refusal("undo_over: the order is confirmed"),
        },
    )
    def post(self, request: Request, number: str) -> Response:
        try:
            errand = undo(member=member_of(request), errand_id=_find(request, number).errand_id, at=timezone.now())
        except UndoOver:
            raise Problem(409, "undo_over", _("The time to undo is over: this order is confirmed.")) from None
        return Response(errand_json(errand))


class PaymentMethodsView(APIView):
    @extend_schema(
        operation_id="payment_methods_list",
        summary="My ways to pay, the default first",
        responses=PaymentMethodSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(PaymentMethodSerializer(payment_methods(member_of(request)), many=True).data)

    @extend_schema(
        summary="Keep a way to pay; the first one is the default",
        request=PaymentMethodSerializer,
        responses=PaymentMethodSerializer,
    )
    def post(self, request: Request) -> Response:
        body = PaymentMethodSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        chosen = body.validated_data
        method = choose_payment(member=member_of(request), kind=chosen["kind"], make_default=chosen["is_default"])
        return Response(PaymentMethodSerializer(method).data)


class PaymentMethodView(APIView):
    @extend_schema(
        summary="Make a way to pay the default",
        request=ChosenPaymentSerializer,
        responses=PaymentMethodSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        body = ChosenPaymentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        method = get_object_or_404(PaymentMethod, pk=pk, member=member_of(request))
        if body.validated_data["is_default"]:
            method = choose_payment(member=member_of(request), kind=method.kind)
        return Response(PaymentMethodSerializer(method).data)

    @extend_schema(
        summary="Keep a way to pay no longer", description="Another one becomes the default.", responses={204: None}
    )
    def delete(self, request: Request, pk: int) -> Response:
        try:
            forget_payment(member=member_of(request), method_id=pk)
        except PaymentMethod.DoesNotExist:
            raise NotFound from None
        return Response(status=204)


def whole_order_json(order: Order) -> dict[str, Any]:
    """Expects what shop.receipts.orders_of loads."""
    return order_json(order, order.lines.all()) | {
        "undo_until": moment(order.errand.undo_until),
        "undone_at": moment(order.undone_at),
        "recipient": order.recipient,
        "phone": order.phone,
        "address": order.address,
    }


def _store(code: str) -> Store:
    try:
        return storefront.open_store(code)
    except Store.DoesNotExist:
        raise Problem(404, "unknown_store", _("There is no such store.")) from None


def _find(request: Request, number: str) -> Order:
    try:
        return order_of(member=member_of(request), number=number)
    except Order.DoesNotExist:
        raise Problem(404, "unknown_order", _("There is no such order.")) from None


def _place(request: Request, store: Store, asked: dict[str, Any], key: str) -> Errand:
    try:
        return order_items(
            member=member_of(request),
            store=store,
            items=[Item(**item) for item in asked["items"]],
            key=key,
            address_id=asked.get("address_id"),
            payment_kind=asked.get("payment"),
            at=timezone.now(),
        )
    except KeyReused:
        raise Problem(422, "idempotency_key_reused", _("This key was used for another request.")) from None
    except NotSoldHere as refused:
        raise _refused([{"sku": sku, "reason": "off_sale"} for sku in refused.skus]) from None
    except Refused as refused:
        raise _refused(_why(store, refused)) from None
    except AddressMissing:
        raise Problem(409, "address_missing", _("There is no address to deliver to.")) from None
    except PaymentMissing:
        raise Problem(409, "payment_missing", _("There is no way to pay.")) from None


def _refused(lines: list[dict[str, Any]]) -> Problem:
    return Problem(409, "refused", _("Nothing was ordered: something is not as it was shown."), lines=lines)


def _why(store: Store, refused: Refused) -> list[dict[str, Any]]:
    """The lines that stood in the way, by SKU, each with what it costs and how many there are by now."""
    ids = [line.offer_id for line in refused.lines]
    skus = dict(Offer.objects.filter(pk__in=ids).values_list("pk", "product__sku"))
    return [
        {
            "sku": skus[line.offer_id],
            "reason": line.reason,
            "price": None if line.price is None else str(round_money(line.price, store.currency)),
            "currency": store.currency,
            "stock": line.stock,
        }
        for line in refused.lines
    ]
