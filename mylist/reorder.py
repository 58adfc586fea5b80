"""From list items to orders: one tap for one item, one tap for all that is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts.models import Address, User
from mylist import lists
from mylist.models import ListItem
from shop import orders
from shop.checkout import AddressMissing, PaymentMissing
from shop.models import Errand, Order, OrderLine, PaymentMethod
from shop.orders import LineProblem, Refused, Wanted


@dataclass(frozen=True, slots=True)
class Line:
    """A list item to reorder. Quantity None: as the list suggests. Unit price: as it was shown, None if it wasn't."""

    item_id: int
    quantity: int | None = None
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ItemProblem:
    """Why a list item cannot be reordered as asked; reasons as in shop.orders.LineProblem."""

    item_id: int
    reason: str
    price: Decimal | None = None
    stock: int | None = None


class ListChanged(Exception):
    """Nothing was ordered: the list is not as it was shown. `problems` says which items and how they are now."""

    def __init__(self, problems: list[ItemProblem]) -> None:
        super().__init__(", ".join(f"{problem.item_id}: {problem.reason}" for problem in problems))
        self.problems = problems


class NothingToReorder(Exception):
    """No line was asked for, or nothing is due."""


def reorder(*, member: User, lines: Sequence[Line], key: str, at: datetime, drawn_at: datetime | None = None) -> Errand:
    """Order the given list items, all or none, to the stored address with the stored payment.

    The same key with the same lines gives the same errand. An item that the member ordered after `drawn_at` (a second
    tab, an old page) is not ordered again; when that leaves nothing, the errand that ordered it is the answer.
    Raises ListItem.DoesNotExist (also for another's item), ListChanged, AddressMissing, PaymentMissing,
    NothingToReorder and shop.orders.KeyReused; then nothing was written.
    """
    asked = orders.fingerprint(["reorder", sorted((line.item_id, line.quantity, line.unit_price) for line in lines)])
    with transaction.atomic():
        orders.lock_member(member)
        if earlier := orders.answered(member=member, key=key, asked=asked):
            return earlier
        items, reordered_in = _items(member, [line.item_id for line in lines], drawn_at)
        wanted = [(items[line.item_id], line) for line in lines if line.item_id not in reordered_in]
        if lines and not wanted:
            return Errand.objects.get(pk=max(reordered_in.values()), member=member)
        return _place(member, wanted, key, asked, at)


def reorder_due(
    *, member: User, key: str, at: datetime, expected_totals: Sequence[tuple[str, Decimal]] | None = None
) -> Errand:
    """Order all that is due and to be had, as the list stands now.

    `expected_totals` are the sums the button showed, (currency, amount) each: when they are not what it would cost now,
    ListChanged. The same key is answered with the same errand, whatever is due by then. Raises as reorder does.
    """
    asked = orders.fingerprint(["due", sorted(expected_totals) if expected_totals is not None else None])
    with transaction.atomic():
        orders.lock_member(member)
        if earlier := orders.answered(member=member, key=key, asked=asked):
            return earlier
        due = lists.build(member=member, at=at)
        if expected_totals is not None and sorted(expected_totals) != due.due_totals:
            raise ListChanged([ItemProblem(entry.item.pk, "total_changed", entry.unit_price) for entry in due.due])
        return _place(
            member,
            [(entry.item, Line(entry.item.pk, entry.quantity, entry.unit_price)) for entry in due.due],
            key,
            asked,
            at,
        )


def _items(member: User, item_ids: list[int], drawn_at: datetime | None) -> tuple[dict[int, ListItem], dict[int, int]]:
    """The member's items by id, and for those ordered after the list was drawn the errand that did; one statement."""
    since = OrderLine.objects.filter(order__member=member, product=OuterRef("product")).exclude(
        order__status=Order.Status.UNDONE
    )
    since = since.filter(order__placed_at__gt=drawn_at) if drawn_at else since.none()
    found = (
        ListItem.objects.filter(member=member, pk__in=item_ids)
        .select_related("prediction", "offer")
        .annotate(reordered_in=Subquery(since.order_by("-pk").values("order__errand")[:1]))
    )
    items = {item.pk: item for item in found}
    if missing := set(item_ids) - set(items):
        raise ListItem.DoesNotExist(f"no list items {sorted(missing)}")
    return dict(items), {item.pk: item.reordered_in for item in found if item.reordered_in}


def _place(member: User, wanted: list[tuple[ListItem, Line]], key: str, asked: str, at: datetime) -> Errand:
    if not wanted:
        raise NothingToReorder
    item_of = {item.offer_id: item for item, _ in wanted}
    if unsold := [ItemProblem(item.pk, "off_sale") for item, _ in wanted if item.offer_id is None]:
        raise ListChanged(unsold)
    address, payment_kind = _delivery(member)
    try:
        return orders.write(
            member=member,
            wanted=[
                Wanted(
                    offer_id=item.offer_id,
                    quantity=lists.quantity_of(item) if line.quantity is None else line.quantity,
                    unit_price=line.unit_price,
                )
                for item, line in wanted
                if item.offer_id is not None
            ],
            key=key,
            asked=asked,
            address=address,
            payment_kind=payment_kind,
            at=at,
        )
    except Refused as refused:
        raise ListChanged([_of_item(problem, item_of[problem.offer_id]) for problem in refused.lines]) from refused


def _of_item(problem: LineProblem, item: ListItem) -> ItemProblem:
    return ItemProblem(item.pk, problem.reason, problem.price, problem.stock)


def _delivery(member: User) -> tuple[Address, str]:
    """The stored address and way to pay, in one statement."""
    payment = PaymentMethod.objects.filter(member=OuterRef("member"), is_default=True).values("kind")[:1]
    address = Address.objects.filter(member=member, is_default=True).annotate(payment_kind=Subquery(payment)).first()
    if address is None:
        raise AddressMissing
    if address.payment_kind is None:
        raise PaymentMissing
    return address, address.payment_kind
