"""Reading the stores and what they offer, as pages and apps show it. Nothing here writes."""

import unicodedata
from datetime import date, datetime, tzinfo

from django.db.models import BooleanField, CharField, Count, ExpressionWrapper, F, Max, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import get_language

from accounts.models import User
from shop.models import Category, Offer, Order, OrderLine, Product, Purchase, Store

SORTS = ("name", "price", "-price")
_MAX_WORDS = 8
_SHOWN_ON_THE_WINDOW = 4
_SHOWN_OF_A_NEED = 12
_SEARCHED = (
    "product__name_zh",
    "product__name_en",
    "product__brand",
    "product__need__name_zh",
    "product__need__name_en",
)


def stores() -> list[Store]:
    """The stores that are open, in their order."""
    return list(Store.objects.filter(is_active=True))


def shop_windows() -> list[Store]:
    """The open stores, each with a few of its goods to look at in `.window`: two queries."""
    goods = on_sale().exclude(product__picture="").order_by("pk")
    return list(
        Store.objects.filter(is_active=True).prefetch_related(
            Prefetch("offers", goods[:_SHOWN_ON_THE_WINDOW], to_attr="window")
        )
    )


def open_store(code: str) -> Store:
    """Raises Store.DoesNotExist for a store that is unknown or closed."""
    return Store.objects.get(code=code, is_active=True)


def on_sale() -> QuerySet[Offer]:
    """What can be bought anywhere, sold out or not, with all that a line of it shows."""
    return Offer.objects.filter(is_active=True, store__is_active=True).select_related(
        "store", "product", "product__need", "product__category"
    )


def search(offers: QuerySet[Offer], words: str) -> QuerySet[Offer]:
    """Those of `offers` in which every word occurs, in a name of either language, the brand or the need."""
    for word in words.split()[:_MAX_WORDS]:
        # A Chinese keyboard types full-width letters and digits; catalogues mostly write the narrow ones.
        spellings = {word, unicodedata.normalize("NFKC", word)}
        offers = offers.filter(
            Q(*[(f"{field}__icontains", word) for word in spellings for field in _SEARCHED], _connector=Q.OR)
        )
    return offers


def shelf(*, store: Store, words: str = "", category: str = "", sort: str = "name") -> QuerySet[Offer]:
    """What `store` sells, sorted by one of SORTS (anything else: by name), what is sold out last."""
    offers = search(on_sale().filter(store=store), words)
    if category:
        offers = offers.filter(product__category__code=category)
    by_price = {"price": F("price").asc(), "-price": F("price").desc()}
    first = [by_price[sort]] if sort in by_price else []
    return offers.order_by(_sold_out(), *first, _name("product__"), "pk")


def categories(*, store: Store) -> list[Category]:
    """The categories `store` sells anything in; `.offer_count` says how many offers."""
    mine = Q(products__offers__store=store, products__offers__is_active=True)
    return list(Category.objects.filter(mine).annotate(offer_count=Count("products__offers")).order_by("pk"))


def offer_of(*, store: Store, sku: str) -> Offer:
    """The store's offer of a product, also one no longer on sale. Raises Offer.DoesNotExist."""
    related = ("store", "product", "product__need", "product__category")
    return Offer.objects.select_related(*related).get(store=store, product__sku=sku)


def same_need(offer: Offer) -> list[Offer]:
    """Other brands and sizes for the same need, this store's first, then what can be had at once."""
    if offer.product.need_id is None:
        return []
    others = on_sale().filter(product__need=offer.product.need_id).exclude(pk=offer.pk)
    elsewhere = _truth(~Q(store=offer.store_id))
    return list(others.order_by(elsewhere, _sold_out(), "price", "pk")[:_SHOWN_OF_A_NEED])


def last_bought_on(*, member: User, product: Product, zone: tzinfo) -> date | None:
    """The day `member` last bought `product`, here or by an import; None if never. `zone` is the member's."""
    ordered: datetime | None = (
        OrderLine.objects.filter(order__member=member, product=product)
        .exclude(order__status=Order.Status.UNDONE)
        .aggregate(at=Max("order__placed_at"))["at"]
    )
    imported: date | None = Purchase.objects.filter(member=member, product=product, quantity__gt=0).aggregate(
        on=Max("purchased_on")
    )["on"]
    days = [day for day in (ordered and ordered.astimezone(zone).date(), imported) if day]
    return max(days, default=None)


def _truth(condition: Q) -> ExpressionWrapper:
    """To sort by: what it is not true of comes first."""
    return ExpressionWrapper(condition, BooleanField())


def _sold_out() -> ExpressionWrapper:
    return _truth(Q(stock__isnull=False, stock__lte=0))


def _name(prefix: str) -> Coalesce:
    """The name as the language of the moment shows it (see Named.name)."""
    first, second = ("name_en", "name_zh") if (get_language() or "").startswith("en") else ("name_zh", "name_en")
    return Coalesce(NullIf(f"{prefix}{first}", Value("")), F(f"{prefix}{second}"), output_field=CharField())
