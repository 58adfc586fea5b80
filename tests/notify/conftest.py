"""A purpose of the tests' own, so that no other app's gate has a say."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from notify import gates, outbox
from notify.gates import Allow, Answer
from notify.models import Message


@dataclass
class FakeGate:
    answer: Answer | Exception = field(default_factory=Allow)
    asked: list[tuple[str, datetime]] = field(default_factory=list)

    def __call__(self, message: Message, at: datetime) -> Answer:
        self.asked.append((message.key, at))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def gate(monkeypatch) -> FakeGate:
    gate = FakeGate()
    monkeypatch.setitem(gates._gates, "test", gate)
    return gate


@pytest.fixture
def post(gate, now, db):
    """Posts a message of purpose "test"; keywords replace what matters to the test."""

    def post(**changes) -> Message:
        given = {
            "key": "test-1",
            "purpose": "test",
            "channel": "email",
            "recipient": "mei@example.com",
            "subject": "Diapers",
            "text": "Time for diapers.",
            "at": now,
        }
        return outbox.post(**{**given, **changes})

    return post


@pytest.fixture
def announced():
    """Every message_sent and message_dropped of the test: (signal name, key, reason)."""
    from notify.signals import message_dropped, message_sent

    heard: list[tuple[str, str, str]] = []

    def on_sent(*, key, **_):
        heard.append(("sent", key, ""))

    def on_dropped(*, key, reason, **_):
        heard.append(("dropped", key, reason))

    message_sent.connect(on_sent)
    message_dropped.connect(on_dropped)
    yield heard
    message_sent.disconnect(on_sent)
    message_dropped.disconnect(on_dropped)
