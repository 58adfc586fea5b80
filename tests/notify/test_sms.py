"""The SMS adapter: into files, and through a real HTTP gateway on loopback."""

import base64
import json
import logging
import stat
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.exceptions import ImproperlyConfigured

from notify import dispatch
from notify.channels import Refused, TryLater, sms
from notify.channels.sms import Text, send_text
from notify.dispatch import BACKOFF, REFUSED
from notify.models import Message

MEI = "+886912345678"
SECRET = "Your code is 314159 尿布"


class Gateway(ThreadingHTTPServer):
    """Answers with what is set, keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, dict, dict]] = []
        self.status, self.headers = 202, {}
        self.patience = 0.0
        self.hangs_up = False


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, dict(self.headers), body))
        time.sleep(self.server.patience)
        if self.server.hangs_up:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def gateway(settings):
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    settings.SMS_URL = f"http://shop:pass%2Fword@127.0.0.1:{server.server_port}/v1/sms"
    settings.SMS_SENDER = "Daybell 日日鈴"
    settings.SMS_TIMEOUT = 5
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sms_message(post):
    return post(channel="sms", recipient=MEI, text=SECRET)


# ------------------------------------------------------------------ the gateway


def test_send_text_posts_who_to_whom_and_what_with_the_key(gateway):
    send_text(recipient=MEI, text=SECRET, key="code-1")
    ((path, headers, body),) = gateway.received
    assert path == "/v1/sms"
    assert body == {"sender": "Daybell 日日鈴", "recipient": MEI, "text": SECRET}
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == "code-1"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"shop:pass/word"


def test_a_message_of_the_outbox_goes_out_under_its_key(gateway, sms_message, now):
    dispatch.send(message_id=sms_message.pk, at=now)
    sms_message.refresh_from_db()
    assert (sms_message.status, sms_message.sent_at) == ("sent", now)
    ((_path, headers, body),) = gateway.received
    assert (headers["Idempotency-Key"], body["recipient"], body["text"]) == ("test-1", MEI, SECRET)


@pytest.mark.parametrize("status", [400, 410, 422])
def test_a_refusal_of_the_message_is_for_good(gateway, sms_message, now, status):
    gateway.status = status
    dispatch.send(message_id=sms_message.pk, at=now)
    sms_message.refresh_from_db()
    assert (sms_message.status, sms_message.dropped_because) == ("dropped", REFUSED)
    assert sms_message.last_error == f"refused with {status}"


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 408, 429, 500, 503])
def test_what_is_not_about_the_message_is_tried_again(gateway, sms_message, now, status):
    gateway.status, gateway.headers = status, {"Location": "/elsewhere"}
    dispatch.send(message_id=sms_message.pk, at=now)
    sms_message.refresh_from_db()
    assert (sms_message.status, sms_message.due_at) == ("waiting", now + BACKOFF[0])
    assert sms_message.last_error == f"answered with {status}"
    assert [path for path, _headers, _body in gateway.received] == ["/v1/sms"]


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("1200", timedelta(minutes=20)),
        ("5", BACKOFF[0]),
        ("99999999", BACKOFF[-1]),
        ("Wed, 18 Nov 2026 05:00:00 GMT", BACKOFF[0]),
    ],
)
def test_a_gateway_that_asks_for_rest_gets_it_within_reason(gateway, sms_message, now, retry_after, wait):
    gateway.status, gateway.headers = 429, {"Retry-After": retry_after}
    dispatch.send(message_id=sms_message.pk, at=now)
    sms_message.refresh_from_db()
    assert sms_message.due_at == now + wait


def test_a_slow_gateway_is_not_waited_for(gateway, settings):
    settings.SMS_TIMEOUT, gateway.patience = 0.1, 0.5
    began = time.monotonic()
    with pytest.raises(TryLater, match="ReadTimeout"):
        send_text(recipient=MEI, text=SECRET, key="code-1")
    assert time.monotonic() - began < 0.5


def test_a_connection_dropped_after_acceptance_is_tried_again_under_the_same_key(gateway, sms_message, now):
    gateway.hangs_up = True
    dispatch.send(message_id=sms_message.pk, at=now)
    sms_message.refresh_from_db()
    assert (sms_message.status, sms_message.last_error) == ("waiting", "ConnectionError")
    gateway.hangs_up = False
    dispatch.send(message_id=sms_message.pk, at=now + BACKOFF[0])
    sms_message.refresh_from_db()
    assert sms_message.status == "sent"
    assert [headers["Idempotency-Key"] for _path, headers, _body in gateway.received] == ["test-1", "test-1"]


def test_nobody_at_home_is_tried_again(gateway, settings, sms_message, now):
    settings.SMS_URL = "http://127.0.0.1:1/"
    dispatch.send(message_id=sms_message.pk, at=now)
    sms_message.refresh_from_db()
    assert (sms_message.status, sms_message.last_error) == ("waiting", "ConnectionError")


@pytest.mark.parametrize("status", [202, 400, 500])
def test_neither_number_text_nor_password_is_logged_or_kept_as_an_error(gateway, sms_message, now, caplog, status):
    gateway.status = status
    with caplog.at_level(logging.DEBUG):
        dispatch.send(message_id=sms_message.pk, at=now)
        try:
            send_text(recipient=MEI, text=SECRET, key="code-1")
        except (Refused, TryLater) as error:
            caplog.handler.handle(logging.makeLogRecord({"msg": repr(error)}))
    errors = " ".join(Message.objects.values_list("last_error", flat=True))
    for secret in (MEI[1:], "314159", "pass"):
        assert secret not in caplog.text + errors


def test_the_error_of_a_gateway_out_of_reach_does_not_hold_its_address(settings):
    settings.SMS_URL = "http://shop:password@127.0.0.1:1/token-in-the-path"
    with pytest.raises(TryLater) as caught:
        send_text(recipient=MEI, text=SECRET, key="code-1")
    assert str(caught.value) == "ConnectionError"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("recipient", ["", "0912345678", "mei@example.com", "+886912345678\n", "+88691234567890123"])
def test_what_is_no_phone_number_is_refused_before_anybody_is_asked(gateway, recipient):
    with pytest.raises(Refused, match=r"^not a phone number$"):
        send_text(recipient=recipient, text=SECRET, key="code-1")
    assert gateway.received == []


# ------------------------------------------------------------------ files, tests, nothing


def test_files_are_readable_and_their_owner_s_alone(settings, tmp_path):
    folder = tmp_path / "var" / "sms"
    settings.SMS_URL, settings.SMS_SENDER = f"filesms:///{folder}", "My List"
    send_text(recipient=MEI, text=SECRET, key="code-1")
    send_text(recipient=MEI, text="Second", key="code-2")
    first, second = sorted(folder.iterdir())
    assert first.read_text(encoding="utf-8") == f"From: My List\nTo: {MEI}\n\n{SECRET}\n"
    assert "Second" in second.read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (first, second)} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_tests_find_what_was_sent_in_the_outbox():
    send_text(recipient=MEI, text=SECRET, key="code-1")
    assert sms.outbox == [Text(MEI, SECRET, "code-1")]


def test_is_available_unless_nothing_is_set(settings):
    assert sms.is_available()
    settings.SMS_URL = ""
    assert not sms.is_available()


@pytest.mark.parametrize("url", ["", "ftp://gateway.example/"])
def test_a_way_that_is_none_is_said_without_the_number(settings, url):
    settings.SMS_URL = url
    with pytest.raises(ImproperlyConfigured) as caught:
        send_text(recipient=MEI, text=SECRET, key="code-1")
    assert MEI not in str(caught.value)
