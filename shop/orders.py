"""Placing, taking back and settling orders: the one way anything is bought here.

An errand is placed in one transaction that first locks the member, so that everything one person does at once is
done in turn, and then the offers in the order of their ids, so that no two errands wait for each other in a circle.
SQLite has no row locks; there BEGIN IMMEDIATE makes every writer wait. What must hold (one errand a key, stock never
below zero, amounts that add up) the database refuses to break besides.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Value, When

from accounts.models import Address, User
from shop.messages import tell_confirmed
from shop.models import Errand, Offer, Order, OrderLine
from shop.signals import errand_placed, errand_undone, order_settled

MAX_QUANTITY = 99
# So many at once, as their messages are written in the same transaction, and on SQLite everybody waits for that.
_SETTLE_BATCH = 100
# No 0/O, 1/I/L: a number is read out over the phone.
_NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`quantity` packs of an offer. `unit_price` is what the buyer was shown, None where nothing was shown."""

    offer_id: int
    quantity: int
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be placed as asked: price_changed, sold_out, short or off_sale."""

    offer_id: int
    reason: str
    price: Decimal | None = None
    stock: int | None = None


class Refused(Exception):
    """Nothing was placed: something is not as the buyer was shown it. `lines` says what and how it is now."""

    def __init__(self, lines: list[LineProblem]) -> None:
        super().__init__(", ".join(f"{line.offer_id}: {line.reason}" for line in lines))
        self.lines = lines


class NothingWanted(Exception):
    """There is no line to place."""


class KeyReused(Exception):
    """The idempotency key was answered before, for something else."""


class UndoOver(Exception):
    """The undo window has ended; the order is confirmed."""


def fingerprint(asked: object) -> str:
    """SHA-256 of what was asked for, the same however often the same is asked."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def lock_member(member: User) -> None:
    """Everything else this member does at this moment waits until our transaction ends."""
    User.objects.select_for_update().only("pk").get(pk=member.pk)


def answered(*, member: User, key: str, asked: str) -> Errand | None:
    """The errand already placed under this key, None if there is none; KeyReused if it was for something else."""
    errand = Errand.objects.filter(member=member, key=key).first()
    if errand and errand.fingerprint != asked:
        raise KeyReused(key)
    return errand


def place(
    *,
    member: User,
    wanted: Sequence[Wanted],
    key: str,
    address: Address,
    payment_kind: str,
    at: datetime,
    asked: str | None = None,
) -> Errand:
    """Place all of `wanted` as one errand, an order a store, whole or not at all.

    `key` is the idempotency key and `asked` the fingerprint of the request under it (by default of `wanted`): the
    same key with the same request gives the same errand however often it comes. Raises KeyReused, NothingWanted or
    Refused; then nothing was written.
    """
    lines = _merged(wanted)
    if asked is None:
        asked = fingerprint([(line.offer_id, line.quantity, line.unit_price) for line in lines])
    with transaction.atomic():
        lock_member(member)
        if earlier := answered(member=member, key=key, asked=asked):
            return earlier
        return write(
            member=member, wanted=lines, key=key, asked=asked, address=address, payment_kind=payment_kind, at=at
        )


def write(
    *, member: User, wanted: Sequence[Wanted], key: str, asked: str, address: Address, payment_kind: str, at: datetime
) -> Errand:
    """The part of `place` for callers whose transaction holds the member's lock and found the key unanswered."""
    lines = _merged(wanted)
    if not lines:
        raise NothingWanted
    offers = {
        offer.pk: offer
        for offer in Offer.objects.select_for_update(of=("self",))
        .select_related("store")
        .filter(pk__in=[line.offer_id for line in lines])
        .order_by("pk")
    }
    if problems := [p for line in lines if (p := _problem(line, offers.get(line.offer_id)))]:
        raise Refused(problems)
    _move_stock({line.offer_id: -line.quantity for line in lines})
    errand = Errand.objects.create(
        member=member, key=key, fingerprint=asked, placed_at=at, undo_until=at + settings.UNDO_WINDOW
    )
    _write_orders(errand, lines, offers, address, payment_kind)
    _announce(errand_placed, errand_id=errand.pk, member_id=member.pk)
    return errand


def undo(*, member: User, errand_id: int, at: datetime) -> Errand:
    """Take a whole errand back while its window is open; a second time changes nothing.

    Raises Errand.DoesNotExist (also for another's errand) and UndoOver.
    """
    with transaction.atomic():
        errand = Errand.objects.select_for_update().get(pk=errand_id, member=member)
        if errand.undone_at:
            return errand
        if at >= errand.undo_until:
            raise UndoOver
        taken_back = errand.orders.filter(status=Order.Status.PLACED).update(status=Order.Status.UNDONE, undone_at=at)
        if taken_back != errand.orders.count():
            raise UndoOver
        back: dict[int, int] = {}
        for offer_id, quantity in OrderLine.objects.filter(order__errand=errand).values_list("offer_id", "quantity"):
            back[offer_id] = back.get(offer_id, 0) + quantity
        _move_stock(back)
        errand.undone_at = at
        errand.save(update_fields=["undone_at"])
        _announce(errand_undone, errand_id=errand.pk, member_id=member.pk)
    return errand


