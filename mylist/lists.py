"""The list of a returning customer: what is on it, in which group and in which order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from mylist.models import ListItem, Prediction
from mylist.words import Facts, due_label, reason
from shop import history
from shop.models import Errand, Offer, Order, OrderLine, Product, Store
from shop.money import round_money
from shop.orders import MAX_QUANTITY

# An item is due when it is expected within a week with little of it left, or nearly used up, and is likelier than this
# to be bought in two weeks. A chance is needed besides, because date and supply say nothing of a habit that has ended;
# the supply is needed besides the date, because what is bought every week is always expected within a week.
DUE_DAYS = 7
LITTLE_LEFT = 0.4
NEARLY_USED_UP = 0.15
DUE_CHANCE = 0.35
SOON_DAYS = 21
SOON_CHANCE = 0.35
# How long a reordered item is shown as on its way rather than as freshly stocked.
ON_ITS_WAY = timedelta(days=1)


class Group(models.TextChoices):
    DUE = "due", _("Due now")
    SOON = "soon", _("Soon")
    ON_ITS_WAY = "on_its_way", _("On its way")
    LATER = "later", _("Later")
    SNOOZED = "snoozed", _("Snoozed")


class Availability(models.TextChoices):
    AVAILABLE = "available", _("Available")
    SHORT = "short", _("Not enough left")
    SOLD_OUT = "sold_out", _("Sold out")
    GONE = "gone", _("No longer sold")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list as it is shown. Prices are for one pack; `supply_left` is a share from 0 to 1."""

    item: ListItem
    group: Group
    # Packs a reorder takes: as wished or suggested, but never more than there are.
    quantity: int
    availability: Availability
    facts: Facts
    previous_price: Decimal | None
    ordered_at: datetime | None

    @property
    def product(self) -> Product:
        return self.item.product

    @property
    def due_label(self) -> str:
        return due_label(self.facts)

    @property
    def reason(self) -> str:
        return reason(self.facts)

    @property
    def reason_below(self) -> str:
        """The reason where the label stands right above it."""
        return reason(self.facts, below_label=self.group != Group.ON_ITS_WAY)

    @property
    def offer(self) -> Offer | None:
        return self.item.offer

    @property
    def store(self) -> Store | None:
        return self.item.offer.store if self.item.offer else None

    @property
    def prediction(self) -> Prediction:
        return self.item.prediction

    @property
    def unit_price(self) -> Decimal | None:
        return self.item.offer.price if self.item.offer else None

    @property
    def currency(self) -> str:
        return self.item.offer.currency if self.item.offer else self.item.last_currency

    @property
    def amount(self) -> Decimal | None:
        if self.unit_price is None:
            return None
        return self.unit_price * self.quantity

    @property
    def can_reorder(self) -> bool:
        return self.availability in (Availability.AVAILABLE, Availability.SHORT)

    @property
    def most(self) -> int:
        """Packs that can be ordered at once."""
        return _most(self.item.offer)

    @property
    def supply_left(self) -> float:
        return self.item.prediction.supply_left

    @property
    def supply_percent(self) -> int:
        return round(100 * self.supply_left)

    @property
    def pinned(self) -> bool:
        return self.item.pinned_at is not None


@dataclass(frozen=True, slots=True)
class OpenErrand:
    """An errand that can still be undone, with what was ordered in it."""

    errand: Errand
    lines: list[OrderLine]

    @property
    def totals(self) -> list[tuple[str, Decimal]]:
        return totals((line.order.currency, line.amount) for line in self.lines)


@dataclass(frozen=True, slots=True)
class MemberList:
    """Everything a list page shows. `drawn_at` goes back with an order, so that a stale page can't order twice."""

    entries: list[Entry]
    undoable: list[OpenErrand]
    hidden_count: int
    drawn_at: datetime

    def group(self, group: Group) -> list[Entry]:
        return [entry for entry in self.entries if entry.group == group]

    @property
    def due(self) -> list[Entry]:
        """What "reorder all due" orders: due, and to be had."""
        return [entry for entry in self.entries if entry.group == Group.DUE and entry.can_reorder]

    @property
    def due_count(self) -> int:
        return len(self.due)

    @property
    def due_totals(self) -> list[tuple[str, Decimal]]:
        return totals((entry.currency, entry.amount) for entry in self.due if entry.amount is not None)


