"""The e-mail adapter against a real SMTP server on loopback."""

import smtplib
import socket
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from notify import dispatch
from notify.channels.email import message_id
from notify.dispatch import REFUSED
from notify.models import Message


class Handler:
    """Answers with what is set, keeps what it accepts."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.rcpt = "250 OK"
        self.data = "250 OK"

    async def handle_RCPT(self, server: SMTP, session, envelope, address: str, options: list[str]) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session, envelope) -> str:
        if self.data.startswith("250"):
            self.received.append(envelope.content)
        return self.data


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def smtp(settings):
    handler = Handler()
    controller = Controller(handler, hostname="127.0.0.1", port=_free_port())  # port 0: aiosmtpd#276
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.DEFAULT_FROM_EMAIL = "My List <list@shop.example>"
    yield handler
    controller.stop()


def test_message_id_is_stable_and_of_the_sender_s_domain(settings):
    settings.DEFAULT_FROM_EMAIL = "My List <list@shop.example>"
    assert message_id("reminder-1") == message_id("reminder-1") != message_id("reminder-2")
    assert message_id("reminder-1").endswith("@shop.example>")


def test_deliver_sends_both_bodies_and_the_headers(smtp, post, now):
    post(
        subject="尿布 and wipes",
        text="Zeit für Windeln 尿布",
        html="<p>尿布</p>",
        headers={"List-Unsubscribe": "<https://shop.example/u>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )
    dispatch.send(message_id=Message.objects.get().pk, at=now)
    (mail,) = [message_from_bytes(raw, policy=policy.default) for raw in smtp.received]
    assert mail["Message-ID"] == message_id("test-1")
    assert mail["Subject"] == "尿布 and wipes"
    assert mail["To"] == "mei@example.com"
    assert mail["List-Unsubscribe"] == "<https://shop.example/u>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "尿布" in mail.get_body(["plain"]).get_content()
    assert mail.get_body(["html"]).get_content().strip() == "<p>尿布</p>"


def test_deliver_again_carries_the_same_message_id(smtp, post, now):
    message = post()
    dispatch.send(message_id=message.pk, at=now)
    # As if the worker had died before its record.
    Message.objects.update(status="waiting", sent_at=None, claimed_at=None)
    dispatch.send(message_id=message.pk, at=now)
    assert len({message_from_bytes(raw)["Message-ID"] for raw in smtp.received}) == 1
    assert len(smtp.received) == 2


@pytest.mark.parametrize(
    ("stage", "answer", "status"),
    [
        ("rcpt", "550 no such user", "dropped"),
        ("rcpt", "450 mailbox busy", "waiting"),
        ("data", "554 looks like spam", "dropped"),
        ("data", "451 try again", "waiting"),
    ],
)
def test_deliver_tells_a_refusal_for_good_from_one_for_now(smtp, post, now, stage, answer, status):
    setattr(smtp, stage, answer)
    message = post()
    dispatch.send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert message.status == status
    assert message.dropped_because == (REFUSED if status == "dropped" else "")
    assert "mei" not in message.last_error


@pytest.mark.parametrize("recipient", ["no-at-sign", "a@b@c", "mei@example.com\nBcc: x@example.com", ""])
def test_deliver_to_what_is_no_address_is_dropped(smtp, post, now, recipient):
    message = post(recipient=recipient)
    dispatch.send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert (message.status, message.dropped_because) == ("dropped", REFUSED)
    assert smtp.received == []


def test_deliver_with_no_server_waits_for_another_attempt(settings, post, now):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _free_port()
    message = post()
    dispatch.send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert (message.status, message.attempts, message.last_error) == ("waiting", 1, "ConnectionRefusedError")


def test_deliver_is_not_undone_by_a_server_that_hangs_up_rudely(smtp, post, now, monkeypatch):
    def hang_up(self):
        self.close()
        raise smtplib.SMTPException("bye")

    monkeypatch.setattr(smtplib.SMTP, "quit", hang_up)
    message = post()
    dispatch.send(message_id=message.pk, at=now)
    message.refresh_from_db()
    assert message.status == "sent"
    assert len(smtp.received) == 1
