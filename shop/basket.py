"""What somebody means to buy: one basket a store, a visitor's kept by token, a member's by member.

Prices and stock are read anew each time: a basket promises neither.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from shop.models import Basket, BasketLine, Offer, Store
from shop.money import round_money
from shop.orders import MAX_QUANTITY, Wanted, lock_member


class SoldOut(Exception):
    """There is none left to put into a basket."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a basket as it stands now.

    `quantity` is what was put in, `available` how many of these can be had (at most `quantity`), `amount` what those
    cost; `problem` is "", "sold_out", "short" or "off_sale".
    """

    offer: Offer
    quantity: int
    available: int
    amount: Decimal
    problem: str


@dataclass(frozen=True)
class Contents:
    """A basket's rows, oldest first, in the store's currency."""

    rows: list[Row]
    currency: str

    @cached_property
    def total(self) -> Decimal:
        """What can be had of it costs this."""
        return sum((row.amount for row in self.rows), Decimal(0))

    @cached_property
    def wanted(self) -> list[Wanted]:
        """What can be had of it, at the prices shown."""
        return [Wanted(row.offer.pk, row.available, row.offer.price) for row in self.rows if row.available]


def find_basket(*, store: Store, member: User | None = None, token: str | None = None) -> Basket | None:
    """The member's basket, or the visitor's with this token; None as long as nothing was put in."""
    baskets = Basket.objects.filter(store=store)
    if member is not None:
        return baskets.filter(member=member).first()
    return baskets.filter(member=None, token=token).first() if token else None


def get_basket(*, store: Store, member: User | None = None, token: str | None = None) -> Basket:
    """As find_basket, but made when there is none; a visitor's new one has a token of its own."""
    if basket := find_basket(store=store, member=member, token=token):
        return basket
    if member is not None:
        return Basket.objects.get_or_create(store=store, member=member)[0]
    return Basket.objects.create(store=store)


def contents(basket: Basket | None, *, store: Store) -> Contents:
    """What is in it, at today's prices and stock: one query; no basket is an empty one."""
    lines: Iterable[BasketLine] = ()
    if basket is not None:
        lines = basket.lines.select_related("offer__store", "offer__product__need").order_by("pk")
    return Contents([_row(line) for line in lines], store.currency)


def count(basket: Basket | None) -> int:
    """How many packs are in it."""
    return (basket and basket.lines.aggregate(packs=Sum("quantity"))["packs"]) or 0


def add(*, basket: Basket, offer_id: int, quantity: int = 1) -> BasketLine:
    """Put `quantity` packs more in, up to 99 of one offer.

    Raises ValueError for a quantity outside 1 to 99, Offer.DoesNotExist for what this store does not sell now, SoldOut.
    """
    _check(quantity)
    offer = Offer.objects.get(pk=offer_id, store=basket.store_id, is_active=True)
    if offer.is_sold_out:
        raise SoldOut(offer.pk)
    with transaction.atomic():
        _lock(basket)
        return _put_in(basket, offer.pk, quantity)


def set_quantity(*, basket: Basket, offer_id: int, quantity: int) -> None:
    """Have `quantity` packs of an offer in the basket; 0 takes it out, and taking out twice is taking out once.

    Raises ValueError for a quantity outside 0 to 99, BasketLine.DoesNotExist for an offer that is not in the basket.
    """
    lines = basket.lines.filter(offer=offer_id)
    if quantity == 0:
        lines.delete()
        return
    _check(quantity)
    if not lines.update(quantity=quantity):
        raise BasketLine.DoesNotExist


@transaction.atomic
def merge_into_member(*, tokens: Collection[str], member: User) -> None:
    """Pour a visitor's baskets into the member's: quantities add up, to at most 99; a second time changes nothing."""
    lock_member(member)
    visitors = Basket.objects.select_for_update(of=("self",)).filter(token__in=tokens, member=None)
    for visitor in visitors.select_related("store"):
        basket = get_basket(store=visitor.store, member=member)
        _lock(basket)
        for offer_id, quantity in visitor.lines.order_by("pk").values_list("offer_id", "quantity"):
            _put_in(basket, offer_id, quantity)
        visitor.delete()


@transaction.atomic
def take_out(*, basket: Basket, bought: Iterable[Wanted]) -> None:
    """Take out what was bought; what was put in since (in another tab) stays."""
    _lock(basket)
    lines = {line.offer_id: line for line in bought}
    inside = list(basket.lines.filter(offer__in=lines))
    basket.lines.filter(pk__in=[kept.pk for kept in inside if kept.quantity <= lines[kept.offer_id].quantity]).delete()
    for kept in inside:
        if kept.quantity > lines[kept.offer_id].quantity:
            kept.quantity -= lines[kept.offer_id].quantity
            kept.save(update_fields=["quantity"])


def _check(quantity: int) -> None:
    if not 1 <= quantity <= MAX_QUANTITY:
        raise ValueError(f"{quantity} packs: choose 1 to {MAX_QUANTITY}")


def _lock(basket: Basket) -> None:
    """Whoever else changes this basket waits until our transaction ends."""
    Basket.objects.select_for_update().only("pk").get(pk=basket.pk)


def _put_in(basket: Basket, offer_id: int, quantity: int) -> BasketLine:
    """Expects the basket to be locked: two taps at once are two packs."""
    line, is_new = BasketLine.objects.get_or_create(basket=basket, offer_id=offer_id, defaults={"quantity": quantity})
    if not is_new:
        line.quantity = min(line.quantity + quantity, MAX_QUANTITY)
        line.save(update_fields=["quantity"])
    return line


def _row(line: BasketLine) -> Row:
    offer = line.offer
    problem, available = "", line.quantity
    if not (offer.is_active and offer.store.is_active):
        problem, available = "off_sale", 0
    elif offer.is_sold_out:
        problem, available = "sold_out", 0
    elif offer.stock is not None and offer.stock < line.quantity:
        problem, available = "short", offer.stock
    return Row(offer, line.quantity, available, round_money(offer.price * available, offer.currency), problem)
