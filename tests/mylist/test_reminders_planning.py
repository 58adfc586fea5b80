from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from mylist import reminders
from mylist.models import ListItem, Reminder, ReminderLine
from mylist.reminders import planning
from notify.dispatch import EXHAUSTED
from notify.models import Message
from shop.models import Order, Purchase
from tests.factories import ListItemFactory, MemberFactory, OfferFactory, ProductFactory, PurchaseFactory
from tests.mylist.reminding import order_of

pytestmark = pytest.mark.django_db


def test_plan_writes_reminder_lines_and_message_together(now):
    item = ListItemFactory(due=True)
    assert reminders.plan(at=now) == 1
    reminder = Reminder.objects.get()
    line = reminder.lines.get()
    message = Message.objects.get()
    assert (reminder.member, reminder.status, reminder.planned_at) == (item.member, "planned", now)
    assert (line.item, line.cycle_began_at) == (item, item.last_bought_at)
    assert (message.key, message.purpose, message.recipient) == (
        f"reminder-{reminder.pk}",
        "reminder",
        item.member.email,
    )
    assert message.due_at == now


def test_plan_names_all_that_is_due_in_one_message(now):
    member = MemberFactory()
    ListItemFactory.create_batch(3, member=member, due=True)
    ListItemFactory(member=member, due=False)
    assert reminders.plan(at=now) == 1
    assert Reminder.objects.get().lines.count() == 3
    assert Message.objects.count() == 1


def test_plan_again_is_nothing_new(now):
    ListItemFactory(due=True)
    assert reminders.plan(at=now) == 1
    assert reminders.plan(at=now + timedelta(minutes=15)) == 0
    assert Message.objects.count() == 1


def test_plan_after_sending_brings_nothing_up_again_in_the_same_cycle(now):
    ListItemFactory(due=True)
    reminders.plan(at=now)
    reminders.on_message_sent(key=Message.objects.get().key, purpose="reminder", at=now)
    assert reminders.plan(at=now + timedelta(days=1)) == 0


def test_plan_after_sending_brings_up_what_has_become_due_since(now):
    first = ListItemFactory(due=True)
    reminders.plan(at=now)
    reminders.on_message_sent(key=Message.objects.get().key, purpose="reminder", at=now)
    second = ListItemFactory(member=first.member, due=True)
    assert reminders.plan(at=now + timedelta(days=1)) == 1
    assert [line.item for line in Reminder.objects.latest("pk").lines.all()] == [second]


def test_plan_after_a_purchase_reminds_in_the_new_cycle(now):
    item = ListItemFactory(due=True)
    reminders.plan(at=now)
    reminders.on_message_sent(key=Message.objects.get().key, purpose="reminder", at=now)
    ListItem.objects.filter(pk=item.pk).update(last_bought_at=now + timedelta(hours=1))
    assert reminders.plan(at=now + timedelta(days=1)) == 1
    assert ReminderLine.objects.filter(item=item).count() == 2


@pytest.mark.parametrize(
    "member",
    [
        {"is_active": False},
        {"reminder_channel": User.ReminderChannel.NONE},
        {"email": ""},
    ],
)
def test_plan_leaves_alone_who_cannot_or_will_not_be_written_to(now, member):
    ListItemFactory(due=True, member=MemberFactory(**member))
    assert reminders.plan(at=now) == 0


def test_plan_writes_to_an_imported_member_who_never_signed_in(now):
    ListItemFactory(due=True, member=MemberFactory(claimed_at=None))
    assert reminders.plan(at=now) == 1


@pytest.mark.parametrize(
    "item",
    [
        {"due": False},
        {"hidden_at": datetime(2026, 11, 1, tzinfo=UTC)},
        {"snoozed_until": datetime(2026, 11, 19, tzinfo=UTC)},
        {"offer__stock": 0},
        {"offer__is_active": False},
        {"offer__store__is_active": False},
        {"offer": None},
        {"purchase": None},
    ],
    ids=lambda item: next(iter(item)),
)
def test_plan_leaves_out_what_is_not_to_be_brought_up(now, item):
    ListItemFactory(**{"due": True, **item})
    assert reminders.plan(at=now) == 0


@pytest.mark.parametrize("item", [{"snoozed_until": datetime(2026, 11, 18, 4, tzinfo=UTC)}, {"offer__stock": None}])
def test_plan_includes_what_may_be_brought_up_again(now, item):
    ListItemFactory(due=True, **item)
    assert reminders.plan(at=now) == 1


def test_plan_leaves_out_what_was_ordered_since_the_forecast_until_that_is_undone(now):
    item = ListItemFactory(due=True)
    order = order_of(item.member, item.offer, at=now + timedelta(minutes=1))
    later = now + timedelta(minutes=2)
    assert reminders.plan(at=later) == 0
    Order.objects.filter(pk=order.pk).update(status=Order.Status.UNDONE, undone_at=later)
    assert reminders.plan(at=later) == 1


