"""E-mail, through whatever backend Django is set up with."""

import hashlib
import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.core.validators import validate_email

from notify.channels import Deliver, Refused
from notify.models import Message

logger = logging.getLogger(__name__)


def message_id(key: str) -> str:
    """The Message-ID of the message with this key: the same at every attempt, so that mail programs see one mail."""
    _name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"<{digest}@{sender.rpartition('@')[2] or 'localhost'}>"


@contextmanager
def session() -> Iterator[Deliver]:
    connection = get_connection()
    connection.open()
    try:
        yield lambda message: _deliver(message, connection)
    finally:
        try:
            connection.close()
        except Exception:
            # The mail is accepted or refused by now; a server that hangs up rudely changes nothing about it.
            logger.warning("closing the mail connection failed", exc_info=True)


def _deliver(message: Message, connection) -> None:
    try:
        validate_email(message.recipient)
        if _compose(message, connection).send() != 1:
            raise smtplib.SMTPException("the mail backend did not take the message")
    except (ValidationError, BadHeaderError, UnicodeError, smtplib.SMTPNotSupportedError) as error:
        raise Refused(f"{type(error).__name__}") from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        if codes and all(500 <= code < 600 for code in codes):
            raise Refused(f"recipient refused with {codes[0]}") from error
        raise
    except smtplib.SMTPDataError as error:
        if 500 <= error.smtp_code < 600:
            raise Refused(f"message refused with {error.smtp_code}") from error
        raise


def _compose(message: Message, connection) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[message.recipient],
        headers={
            # Answering machines leave mail with this header alone (RFC 3834).
            "Auto-Submitted": "auto-generated",
            **message.headers,
            "Message-ID": message_id(message.key),
        },
        connection=connection,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    return mail
