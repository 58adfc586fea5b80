from datetime import timedelta

import pytest
from django.core import mail

from notify import dispatch
from notify.channels import Refused
from notify.dispatch import BACKOFF, EXHAUSTED, MAX_ATTEMPTS, REFUSED, claim, due_message_ids, mark_queued, send
from notify.gates import Deny, Later, NoGate
from notify.models import Message


@pytest.fixture
def lease(settings) -> timedelta:
    settings.NOTIFY_LEASE = timedelta(seconds=180)
    return settings.NOTIFY_LEASE


@pytest.fixture
def provider(monkeypatch):
    """A channel that raises what `provider.error` holds, or runs it, and notes what it delivered."""
    from contextlib import contextmanager

    class Provider:
        error = None
        delivered: list[str] = []

        @contextmanager
        def session(self):
            yield self._deliver

        def _deliver(self, message):
            if isinstance(self.error, Exception):
                raise self.error
            if self.error is not None:
                self.error(message)
            self.delivered.append(message.key)

    provider = Provider()
    provider.delivered = []
    monkeypatch.setattr(dispatch, "_CHANNELS", {"email": provider})
    return provider


# ------------------------------------------------------------------ claim


def test_claim_second_gets_nothing(post, now, lease):
    message = post()
    assert claim(message_id=message.pk, at=now).pk == message.pk
    assert claim(message_id=message.pk, at=now + timedelta(seconds=1)) is None
    message.refresh_from_db()
    assert (message.claimed_at, message.attempts) == (now, 1)


def test_claim_of_a_dead_worker_is_taken_over_after_the_lease(post, now, lease):
    message = post()
    claim(message_id=message.pk, at=now)
    assert claim(message_id=message.pk, at=now + lease - timedelta(seconds=1)) is None
    taken = claim(message_id=message.pk, at=now + lease)
    assert (taken.claimed_at, taken.attempts) == (now + lease, 2)


def test_claim_before_it_is_due_gets_nothing(post, now):
    message = post(due_at=now + timedelta(minutes=1))
    assert claim(message_id=message.pk, at=now) is None


@pytest.mark.parametrize("answer", [None, Deny("no longer wanted")])
def test_claim_of_a_finished_message_gets_nothing(post, now, gate, lease, answer):
    message = post()
    gate.answer = answer or gate.answer
    send(message_id=message.pk, at=now)
    assert claim(message_id=message.pk, at=now + 2 * lease) is None


def test_claim_of_nothing_gets_nothing(db, now):
    assert claim(message_id=404, at=now) is None


@pytest.mark.django_db(transaction=True)
def test_claim_inside_a_transaction_is_refused(post, now):
    from django.db import transaction

    message = post()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        claim(message_id=message.pk, at=now)


# ------------------------------------------------------------------ send


def test_send_delivers_once_and_says_so(post, now, gate, announced):
    message = post()
    send(message_id=message.pk, at=now)
    send(message_id=message.pk, at=now + timedelta(hours=1))
    message.refresh_from_db()
    assert (message.status, message.sent_at) == (Message.Status.SENT, now)
    assert len(mail.outbox) == 1
    assert gate.asked == [("test-1", now)]
    assert announced == [("sent", "test-1", "")]


def test_send_denied_is_dropped_with_the_reason_and_never_delivered(post, now, gate, announced):
    message = post()
    gate.answer = Deny("unsubscribed")
    send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert (message.status, message.dropped_at, message.dropped_because) == ("dropped", now, "unsubscribed")
    assert mail.outbox == []
    assert announced == [("dropped", "test-1", "unsubscribed")]


def test_send_later_waits_without_counting_an_attempt(post, now, gate, announced):
    message = post()
    gate.answer = Later(now + timedelta(hours=9))
    send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert (message.status, message.due_at) == ("waiting", now + timedelta(hours=9))
    assert (message.claimed_at, message.attempts) == (None, 0)
    assert mail.outbox == []
    assert announced == []


def test_send_asks_the_gate_again_at_every_attempt(post, now, gate, provider):
    message = post()
    provider.error = ConnectionRefusedError()
    send(message_id=message.pk, at=now)
    gate.answer = Deny("bought meanwhile")
    provider.error = None
    send(message_id=message.pk, at=now + BACKOFF[0])
    message.refresh_from_db()
    assert message.dropped_because == "bought meanwhile"
    assert provider.delivered == []


def test_send_whose_gate_fails_raises_and_frees_the_message(post, now, gate):
    message = post()
    gate.answer = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert (message.status, message.claimed_at, message.attempts) == ("waiting", None, 0)
    assert message.due_at > now


