"""People at the door: what they type and what they find in their mail and on their phone."""

import re
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from notify.channels import sms
from tests.factories import MemberFactory

PASSWORD = "a-long-enough-phrase"


@pytest.fixture(autouse=True)
def _english_again():
    """Django's middleware leaves the language of the last request switched on."""
    with translation.override("en"):
        yield


@pytest.fixture
def imported(db) -> User:
    """A member as the import leaves one: unclaimed, no usable password, no address known to allauth."""
    return MemberFactory(
        member_no="M-0001", name="林美", email="Mei.Lin@Example.com", claimed_at=None, language="zh-hant"
    )


@pytest.fixture
def newest_code(mailoutbox) -> Callable[[], str]:
    """The six digits of the newest mail."""

    def read() -> str:
        return re.search(r"^\d{6}$", mailoutbox[-1].body, re.MULTILINE).group()

    return read


@pytest.fixture
def newest_sms_code() -> Callable[[], str]:
    """The six digits of the newest SMS, from the line phones read them out of."""

    def read() -> str:
        return re.search(r"^@\S+ #(\d{6})$", sms.outbox[-1].text, re.MULTILINE).group(1)

    return read


def ask_for_code(client: Client, contact: str, next_url: str = "") -> HttpResponse:
    return client.post(reverse("account_request_login_code"), {"contact": contact, "next": next_url})


def enter_code(client: Client, code: str, next_url: str = "/") -> HttpResponse:
    return client.post(reverse("account_confirm_login_code"), {"code": code, "next": next_url})


def join(client: Client, contact: str, name: str = "Somebody", **more: str) -> HttpResponse:
    return client.post(reverse("account_signup"), {"contact": contact, "name": name, "next": "/", **more})


def signed_in_as(client: Client) -> str | None:
    """The id of whom the browser is signed in as, the way the session keeps it."""
    return client.session.get("_auth_user_id")


def other_code(code: str) -> str:
    return "000000" if code != "000000" else "111111"
