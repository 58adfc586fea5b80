from datetime import timedelta

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from notify import tasks
from notify.models import Message


@pytest.fixture
def queue(monkeypatch) -> list[int]:
    queue: list[int] = []
    monkeypatch.setattr(tasks.send_message, "delay", lambda *, message_id: queue.append(message_id))
    return queue


def test_dispatch_messages_tells_of_each_due_message_once(post, queue):
    past = timezone.now() - timedelta(minutes=1)
    messages = [post(key=f"k{n}", at=past) for n in range(3)]
    post(key="tomorrow", at=past, due_at=past + timedelta(days=1))
    assert tasks.dispatch_messages() == 3
    assert tasks.dispatch_messages() == 0
    assert queue == [m.pk for m in messages]


def test_dispatch_messages_with_the_broker_away_finds_them_all_again(post, queue, monkeypatch):
    post(at=timezone.now() - timedelta(minutes=1))
    with monkeypatch.context() as patch:

        def away(*, message_id):
            raise OperationalError

        patch.setattr(tasks.send_message, "delay", away)
        with pytest.raises(OperationalError):
            tasks.dispatch_messages()
    assert tasks.dispatch_messages() == 1


def test_send_message_sends(post, mailoutbox):
    message = post(at=timezone.now() - timedelta(minutes=1))
    tasks.send_message(message_id=message.pk)
    assert Message.objects.get().status == Message.Status.SENT
    assert [m.to for m in mailoutbox] == [["mei@example.com"]]


def test_send_message_is_acknowledged_only_when_done():
    assert tasks.send_message.acks_late