def test_plan_leaves_out_a_need_met_by_another_product(now):
    item = ListItemFactory(due=True)
    other_brand = OfferFactory(product=ProductFactory(need=item.product.need))
    order_of(item.member, other_brand, at=now + timedelta(minutes=1))
    assert reminders.plan(at=now + timedelta(minutes=2)) == 0


def test_plan_is_not_hindered_by_another_member_s_order(now):
    item = ListItemFactory(due=True)
    order_of(MemberFactory(), item.offer, at=now + timedelta(minutes=1))
    assert reminders.plan(at=now + timedelta(minutes=2)) == 1


def test_plan_leaves_out_what_was_bought_at_the_counter_since_the_forecast(now):
    item = ListItemFactory(due=True)
    PurchaseFactory(member=item.member, product=item.product, purchased_at=now + timedelta(minutes=1))
    assert reminders.plan(at=now + timedelta(minutes=2)) == 0
    Purchase.objects.filter(purchased_at__gt=now).update(quantity=Decimal(-1))
    assert reminders.plan(at=now + timedelta(minutes=2)) == 1


@pytest.mark.parametrize(
    ("zone", "hour_utc", "planned"),
    [
        ("Asia/Taipei", 0, 0),  # 8:59 below, with the minute
        ("Asia/Taipei", 1, 1),  # 9:00
        ("Asia/Taipei", 12, 1),  # 20:00
        ("Asia/Taipei", 13, 0),  # 21:00
        ("America/Los_Angeles", 4, 1),  # 20:00 the evening before
        ("America/Los_Angeles", 5, 0),
        ("America/Los_Angeles", 17, 1),
    ],
)
def test_plan_keeps_to_the_member_s_own_waking_hours(now, zone, hour_utc, planned):
    ListItemFactory(due=True, member=MemberFactory(time_zone=zone))
    minute = 59 if hour_utc == 0 else 0
    assert reminders.plan(at=now.replace(hour=hour_utc, minute=minute)) == planned


def test_plan_asks_whether_it_is_due_on_the_member_s_own_day(now):
    # 17:30 UTC on the 18th: still the 18th at 9:30 in Los Angeles. The window's last day is the 18th there.
    at = now.replace(hour=17, minute=30)
    item = ListItemFactory(due=True, member=MemberFactory(time_zone="America/Los_Angeles"))
    day = at.date()
    type(item.prediction).objects.filter(item=item).update(lower_on=day, expected_on=day, upper_on=day)
    assert reminders.plan(at=at) == 1


def test_plan_member_plans_for_that_member_alone(now):
    mine, _other = ListItemFactory.create_batch(2, due=True)
    reminder = reminders.plan_member(member_id=mine.member_id, at=now)
    assert reminder is not None
    assert reminder.member == mine.member
    assert reminders.plan_member(member_id=mine.member_id, at=now) is None
    assert Reminder.objects.count() == 1


def test_plan_member_at_night_or_for_nobody_plans_nothing(now):
    item = ListItemFactory(due=True)
    assert reminders.plan_member(member_id=item.member_id, at=now.replace(hour=18)) is None
    assert reminders.plan_member(member_id=0, at=now) is None


def test_plan_loses_to_a_planner_that_was_quicker(now):
    """Both found the item due; the other one wrote first."""
    item = ListItemFactory(due=True)
    late = list(ListItem.objects.select_related("member", "product", "offer__store", "prediction"))
    assert planning._write(late, now) is not None
    assert planning._write(late, now) is None
    # And when the other's message is already out, so that no open reminder hinders.
    reminders.on_message_sent(key=Message.objects.get().key, purpose="reminder", at=now)
    assert planning._write(late, now) is None
    assert Message.objects.count() == Reminder.objects.count() == item.reminder_lines.count() == 1


def test_plan_does_not_stop_at_the_member_another_planner_took(now, monkeypatch):
    first, second = ListItemFactory.create_batch(2, due=True)
    render = planning.mail.render

    def and_lose_the_first(*, reminder, **given):
        if reminder.member == first.member:
            # Refused by the database, as a second planner's row is.
            Reminder.objects.create(member=first.member, planned_at=now)
        return render(reminder=reminder, **given)

    monkeypatch.setattr(planning.mail, "render", and_lose_the_first)
    assert reminders.plan(at=now) == 1
    assert Message.objects.get().recipient == second.member.email


def test_plan_in_chunks_finds_everybody(now, monkeypatch):
    monkeypatch.setattr(planning, "_CHUNK", 3)
    ListItemFactory.create_batch(7, due=True)
    seen = []
    assert reminders.plan(at=now, progress=seen.append) == 7
    assert seen == [3, 3, 1]