def undoable(*, member: User, at: datetime) -> list[Errand]:
    """The member's errands that can still be taken back, newest first, their orders and lines loaded."""
    return list(
        Errand.objects.filter(member=member, undone_at=None, undo_until__gt=at)
        .order_by("-placed_at")
        .prefetch_related(
            models.Prefetch("orders", Order.objects.select_related("store").order_by("pk")),
            models.Prefetch("orders__lines", OrderLine.objects.select_related("product").order_by("pk")),
        )
    )


def settle(*, at: datetime) -> int:
    """Confirm every order whose undo window is over and tell its member; returns how many. Two may run at once."""
    settled = 0
    while True:
        with transaction.atomic():
            batch = list(
                Order.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(status=Order.Status.PLACED, errand__undo_until__lte=at)
                .order_by("pk")
                .values_list("pk", "member_id", "errand_id")[:_SETTLE_BATCH]
            )
            Order.objects.filter(pk__in=[pk for pk, *_ in batch], status=Order.Status.PLACED).update(
                status=Order.Status.SETTLED, settled_at=at
            )
            tell_confirmed(errand_ids={errand_id for *_, errand_id in batch}, at=at)
            for order_id, member_id, _errand_id in batch:
                _announce(order_settled, order_id=order_id, member_id=member_id)
        settled += len(batch)
        if len(batch) < _SETTLE_BATCH:
            return settled


def _merged(wanted: Sequence[Wanted]) -> list[Wanted]:
    """One line an offer, by offer id; ValueError for a quantity nobody can mean."""
    merged: dict[int, Wanted] = {}
    for line in wanted:
        earlier = merged.get(line.offer_id)
        quantity = line.quantity + (earlier.quantity if earlier else 0)
        if not 1 <= line.quantity <= MAX_QUANTITY or quantity > MAX_QUANTITY:
            raise ValueError(f"quantity {line.quantity} of offer {line.offer_id}: choose 1 to {MAX_QUANTITY}")
        merged[line.offer_id] = Wanted(line.offer_id, quantity, line.unit_price)
    return [merged[offer_id] for offer_id in sorted(merged)]


def _problem(line: Wanted, offer: Offer | None) -> LineProblem | None:
    if offer is None or not offer.is_active or not offer.store.is_active:
        return LineProblem(line.offer_id, "off_sale")
    if offer.is_sold_out:
        return LineProblem(line.offer_id, "sold_out", offer.price, 0)
    if offer.stock is not None and offer.stock < line.quantity:
        return LineProblem(line.offer_id, "short", offer.price, offer.stock)
    if line.unit_price is not None and line.unit_price != offer.price:
        return LineProblem(line.offer_id, "price_changed", offer.price, offer.stock)
    return None


def _move_stock(moves: dict[int, int]) -> None:
    """Add to the stock of each offer (below zero: take away) in one statement; offers not counted stay so."""
    if moves:
        Offer.objects.filter(pk__in=moves, stock__isnull=False).update(
            stock=F("stock") + Case(*[When(pk=pk, then=Value(move)) for pk, move in moves.items()])
        )


def _write_orders(
    errand: Errand, lines: list[Wanted], offers: dict[int, Offer], address: Address, payment_kind: str
) -> None:
    rows: dict[int, list[OrderLine]] = {}
    for line in lines:
        offer = offers[line.offer_id]
        amount = offer.price * line.quantity
        rows.setdefault(offer.store_id, []).append(
            OrderLine(
                offer=offer,
                product_id=offer.product_id,
                quantity=line.quantity,
                unit_price=offer.price,
                amount=amount,
            )
        )
    orders = Order.objects.bulk_create(
        Order(
            number=_new_number(errand.placed_at),
            errand=errand,
            member_id=errand.member_id,
            store_id=store_id,
            payment_kind=payment_kind,
            recipient=address.recipient,
            phone=address.phone,
            address=str(address),
            currency=_one_currency(row.offer for row in store_lines),
            total=sum((row.amount for row in store_lines), Decimal(0)),
            placed_at=errand.placed_at,
        )
        for store_id, store_lines in rows.items()
    )
    for order in orders:
        for row in rows[order.store_id]:
            row.order = order
    OrderLine.objects.bulk_create(row for store_lines in rows.values() for row in store_lines)


def _one_currency(offers) -> str:
    """A store sells in one currency; an order in two has no total."""
    currencies = {offer.currency for offer in offers}
    if len(currencies) != 1:
        raise ValueError(f"one order in several currencies: {', '.join(sorted(currencies))}")
    return currencies.pop()


def _new_number(at: datetime) -> str:
    """Such as 261118-7KQMH2XP: the day, and 40 bits that can't be guessed or counted."""
    return f"{at:%y%m%d}-" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(8))


def _announce(signal, **what) -> None:
    """Once committed; a listener that fails (a broker that is down) must not undo what was done."""
    transaction.on_commit(lambda: signal.send_robust(sender=None, **what), robust=True)
