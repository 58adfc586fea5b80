"""Which list items may be brought up in a reminder at a moment: asked when planning, and again when sending."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from mylist import lists
from mylist.models import ListItem
from notify.channels import sms
from shop import history
from shop.models import Order, OrderLine, Purchase

# The member's local hours in which a phone may make a sound: after breakfast, before children sleep. Not a setting
# because it is a courtesy, not a knob; members get hours of their own when there is data on when they read.
FIRST_HOUR, LAST_HOUR = 9, 20


def is_awake(at: datetime, zone: str) -> bool:
    return FIRST_HOUR <= at.astimezone(ZoneInfo(zone)).hour <= LAST_HOUR


def next_morning(at: datetime, zone: str) -> datetime:
    """The next moment after `at` when the local clock shows the first waking hour."""
    local = at.astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days=local.hour >= FIRST_HOUR)
    return datetime.combine(day, time(FIRST_HOUR), tzinfo=local.tzinfo)


def due_items(*, at: datetime, zones: Iterable[str]) -> QuerySet[ListItem]:
    """What is due, to be had, and neither put off nor bought meanwhile, for members who want reminders.

    `zones`: the time zones of the members in question; "due" is a matter of their local day.
    """
    days: dict[date, list[str]] = {}
    for zone in zones:
        days.setdefault(at.astimezone(ZoneInfo(zone)).date(), []).append(zone)
    if not days:
        return ListItem.objects.none()
    due = Q()
    for day, there in days.items():
        due |= lists.due_on(day) & Q(member__time_zone__in=there)
    return ListItem.objects.filter(
        due,
        _reachable(),
        Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=at),
        Q(offer__stock__isnull=True) | Q(offer__stock__gt=0),
        ~_bought_since_forecast(),
        history.completed(at, member="member"),
        hidden_at__isnull=True,
        offer__is_active=True,
        offer__store__is_active=True,
        member__is_active=True,
    )


def address_of(member: User) -> str:
    """Where this member's reminders go, on the channel they go by."""
    return member.phone if member.reminder_channel == User.ReminderChannel.SMS else member.email


def _reachable() -> Q:
    """The member wants reminders by a channel there is and has an address on it."""
    by_email = Q(member__reminder_channel=User.ReminderChannel.EMAIL) & ~Q(member__email="")
    if not sms.is_available():
        return by_email
    return by_email | Q(member__reminder_channel=User.ReminderChannel.SMS) & ~Q(member__phone="")


def _bought_since_forecast() -> Q:
    """Bought after the forecast was made: the item itself, or another one for the same need."""
    same = Q(product=OuterRef("product")) | Q(product__need=OuterRef("product__need"))
    ordered = OrderLine.objects.filter(
        same,
        order__member=OuterRef("member"),
        order__placed_at__gt=OuterRef("prediction__as_of"),
    ).exclude(order__status=Order.Status.UNDONE)
    imported = Purchase.objects.filter(
        same,
        member=OuterRef("member"),
        purchased_at__gt=OuterRef("prediction__as_of"),
        quantity__gt=0,
    )
    return Q(Exists(ordered)) | Q(Exists(imported))


def in_order(items: QuerySet[ListItem]) -> QuerySet[ListItem]:
    """What runs out first comes first, as on the list."""
    return items.order_by("member_id", F("pinned_at").asc(nulls_last=True), "prediction__expected_on", "pk")