def totals(amounts: Iterable[tuple[str, Decimal]]) -> list[tuple[str, Decimal]]:
    """(currency, sum) a currency, by currency."""
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return sorted(sums.items())


def due_on(day: date) -> Q:
    """List items whose forecast says due on a local day, whatever the member wished."""
    expected = Q(prediction__expected_on__lte=day + timedelta(days=DUE_DAYS), prediction__supply_left__lte=LITTLE_LEFT)
    running_out = expected | Q(prediction__supply_left__lte=NEARLY_USED_UP)
    return running_out & Q(prediction__upper_on__gte=day, prediction__p14__gte=DUE_CHANCE)


def is_due(prediction: Prediction, day: date) -> bool:
    """The rule of due_on for a row already loaded."""
    expected = prediction.expected_on <= day + timedelta(days=DUE_DAYS) and prediction.supply_left <= LITTLE_LEFT
    running_out = expected or prediction.supply_left <= NEARLY_USED_UP
    return running_out and prediction.upper_on >= day and prediction.p14 >= DUE_CHANCE


def build(*, member: User, at: datetime) -> MemberList:
    """The member's list at a moment; empty for somebody who is no returning customer. Two statements."""
    items = items_of(member).filter(history.completed(at, member="member"))
    recent = _recent_lines(member, at)
    ordered_at = {line.product_id: line.order.placed_at for line in recent}
    zone = ZoneInfo(member.time_zone)
    today = at.astimezone(zone).date()
    found = list(items)
    newest = _newest(found)
    shown = [
        _entry(
            item,
            facts_of(item, today=today, zone=zone, other=_other(item, newest)),
            ordered_at.get(item.product_id),
            at,
        )
        for item in found
        if not item.hidden_at
    ]
    hidden_count = len(found) - len(shown)
    shown.sort(key=_place)
    return MemberList(shown, _open_errands(recent, at), hidden_count, at)


def quantity_of(item: ListItem) -> int:
    """Packs a reorder takes: what the member set with the stepper, else what the forecast suggests, as far as stock."""
    return min(_wanted(item), _most(item.offer))


def _wanted(item: ListItem) -> int:
    return item.quantity or item.prediction.suggested_quantity


def _most(offer: Offer | None) -> int:
    counted = offer.stock if offer else None
    return MAX_QUANTITY if counted is None else max(1, min(counted, MAX_QUANTITY))


def get(*, member: User, item_id: int, at: datetime) -> Entry:
    """One item of the member's list as it is shown; ListItem.DoesNotExist for another's."""
    need = ListItem.objects.filter(pk=item_id).values("product__need")
    found = {item.pk: item for item in items_of(member).filter(Q(pk=item_id) | Q(product__need__in=need))}
    if item_id not in found:
        raise ListItem.DoesNotExist
    item = found[item_id]
    ordered_at = {line.product_id: line.order.placed_at for line in _recent_lines(member, at)}
    zone = ZoneInfo(member.time_zone)
    facts = facts_of(item, today=at.astimezone(zone).date(), zone=zone, other=_other(item, _newest(found.values())))
    return _entry(item, facts, ordered_at.get(item.product_id), at)


def facts_of(item: ListItem, *, today: date, zone: tzinfo, other: ListItem | None = None) -> Facts:
    """What may be said of an item on a local day; `other`: what was bought for the same need after it."""
    prediction = item.prediction
    return Facts(
        today=today,
        last_on=item.last_bought_at.astimezone(zone).date(),
        last_quantity=item.last_quantity,
        usual_quantity=prediction.suggested_quantity,
        times_bought=item.times_bought,
        interval_days=prediction.interval_days,
        expected_on=prediction.expected_on,
        lower_on=prediction.lower_on,
        upper_on=prediction.upper_on,
        p7=prediction.p7,
        p14=prediction.p14,
        p28=prediction.p28,
        supply_left=prediction.supply_left,
        is_due=is_due(prediction, today),
        other_on=other.last_bought_at.astimezone(zone).date() if other else None,
        other_brand=other is not None and other.product.brand != item.product.brand,
    )


