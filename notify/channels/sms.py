"""SMS, through a gateway's HTTP address or into files.

settings.SMS_URL chooses: `https://user:password@gateway/path` gets a POST of JSON for each message, with the message's
key as `Idempotency-Key`; `filesms:///folder` writes a file for each; `locmem://` keeps them in `outbox`, for tests;
empty, there are no SMS and `is_available` says so.

Codes go straight through `send_text` and never through the outbox table, where they could be read.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from notify.channels import Deliver, Refused, TryLater
from notify.models import Message


class Text(NamedTuple):
    recipient: str
    text: str
    key: str


outbox: list[Text] = []
"""What `locmem://` has taken; tests/conftest.py empties it."""

_FILES = "filesms:///"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# These speak of us or of the moment, not of the message: a wrong password at the gateway, an empty account, too many at
# once. Every other 4xx will be the same whenever it is tried.
_NOT_ABOUT_THE_MESSAGE = {401, 402, 403, 404, 405, 407, 408, 425, 429}


def is_available() -> bool:
    """Whether SMS can be sent from here at all."""
    return bool(settings.SMS_URL)


def send_text(*, recipient: str, text: str, key: str) -> None:
    """Send one SMS now. Returns once it is accepted; the same key again is the same SMS to a gateway that honours it.

    Raises Refused for good, TryLater for now. Neither names the recipient or the text.
    """
    _send(Text(recipient, text, key))


@contextmanager
def session() -> Iterator[Deliver]:
    yield lambda message: _send(_of(message))


def _of(message: Message) -> Text:
    return Text(message.recipient, message.text, message.key)


def _send(text: Text) -> None:
    if not _E164.fullmatch(text.recipient):
        raise Refused("not a phone number")
    url = settings.SMS_URL
    if url == "locmem://":
        outbox.append(text)
    elif url.startswith(_FILES):
        _write(text, Path(url.removeprefix(_FILES)))
    elif url.startswith(("http://", "https://")):
        _post(text, url)
    else:
        raise ImproperlyConfigured("SMS_URL names no way to send SMS; .env.example tells what it may be")


def _write(text: Text, folder: Path) -> None:
    """A file of the owner's alone: sign-in codes are in them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256(text.key.encode()).hexdigest()[:8]
    name = f"{timezone.localtime():%Y%m%d-%H%M%S-%f}-{digest}.txt"
    with os.fdopen(os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(f"From: {settings.SMS_SENDER}\nTo: {text.recipient}\n\n{text.text}\n")


def _post(text: Text, url: str) -> None:
    try:
        # Only the status is read, and a gateway that moved is not followed: the number would go to who knows whom.
        with requests.post(
            url,
            json={"sender": settings.SMS_SENDER, "recipient": text.recipient, "text": text.text},
            headers={"Idempotency-Key": text.key},
            timeout=settings.SMS_TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as answer:
            status, wait = answer.status_code, answer.headers.get("Retry-After", "")
    except requests.RequestException as error:
        # Its own words hold the address, and with it perhaps the password of the gateway.
        raise TryLater(type(error).__name__) from None
    if 200 <= status < 300:
        return
    if 400 <= status < 500 and status not in _NOT_ABOUT_THE_MESSAGE:
        raise Refused(f"refused with {status}")
    raise TryLater(f"answered with {status}", after=timedelta(seconds=int(wait)) if wait.isdecimal() else None)
