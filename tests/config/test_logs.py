"""What was logged, and to whom it happened: the first is kept."""

import io
import logging

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.test import Client

from config.logs import DiscreetFormatter
from tests.factories import MemberFactory

KEY = "8x0q1mzt4c5n7v2b9a3s6d8f0g1h2j4k"
SIGNED = "eyJtIjoxfQ:1xV6Nu:G7QzeJBKVwXCA3-m72g9VkebOHCFI4jSn0RYPvqP5V8"  # as Django signs


@pytest.fixture
def log() -> io.StringIO:
    """What a handler set up as in settings.LOGGING writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DiscreetFormatter(settings.LOGGING["formatters"]["plain"]["format"]))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no mail for mei.lin+shop@mail.example.com", "no mail for [e-mail]"),
        ("gateway refused +886912345678", "gateway refused [phone]"),
        ("typed 0912-345 678 twice", "typed [phone] twice"),
        (f"session {KEY} is gone", "session [token] is gone"),
        (f"link {SIGNED} is old", "link [token] is old"),
        ("order 261118-00000001 of shard 42 at 12:30:00+0800", "order 261118-00000001 of shard 42 at 12:30:00+0800"),
        ("mylist.tasks.predict_shard[7f0b8c1e-93a4-4a4e-8a55-0f3b6f2f9f6e]", "predict_shard[7f0b8c1e-93a4-4a4e"),
    ],
)
def test_log_hides_whom_it_is_about(log, said, kept):
    logging.getLogger("somewhere").warning("%s", said)
    assert kept in log.getvalue()


def test_log_hides_what_a_database_names_in_its_refusal(log):
    try:
        raise IntegrityError("DETAIL: Key (email)=(mei@example.com) or (phone)=(+886912345678) already exists.")
    except IntegrityError:
        logging.getLogger("somewhere").exception("a member was not saved")
    assert "Traceback" in log.getvalue()
    assert "mei@" not in log.getvalue()
    assert "912345678" not in log.getvalue()


@pytest.mark.django_db
def test_log_names_the_pattern_of_an_address_that_is_a_key(log):
    Client().get("/my-list/r/a-key-that-was-altered/")
    Client(enforce_csrf_checks=True).post("/members/addresses/77/")
    assert "a-key-that-was-altered" not in log.getvalue()
    assert "/members/addresses/<int:address_id>/" in log.getvalue()


@pytest.mark.django_db
def test_nothing_logged_at_the_doors_tells_who_came(log):
    member = MemberFactory(email="member@example.com", phone="+886912345678")
    for contact in (member.email, member.phone, "stranger@example.com", "0987654321"):
        for path in ("/accounts/login/code/", "/accounts/signup/"):
            Client().post(path, {"contact": contact, "name": "Mei Lin"})
        Client().post("/accounts/login/", {"login": contact, "password": "wrong"})
    for told in ("member@", "stranger@", "912345678", "912 345", "987654321", "Mei Lin", "wrong"):
        assert told not in log.getvalue()


def test_settings_log_discreetly():
    assert settings.LOGGING["formatters"]["plain"]["class"] == "config.logs.DiscreetFormatter"
    assert {handler["formatter"] for handler in settings.LOGGING["handlers"].values()} == {"plain"}
