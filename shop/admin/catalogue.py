"""Stores, channels, categories, needs, products and offers: what staff keep up to date."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import ForeignObjectRel, Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.history import HistoryPage
from accounts.models import record_update
from shop.admin.forms import NamedForm, OfferForm, ProductForm, StoreForm
from shop.models import Category, Channel, Need, Offer, Product, Store
from shop.templatetags.money import money

_FEW = 5


class CatalogueAdmin(admin.ModelAdmin):
    """Rows that history points to: their key is fixed once they exist, and they go only while nothing uses them."""

    key = "code"
    list_per_page = 50

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Imports find their rows by this key.
        fixed = (self.key,) if obj else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Without an object it is asked for the bulk action, which would collect all that hangs on a store.
        return obj is not None and super().has_delete_permission(request, obj) and not _is_used(obj)


def _is_used(row: Model) -> bool:
    relations: list[Any] = [
        field for field in row._meta.get_fields(include_hidden=True) if isinstance(field, ForeignObjectRel)
    ]
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: row}).exists() for relation in relations
    )


@admin.register(Store)
class StoreAdmin(CatalogueAdmin):
    form = StoreForm
    fields = [
        "code",
        "name_zh",
        "name_en",
        "tagline_zh",
        "tagline_en",
        "accent_light",
        "accent_dark",
        "currency",
        "country",
        "position",
        "is_active",
    ]
    list_display = ["code", "name_zh", "name_en", "currency", "country", "position", "is_active"]
    list_filter = ["is_active", "country"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = super().get_readonly_fields(request, obj)
        # Prices without another number would turn into another amount.
        return (*fields, "currency") if obj and obj.offers.exists() else fields


@admin.register(Channel)
class ChannelAdmin(CatalogueAdmin):
    fields = ["code", "name", "kind", "store"]
    list_display = ["code", "name", "kind", "store"]
    list_filter = ["kind", "store"]
    list_select_related = ["store"]
    search_fields = ["code", "name"]
    search_help_text = _("Code or name")
    ordering = ["code"]


@admin.register(Category)
class CategoryAdmin(CatalogueAdmin):
    form = NamedForm
    fields = ["code", "name_zh", "name_en"]
    list_display = ["code", "name_zh", "name_en"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]


@admin.register(Need)
class NeedAdmin(CatalogueAdmin):
    form = NamedForm
    fields = ["code", "name_zh", "name_en", "category"]
    list_display = ["code", "name_zh", "name_en", "category"]
    list_filter = [("category", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["category"]
    autocomplete_fields = ["category"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]


class OfferInline(admin.TabularInline):
    model = Offer
    form = OfferForm
    fields = ["store", "price", "currency", "stock", "is_active"]
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        offers = super().get_queryset(request).select_related("store", "product").order_by("pk")
        # Whoever buys now waits until the number is saved.
        return offers.select_for_update(of=("self",)) if request.method == "POST" else offers


@admin.register(Product)
class ProductAdmin(CatalogueAdmin):
    key = "sku"
    form = ProductForm
    fields = [
        "sku",
        "name_zh",
        "name_en",
        "brand",
        "department",
        "category",
        "need",
        "package_size",
        "package_unit",
        "picture",
        "picture_shown",
        "bought",
    ]
    list_display = ["sku", "name_zh", "name_en", "brand", "category", "need", "package"]
    list_filter = [
        ("picture", admin.EmptyFieldListFilter),
        ("department", admin.AllValuesFieldListFilter),
        ("category", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["category", "need"]
    autocomplete_fields = ["category", "need"]
    readonly_fields = ["picture_shown", "bought"]
    search_fields = ["sku", "name_zh", "name_en", "brand"]
    search_help_text = _("SKU, name or brand")
    ordering = ["sku"]
    inlines = [OfferInline]

    @admin.display(description=_("package"))
    def package(self, product: Product) -> str:
        if product.package_size is None:
            return ""
        return f"{product.package_size.normalize():f} {product.package_unit}"

    @admin.display(description=_("picture as shown"))
    def picture_shown(self, product: Product) -> SafeString | str:
        if not product.picture:
            return ""
        return format_html('<img src="{}" alt="" width="160" height="160">', product.picture.url)

    @admin.display(description=_("bought"))
    def bought(self, product: Product) -> SafeString | str:
        """Where it was bought, e.g. to reach the buyers of a batch that is called back."""
        if product.pk is None:
            return ""
        return format_html(
            '<a href="{}?product__id__exact={}">{}</a> · <a href="{}?product__id__exact={}">{}</a>',
            reverse("admin:shop_orderline_changelist"),
            product.pk,
            _("orders"),
            reverse("admin:shop_purchase_changelist"),
            product.pk,
            _("imported purchases"),
        )


class StockFilter(admin.SimpleListFilter):
    title = _("stock")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("out", _("sold out")),
            ("few", _("%(few)d or fewer left") % {"few": _FEW}),
            ("in", _("in stock")),
            ("uncounted", _("not counted")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Offer]) -> QuerySet[Offer]:
        match self.value():
            case "out":
                return queryset.filter(stock=0)
            case "few":
                return queryset.filter(stock__range=(1, _FEW))
            case "in":
                return queryset.filter(stock__gt=0)
            case "uncounted":
                return queryset.filter(stock=None)
            case _:
                return queryset


@admin.register(Offer)
class OfferAdmin(CatalogueAdmin, HistoryPage):
    form = OfferForm
    fields = ["store", "product", "price", "currency", "stock", "is_active"]
    list_display = ["product", "sku", "store", "price_shown", "stock", "is_active"]
    list_filter = ["is_active", StockFilter, "store"]
    list_select_related = ["product", "store"]
    autocomplete_fields = ["product"]
    search_fields = ["product__sku", "product__name_zh", "product__name_en", "product__brand"]
    search_help_text = _("SKU, name or brand")
    ordering = ["-pk"]
    actions = ["put_on_sale", "take_off_sale"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        if self.has_sell_permission(request):
            return ("store", "product")
        return ("store", "product", "price", "currency", "is_active")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The warehouse counts what is there; what it costs is not theirs to say.
        return super().has_change_permission(request, obj) or request.user.has_perm("shop.change_stock")

    def has_sell_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.change_offer")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Offer | None:
        offer = super().get_object(request, object_id, from_field)
        if offer and request.method == "POST":
            # Whoever buys now waits until the number is saved.
            offer.refresh_from_db(from_queryset=Offer.objects.select_for_update())
        return offer

    @admin.display(description=_("SKU"), ordering="product__sku")
    def sku(self, offer: Offer) -> str:
        return offer.product.sku

    @admin.display(description=_("price"), ordering="price")
    def price_shown(self, offer: Offer) -> str:
        return money(offer.price, offer.currency)

    @admin.action(description=_("Put on sale"), permissions=["sell"])
    def put_on_sale(self, request: HttpRequest, queryset: QuerySet[Offer]) -> None:
        self._sell(request, queryset, True)

    @admin.action(description=_("Take off sale"), permissions=["sell"])
    def take_off_sale(self, request: HttpRequest, queryset: QuerySet[Offer]) -> None:
        self._sell(request, queryset, False)

    def _sell(self, request: HttpRequest, queryset: QuerySet[Offer], on_sale: bool) -> None:
        chosen = list(queryset.filter(is_active=not on_sale).values_list("pk", flat=True))
        named = Offer.objects.select_related("product", "store").filter(pk__in=chosen)
        offers = record_update(named, is_active=on_sale)
        LogEntry.objects.log_actions(request.user.pk, offers, CHANGE, [{"changed": {"fields": ["on sale"]}}])  # type: ignore[arg-type]
        count = len(offers)
        done = (
            ngettext("%(count)d offer put on sale.", "%(count)d offers put on sale.", count)
            if on_sale
            else ngettext("%(count)d offer taken off sale.", "%(count)d offers taken off sale.", count)
        )
        self.message_user(request, done % {"count": count}, messages.SUCCESS)