def test_plan_reads_as_often_for_fifty_members_as_for_five(now):
    def reads() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            reminders.plan(at=now)
        return sum(query["sql"].startswith("SELECT") and '"notify_message"' not in query["sql"] for query in captured)

    for member in MemberFactory.create_batch(5):
        ListItemFactory.create_batch(2, member=member, due=True)
    few = reads()
    for member in MemberFactory.create_batch(50):
        ListItemFactory.create_batch(2, member=member, due=True)
    assert reads() == few <= 8


def test_plan_writes_at_most_eight_statements_a_member(now):
    for member in MemberFactory.create_batch(50):
        ListItemFactory.create_batch(3, member=member, due=True)
    with CaptureQueriesContext(connection) as captured:
        assert reminders.plan(at=now) == 50
    assert len(captured) <= 50 * 8 + 8


def test_plan_rests_after_a_failed_delivery(now):
    ListItemFactory(due=True)
    reminders.plan(at=now)
    reminders.on_message_dropped(key=Message.objects.get().key, purpose="reminder", at=now, reason=EXHAUSTED)
    assert reminders.plan(at=now + timedelta(days=1)) == 0
    assert reminders.plan(at=now + timedelta(days=5)) == 0
    ListItem.objects.get().prediction.__class__.objects.update(
        expected_on=now.date() + timedelta(days=7), upper_on=now.date() + timedelta(days=9)
    )
    assert reminders.plan(at=now + timedelta(days=7)) == 1


# ------------------------------------------------------------------ what became of it


def test_on_message_sent_marks_the_reminder_once(now):
    ListItemFactory(due=True)
    reminders.plan(at=now)
    key = Message.objects.get().key
    reminders.on_message_sent(key=key, purpose="reminder", at=now)
    reminders.on_message_sent(key=key, purpose="reminder", at=now + timedelta(hours=1))
    reminder = Reminder.objects.get()
    assert (reminder.status, reminder.sent_at) == ("sent", now)


def test_on_message_dropped_frees_what_was_named(now):
    ListItemFactory(due=True)
    reminders.plan(at=now)
    reminders.on_message_dropped(key=Message.objects.get().key, purpose="reminder", at=now, reason="changed")
    reminder = Reminder.objects.get()
    assert (reminder.status, reminder.dropped_at, reminder.dropped_because) == ("dropped", now, "changed")
    assert not reminder.lines.exists()
    assert reminders.plan(at=now) == 1


def test_on_message_of_another_purpose_is_none_of_our_business(now):
    reminders.on_message_sent(key="code-17", purpose="code", at=now)
    reminders.on_message_dropped(key="code-17", purpose="code", at=now, reason="x")


def test_on_message_dropped_after_it_was_sent_changes_nothing(now):
    ListItemFactory(due=True)
    reminders.plan(at=now)
    key = Message.objects.get().key
    reminders.on_message_sent(key=key, purpose="reminder", at=now)
    reminders.on_message_dropped(key=key, purpose="reminder", at=now, reason="changed")
    assert Reminder.objects.get().status == "sent"
    assert ReminderLine.objects.count() == 1


def test_catch_up_records_what_a_dead_worker_did_not_announce(now):
    ListItemFactory.create_batch(3, due=True)
    reminders.plan(at=now)
    sent, dropped, _waiting = Message.objects.order_by("pk")
    later = now + timedelta(minutes=1)
    Message.objects.filter(pk=sent.pk).update(status="sent", sent_at=later)
    Message.objects.filter(pk=dropped.pk).update(status="dropped", dropped_at=later, dropped_because="changed")
    assert reminders.catch_up(at=later) == 2
    assert list(Reminder.objects.order_by("pk").values_list("status", "sent_at", "dropped_because")) == [
        ("sent", later, ""),
        ("dropped", None, "changed"),
        ("planned", None, ""),
    ]
    assert reminders.catch_up(at=later) == 0


# ------------------------------------------------------------------ manage.py plan_reminders


@pytest.mark.parametrize("as_of", ["2026-11-18", "2026-11-18T12:00+08:00", "2026-11-18T12:00"])
def test_plan_reminders_as_of_a_moment(as_of):
    ListItemFactory(due=True)
    out = StringIO()
    call_command("plan_reminders", f"--as-of={as_of}", stdout=out, stderr=StringIO())
    assert "Planned 1 reminders as of 2026-11-18T12:00:00+08:00." in out.getvalue()
    assert Reminder.objects.get().planned_at == datetime(2026, 11, 18, 4, tzinfo=UTC)


@pytest.mark.parametrize("as_of", ["tomorrow", "2026-02-30"])
def test_plan_reminders_as_of_nonsense_says_what_to_write(as_of):
    with pytest.raises(CommandError, match="write a day such as"):
        call_command("plan_reminders", f"--as-of={as_of}")