def test_send_without_a_gate_raises(post, now, monkeypatch):
    message = post()
    Message.objects.update(purpose="lottery")
    with pytest.raises(NoGate, match="lottery"):
        send(message_id=message.pk, at=now)
    assert mail.outbox == []


def test_send_backs_off_longer_after_each_failure_and_then_gives_up(post, now, provider, announced):
    message = post()
    provider.error = TimeoutError()
    at = now
    for wait in BACKOFF:
        send(message_id=message.pk, at=at)
        message.refresh_from_db()
        assert (message.status, message.due_at, message.last_error) == ("waiting", at + wait, "TimeoutError")
        at += wait
    send(message_id=message.pk, at=at)
    message.refresh_from_db()
    assert (message.status, message.dropped_because, message.attempts) == ("dropped", EXHAUSTED, MAX_ATTEMPTS)
    assert announced == [("dropped", "test-1", EXHAUSTED)]


def test_send_recovers_after_a_failure(post, now, provider, announced):
    message = post()
    provider.error = TimeoutError()
    send(message_id=message.pk, at=now)
    provider.error = None
    send(message_id=message.pk, at=now)  # too early
    assert provider.delivered == []
    send(message_id=message.pk, at=now + BACKOFF[0])
    message.refresh_from_db()
    assert (message.status, message.last_error) == ("sent", "")
    assert provider.delivered == ["test-1"]


def test_send_refused_for_good_is_dropped_at_once(post, now, provider, announced):
    message = post()
    provider.error = Refused("recipient refused with 550")
    send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert (message.dropped_because, message.last_error) == (REFUSED, "recipient refused with 550")
    assert announced == [("dropped", "test-1", REFUSED)]


def test_send_gives_up_on_a_message_that_kills_its_workers(post, now, lease, provider):
    message = post()
    at = now
    for _ in range(MAX_ATTEMPTS):
        assert claim(message_id=message.pk, at=at)
        at += lease
    send(message_id=message.pk, at=at)
    message.refresh_from_db()
    assert (message.status, message.dropped_because) == ("dropped", EXHAUSTED)
    assert provider.delivered == []


def test_send_failing_late_leaves_the_claim_of_whoever_took_over(post, now, lease, provider):
    message = post()

    def slow_then_broken(_message):
        assert claim(message_id=message.pk, at=now + lease)
        raise ConnectionResetError

    provider.error = slow_then_broken
    send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert (message.status, message.claimed_at, message.due_at) == ("waiting", now + lease, now)


def test_send_accepted_late_counts_as_sent_although_somebody_took_over(post, now, lease, provider):
    message = post()
    provider.error = lambda _message: claim(message_id=message.pk, at=now + lease)
    send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert message.status == "sent"


def test_send_does_not_repeat_a_server_s_words_which_may_name_the_recipient(post, now, provider, caplog):
    message = post()
    provider.error = OSError("mailbox mei@example.com is busy")
    send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert "mei@" not in caplog.text
    assert message.last_error == "OSError"


def test_send_outlives_a_listener_that_fails(post, now, caplog):
    from notify.signals import message_sent

    def broken(**_):
        raise ValueError("listener")

    message_sent.connect(broken)
    try:
        message = post()
        send(message_id=message.pk, at=now)
    finally:
        message_sent.disconnect(broken)
    message.refresh_from_db()
    assert message.status == "sent"


# ------------------------------------------------------------------ the scan


def test_due_message_ids_oldest_first_and_no_more_than_asked(post, now):
    late = post(key="late", due_at=now - timedelta(minutes=1))
    later = post(key="later", due_at=now)
    post(key="not yet", due_at=now + timedelta(seconds=1))
    assert due_message_ids(at=now, limit=10) == [late.pk, later.pk]
    assert due_message_ids(at=now, limit=1) == [late.pk]


def test_due_message_ids_leaves_claimed_ones_until_the_lease_is_over(post, now, lease):
    message = post()
    claim(message_id=message.pk, at=now)
    assert due_message_ids(at=now + lease / 2, limit=10) == []
    assert due_message_ids(at=now + lease, limit=10) == [message.pk]


def test_due_message_ids_names_a_message_once_a_lease(post, now, lease):
    message = post()
    mark_queued(message_ids=[message.pk], at=now)
    assert due_message_ids(at=now + lease / 2, limit=10) == []
    assert due_message_ids(at=now + lease, limit=10) == [message.pk]


def test_due_message_ids_names_a_postponed_message_as_soon_as_it_is_due_again(post, now, gate, lease):
    message = post()
    mark_queued(message_ids=[message.pk], at=now)
    gate.answer = Later(now + timedelta(seconds=20))
    send(message_id=message.pk, at=now)
    assert due_message_ids(at=now + timedelta(seconds=20), limit=10) == [message.pk]
