"""The gate, asked through the dispatcher as the worker does."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from mylist import reminders
from mylist.models import ListItem, Prediction, Reminder
from notify import dispatch
from notify.gates import Allow, Deny, Later, gate_for
from notify.models import Message
from tests.factories import ListItemFactory, MemberFactory
from tests.mylist.reminding import order_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> User:
    return MemberFactory()


@pytest.fixture
def items(member) -> list[ListItem]:
    return ListItemFactory.create_batch(2, member=member, due=True)


@pytest.fixture
def message(items, now) -> Message:
    assert reminders.plan(at=now) == 1
    return Message.objects.get()


def test_gate_is_the_one_registered_for_reminders():
    assert gate_for("reminder") is reminders.gate


def test_gate_allows_while_all_that_is_named_is_due(message, now):
    assert reminders.gate(message, now + timedelta(hours=1)) == Allow()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_active": False}, "member closed"),
        ({"reminder_channel": User.ReminderChannel.NONE}, "reminders turned off"),
        ({"email": "new@example.com"}, "address changed"),
    ],
)
def test_gate_denies_who_is_not_to_be_written_to(message, now, change, reason):
    User.objects.update(**change)
    assert reminders.gate(message, now) == Deny(reason)


def _order(item: ListItem, now: datetime) -> None:
    order_of(item.member, item.offer, at=now)


def _change(**fields):
    def change(item: ListItem, now: datetime) -> None:
        ListItem.objects.filter(pk=item.pk).update(**fields)

    return change


def _sell_out(item: ListItem, now: datetime) -> None:
    type(item.offer).objects.filter(pk=item.offer_id).update(stock=0)


def _less_likely(item: ListItem, now: datetime) -> None:
    Prediction.objects.filter(item=item).update(p7=0, p14=0.01)


MEANWHILE = {
    "ordered": _order,
    "hidden": _change(hidden_at=datetime(2026, 11, 18, tzinfo=UTC)),
    "snoozed": _change(snoozed_until=datetime(2026, 12, 18, tzinfo=UTC)),
    "bought": _change(last_bought_at=datetime(2026, 11, 18, 4, tzinfo=UTC)),
    "sold out": _sell_out,
    "forecast again": _less_likely,
}


@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE)
def test_gate_denies_when_part_of_what_is_named_is_no_longer_due(message, items, now, happens):
    happens(items[0], now + timedelta(minutes=1))
    assert reminders.gate(message, now + timedelta(minutes=2)) == Deny("changed")


@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE)
def test_gate_denies_when_nothing_that_is_named_is_due(message, items, now, happens):
    for item in items:
        happens(item, now + timedelta(minutes=1))
    assert reminders.gate(message, now + timedelta(minutes=2)) == Deny("nothing due")


def test_gate_denies_when_the_items_left_the_list(message, items, now):
    for item in items:
        item.delete()
    assert reminders.gate(message, now) == Deny("nothing due")


def test_gate_denies_when_the_reminder_was_erased(message, now):
    Reminder.objects.all().delete()
    assert reminders.gate(message, now) == Deny("erased")


@pytest.mark.parametrize(
    ("zone", "at", "morning"),
    [
        ("Asia/Taipei", datetime(2026, 11, 18, 13, 0, tzinfo=UTC), datetime(2026, 11, 19, 1, 0, tzinfo=UTC)),
        ("Asia/Taipei", datetime(2026, 11, 18, 23, 30, tzinfo=UTC), datetime(2026, 11, 19, 1, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 11, 18, 4, 0, tzinfo=UTC), datetime(2026, 11, 18, 8, 0, tzinfo=UTC)),
        # The clocks go back that night: 9:00 is at 17:00 UTC, no longer at 16:00.
        ("America/Los_Angeles", datetime(2026, 11, 1, 5, 0, tzinfo=UTC), datetime(2026, 11, 1, 17, 0, tzinfo=UTC)),
    ],
)
def test_gate_waits_for_the_member_s_morning(message, zone, at, morning):
    User.objects.update(time_zone=zone)
    assert reminders.gate(message, at) == Later(morning)


def test_gate_s_later_is_a_moment_when_it_no_longer_waits(message, now):
    answer = reminders.gate(message, now.replace(hour=14))
    assert isinstance(answer, Later)
    assert not isinstance(reminders.gate(message, answer.until), Later)


def test_sending_what_changed_drops_it_and_the_next_planning_names_what_is_left(message, items, now, mailoutbox):
    _order(items[0], now + timedelta(minutes=1))
    at = now + timedelta(minutes=2)
    dispatch.send(message_id=message.pk, at=at)
    assert mailoutbox == []
    dropped = Reminder.objects.get()
    assert (dropped.status, dropped.dropped_because, dropped.lines.count()) == ("dropped", "changed", 0)
    assert reminders.plan(at=at) == 1
    dispatch.send(message_id=Message.objects.latest("pk").pk, at=at)
    assert [mail.to for mail in mailoutbox] == [[items[1].member.email]]
    assert [line.item for line in Reminder.objects.latest("pk").lines.all()] == [items[1]]


def test_sending_marks_the_reminder_sent(message, now, mailoutbox):
    dispatch.send(message_id=message.pk, at=now)
    reminder = Reminder.objects.get()
    assert (reminder.status, reminder.sent_at) == ("sent", now)
    assert len(mailoutbox) == 1


def test_sending_at_night_goes_out_in_the_morning(message, now, mailoutbox):
    night = now.replace(hour=15)
    dispatch.send(message_id=message.pk, at=night)
    assert mailoutbox == []
    morning = Message.objects.get().due_at
    assert dispatch.due_message_ids(at=morning - timedelta(seconds=1), limit=9) == []
    dispatch.send(message_id=message.pk, at=morning)
    assert len(mailoutbox) == 1


def test_gate_asks_at_most_four_statements(message, now, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        reminders.gate(message, now)
