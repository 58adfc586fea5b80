"""From what a buyer asks for to a placed order: address and payment found or kept, the basket relieved, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.members import save_address
from accounts.models import Address, User
from shop.basket import find_basket, take_out
from shop.models import Errand, Offer, Store
from shop.orders import LineProblem, Refused, Wanted, answered, fingerprint, lock_member, write
from shop.payments import choose_payment, default_payment


class AddressMissing(Exception):
    """No address was named, and the member has none stored."""


class PaymentMissing(Exception):
    """No way to pay was named, and the member has none stored."""


class NotSoldHere(Exception):
    """The store has never offered these; `skus` says which."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__(", ".join(skus))
        self.skus = skus


@dataclass(frozen=True, slots=True)
class Item:
    """`quantity` packs of a product by its SKU; `unit_price` is what the buyer was shown, None where nothing was."""

    sku: str
    quantity: int
    unit_price: Decimal | None = None


@transaction.atomic
def check_out(
    *,
    member: User,
    store: Store,
    wanted: Sequence[Wanted],
    key: str,
    address_id: int | None = None,
    new_address: Mapping[str, Any] | None = None,
    payment_kind: str,
    at: datetime,
) -> Errand:
    """Place `wanted` and take it out of the member's basket in `store`.

    It goes to an address of the member's book, or to a new one (the fields of accounts.members.save_address) that is
    put there; the way of paying becomes the default of a member who had none, so that the next order needs neither.
    The same page sent twice is one order and one address. Raises what shop.orders.place raises, and
    Address.DoesNotExist; then nothing was written, the address neither.
    """
    lock_member(member)
    lines = sorted((line.offer_id, line.quantity, line.unit_price) for line in wanted)
    asked = fingerprint(["checkout", store.code, lines, address_id, new_address, payment_kind])
    if earlier := answered(member=member, key=key, asked=asked):
        return earlier
    elsewhere = Offer.objects.filter(pk__in=[line.offer_id for line in wanted]).exclude(store=store)
    if strange := list(elsewhere.values_list("pk", flat=True)):
        raise Refused([LineProblem(offer_id, "off_sale") for offer_id in strange])
    if address_id is not None:
        address = Address.objects.get(pk=address_id, member=member)
    else:
        typed = new_address or {}
        # An address typed a second time is still one address.
        address = Address.objects.filter(member=member, **typed).first() or save_address(member=member, **typed)
    choose_payment(member=member, kind=payment_kind, make_default=False)
    errand = write(
        member=member, wanted=wanted, key=key, asked=asked, address=address, payment_kind=payment_kind, at=at
    )
    if basket := find_basket(store=store, member=member):
        take_out(basket=basket, bought=wanted)
    return errand


@transaction.atomic
def order_items(
    *,
    member: User,
    store: Store,
    items: Sequence[Item],
    key: str,
    address_id: int | None = None,
    payment_kind: str | None = None,
    at: datetime,
) -> Errand:
    """Place items by SKU, with the stored address and payment where none are named; the basket stays as it is.

    The same key with the same arguments is the same errand. Raises what shop.orders.place raises, NotSoldHere,
    AddressMissing (also for another's address) and PaymentMissing; then nothing was written.
    """
    lock_member(member)
    lines = sorted((item.sku, item.quantity, item.unit_price) for item in items)
    asked = fingerprint(["items", store.code, lines, address_id, payment_kind])
    if earlier := answered(member=member, key=key, asked=asked):
        return earlier
    skus = [item.sku for item in items]
    offers = dict(Offer.objects.filter(store=store, product__sku__in=skus).values_list("product__sku", "pk"))
    if strange := [sku for sku in skus if sku not in offers]:
        raise NotSoldHere(strange)
    book = Address.objects.filter(member=member)
    address = book.filter(pk=address_id).first() if address_id is not None else book.filter(is_default=True).first()
    if address is None:
        raise AddressMissing
    if payment_kind is None:
        stored = default_payment(member)
        if stored is None:
            raise PaymentMissing
        payment_kind = stored.kind
    wanted = [Wanted(offers[item.sku], item.quantity, item.unit_price) for item in items]
    return write(member=member, wanted=wanted, key=key, asked=asked, address=address, payment_kind=payment_kind, at=at)
