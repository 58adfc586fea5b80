"""Planning: the reminder, its lines and its message in the outbox are written together or not at all."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from mylist.models import ListItem, Reminder, ReminderLine
from mylist.reminders import mail
from mylist.reminders.due import address_of, due_items, in_order, is_awake
from mylist.reminders.outcome import PURPOSE, catch_up, message_key
from notify import outbox
from notify.dispatch import UNDELIVERABLE
from notify.models import Message

_CHUNK = 500
# An address that bounced is not written to every quarter of an hour.
_REST_AFTER_FAILURE = timedelta(days=7)


def plan(*, at: datetime, progress: Callable[[int], object] = lambda members: None) -> int:
    """Plan one reminder for each member with something new to bring up; returns how many.

    Several planners may run at once. `progress` is told of the number of members looked at after each chunk.
    """
    catch_up(at=at)
    zones = [zone for zone in User.objects.values_list("time_zone", flat=True).distinct() if is_awake(at, zone)]
    new = _new(due_items(at=at, zones=zones), at)
    planned = 0
    for member_ids in _members(new):
        items = _with_facts(new.filter(member__in=member_ids))
        for _member_id, mine in groupby(items, key=lambda item: item.member_id):
            planned += _write(list(mine), at) is not None
        progress(len(member_ids))
    return planned


def plan_member(*, member_id: int, at: datetime) -> Reminder | None:
    """Plan a reminder for one member; None when there is nothing (new) to bring up, or it is not the hour for it."""
    member = User.objects.filter(pk=member_id).only("time_zone").first()
    if member is None or not is_awake(at, member.time_zone):
        return None
    new = _new(due_items(at=at, zones=[member.time_zone]), at)
    items = list(_with_facts(new.filter(member=member_id)))
    return _write(items, at) if items else None


def _new(items: QuerySet[ListItem], at: datetime) -> QuerySet[ListItem]:
    """Those not brought up in this cycle, of members without an open reminder or one that lately failed."""
    named = ReminderLine.objects.filter(item=OuterRef("pk"), cycle_began_at=OuterRef("last_bought_at"))
    failed = Q(dropped_because__in=UNDELIVERABLE, dropped_at__gt=at - _REST_AFTER_FAILURE)
    hindering = Reminder.objects.filter(Q(status=Reminder.Status.PLANNED) | failed, member=OuterRef("member"))
    return items.filter(~Exists(named), ~Exists(hindering))


def _members(items: QuerySet[ListItem]) -> Iterator[list[int]]:
    """The ids of the members of these items, in chunks; each chunk is asked for anew, so memory stays flat."""
    last = 0
    while True:
        after = items.filter(member__gt=last).order_by("member_id").values_list("member_id", flat=True).distinct()
        member_ids = list(after[:_CHUNK])
        if not member_ids:
            return
        yield member_ids
        last = member_ids[-1]


def _with_facts(items: QuerySet[ListItem]) -> QuerySet[ListItem]:
    return in_order(items.select_related("member", "product", "offer__store", "prediction"))


def _write(items: list[ListItem], at: datetime) -> Reminder | None:
    """Write the reminder of one member; None when another planner was quicker."""
    member = items[0].member
    try:
        with transaction.atomic():
            reminder = Reminder.objects.create(member=member, planned_at=at)
            ReminderLine.objects.bulk_create(
                ReminderLine(reminder=reminder, item=item, cycle_began_at=item.last_bought_at) for item in items
            )
            outbox.post(
                key=message_key(reminder.pk),
                purpose=PURPOSE,
                channel=Message.Channel(member.reminder_channel),
                recipient=address_of(member),
                whose=str(member.pk),
                at=at,
                **mail.render(reminder=reminder, member=member, items=items, at=at),
            )
    except IntegrityError:
        return None
    return reminder
