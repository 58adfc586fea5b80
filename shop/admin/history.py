"""Errands, orders and purchases: what happened, to be found and read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.history import Event, HistoryPage
from notify.admin import ReadOnly
from shop.admin.search import MEMBER, PRODUCT, RelatedSearch
from shop.models import Errand, Order, OrderLine, Purchase
from shop.templatetags.money import money


class OrderInline(ReadOnly, admin.TabularInline):
    model = Order
    fields = ["store", "status", "total", "currency", "placed_at"]
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("store").order_by("pk")


@admin.register(Errand)
class ErrandAdmin(ReadOnly, RelatedSearch):
    list_display = ["__str__", "member", "member__member_no", "placed_at", "undo_until", "undone_at"]
    list_filter = ["placed_at", ("undone_at", admin.EmptyFieldListFilter)]
    list_select_related = ["member"]
    search_fields = ["key"]
    search_related = {"member": MEMBER}
    search_help_text = _("Idempotency key; member number, name, e-mail or phone of the member")
    ordering = ["-pk"]
    inlines = [OrderInline]


class OrderLineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    fields = ["product", "quantity", "unit_price", "amount"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("product").order_by("pk")


@admin.register(Order)
class OrderAdmin(ReadOnly, RelatedSearch, HistoryPage):
    list_display = ["number", "member", "member__member_no", "store", "status", "amount", "payment_kind", "placed_at"]
    list_filter = ["status", "store", "payment_kind", "placed_at"]
    list_select_related = ["member", "store"]
    search_fields = ["number__icontains", "recipient__icontains", "phone__icontains"]
    search_related = {"member": MEMBER}
    search_help_text = _("Order number, recipient or phone; member number, name, e-mail or phone of the member")
    ordering = ["-pk"]
    inlines = [OrderLineInline]

    def moments(self, row: Order) -> list[Event]:
        """Orders are placed, confirmed and undone in bulk, without a record of each: their own moments tell."""
        told = [
            (row.placed_at, Order.Status.PLACED),
            (row.settled_at, Order.Status.SETTLED),
            (row.undone_at, Order.Status.UNDONE),
        ]
        return [
            Event(at, None if status == Order.Status.SETTLED else row.member, str(status.label))
            for at, status in told
            if at
        ]

    @admin.display(description=_("total"), ordering="total")
    def amount(self, order: Order) -> str:
        return money(order.total, order.currency)


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnly, RelatedSearch):
    list_display = ["product", "product__sku", "order", "order__member", "quantity", "sum", "order__placed_at"]
    list_filter = ["order__status", "order__store", "order__placed_at"]
    list_select_related = ["product", "order__member"]
    search_fields = ["order__number"]
    search_related = {"product": PRODUCT, "order__member": MEMBER}
    search_help_text = _("Order number; SKU, name or brand of the product; member number, name, e-mail or phone")
    ordering = ["-pk"]

    @admin.display(description=_("amount"), ordering="amount")
    def sum(self, line: OrderLine) -> str:
        return money(line.amount, line.order.currency)


@admin.register(Purchase)
class PurchaseAdmin(ReadOnly, RelatedSearch):
    list_display = [
        "__str__",
        "purchased_on",
        "member",
        "member__member_no",
        "product",
        "product__sku",
        "quantity",
        "price",
        "channel",
    ]
    # Not by channel: there are hundreds of branches; the search finds one by its code.
    list_filter = ["channel__store", "channel__kind", "purchased_on"]
    list_select_related = ["member", "product", "channel"]
    search_fields = ["transaction_no", "channel__code"]
    search_related = {"member": MEMBER, "product": PRODUCT}
    search_help_text = _("Transaction; code of the channel; SKU, name or brand; member number, name, e-mail or phone")
    ordering = ["-pk"]

    @admin.display(description=_("unit price"), ordering="unit_price")
    def price(self, purchase: Purchase) -> str:
        return money(purchase.unit_price, purchase.currency)
