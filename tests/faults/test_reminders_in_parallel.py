"""Several planners and several workers at once, on a database with real row locks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection

from mylist import reminders
from mylist.models import Reminder, ReminderLine
from notify import dispatch
from notify.models import Message
from tests.factories import ListItemFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

AT_ONCE = 6
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _postgresql():
    if django_settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        pytest.fail("These tests need PostgreSQL: run `make test-services`, or set DATABASE_URL.")


def at_once(work: Callable[[], T]) -> list[T]:
    """What `work` gave in each of several threads that began together."""
    barrier = Barrier(AT_ONCE)

    def begin() -> T:
        try:
            barrier.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [done.result() for done in [pool.submit(begin) for _ in range(AT_ONCE)]]


def test_six_planners_plan_one_reminder_a_member(now):
    ListItemFactory.create_batch(30, due=True)
    planned = at_once(lambda: reminders.plan(at=now))
    assert sum(planned) == 30
    assert Reminder.objects.count() == ReminderLine.objects.count() == Message.objects.count() == 30


def test_six_workers_send_each_message_once(now):
    ListItemFactory.create_batch(30, due=True)
    reminders.plan(at=now)
    message_ids = dispatch.due_message_ids(at=now, limit=100)

    def send_all() -> None:
        for message_id in message_ids:
            dispatch.send(message_id=message_id, at=now)

    at_once(send_all)
    assert len({m.to[0] for m in mail.outbox}) == len(mail.outbox) == 30
    assert set(Message.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert set(Reminder.objects.values_list("status", flat=True)) == {"sent"}