def items_of(member: User) -> models.QuerySet[ListItem]:
    """The member's items, hidden ones too, with all that an entry shows of them."""
    return ListItem.objects.filter(member=member, prediction__isnull=False).select_related(
        "product", "offer__store", "prediction"
    )


def _recent_lines(member: User, at: datetime) -> list[OrderLine]:
    """What the member ordered lately or may still undo, oldest first."""
    return list(
        OrderLine.objects.filter(
            Q(order__placed_at__gt=at - ON_ITS_WAY) | Q(order__errand__undo_until__gt=at), order__member=member
        )
        .exclude(order__status=Order.Status.UNDONE)
        .select_related("order__errand", "order__store", "product")
        .order_by("order__placed_at", "pk")
    )


def _open_errands(lines: list[OrderLine], at: datetime) -> list[OpenErrand]:
    found: dict[int, OpenErrand] = {}
    for line in lines:
        errand = line.order.errand
        if line.order.status == Order.Status.PLACED and errand.undo_until > at:
            found.setdefault(errand.pk, OpenErrand(errand, [])).lines.append(line)
    return list(reversed(found.values()))


def _newest(items: Iterable[ListItem]) -> dict[int | None, ListItem]:
    """need -> the item that was bought for it last."""
    newest: dict[int | None, ListItem] = {}
    for item in items:
        need = item.product.need_id
        if need is not None and (need not in newest or newest[need].last_bought_at < item.last_bought_at):
            newest[need] = item
    return newest


def _other(item: ListItem, newest: dict[int | None, ListItem]) -> ListItem | None:
    """What was bought after the item for the same need."""
    found = newest.get(item.product.need_id)
    return None if found is item else found


def _entry(item: ListItem, facts: Facts, ordered_at: datetime | None, at: datetime) -> Entry:
    return Entry(
        item=item,
        group=_group(item, ordered_at, facts, at),
        quantity=quantity_of(item),
        availability=_availability(item.offer, _wanted(item)),
        facts=facts,
        previous_price=_previous_price(item),
        ordered_at=ordered_at,
    )


def _group(item: ListItem, ordered_at: datetime | None, facts: Facts, at: datetime) -> Group:
    if ordered_at:
        return Group.ON_ITS_WAY
    if item.snoozed_until and item.snoozed_until > at:
        return Group.SNOOZED
    if facts.is_due:
        return Group.DUE
    if (
        facts.today <= facts.upper_on
        and facts.expected_on <= facts.today + timedelta(days=SOON_DAYS)
        and facts.p28 >= SOON_CHANCE
    ):
        return Group.SOON
    return Group.LATER


def _availability(offer: Offer | None, quantity: int) -> Availability:
    if offer is None or not offer.is_active or not offer.store.is_active:
        return Availability.GONE
    if offer.is_sold_out:
        return Availability.SOLD_OUT
    if offer.stock is not None and offer.stock < quantity:
        return Availability.SHORT
    return Availability.AVAILABLE


def _previous_price(item: ListItem) -> Decimal | None:
    """What was paid last time, where that is not today's price."""
    if item.offer is None or item.last_currency != item.offer.currency:
        return None
    paid = round_money(item.last_unit_price, item.last_currency)
    return None if paid == item.offer.price else paid


_GROUP_ORDER = {group: place for place, group in enumerate(Group)}


def _place(entry: Entry) -> tuple:
    """Groups in their order; in a group pinned first, then what runs out first, then what is likeliest."""
    prediction = entry.prediction
    # What has probably ended its habit has a date only under a condition that hardly holds: behind the rest.
    faded = entry.group == Group.LATER and prediction.p28 < SOON_CHANCE
    return (
        _GROUP_ORDER[entry.group],
        not entry.pinned,
        faded,
        -prediction.p28 if faded else 0,
        prediction.expected_on,
        -prediction.score,
        entry.item.pk,
    )
