"""A code: kept hashed, good once, for ten minutes and three tries; nowhere else to be read."""

import json
import re
from datetime import timedelta
from pathlib import Path

import allauth
import pytest
import time_machine
from allauth.account import app_settings, forms
from allauth.headless.account import inputs
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import codes, members
from accounts.models import User
from config import celery_app
from notify.channels import sms
from tests.accounts.conftest import PASSWORD, ask_for_code, enter_code, join, other_code, signed_in_as
from tests.accounts.test_apps import APP, App
from tests.factories import NOW, MemberFactory

pytestmark = pytest.mark.django_db
PHONE = "+886912345678"
RESEND = "/accounts/login/code/confirm/"


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="member@example.com", phone=PHONE, phone_verified_at=timezone.now())
    member.set_password(PASSWORD)
    member.save()
    return members.claim(member=member, email=member.email, at=timezone.now())


def processes(kept) -> list[dict]:
    """Every process that keeps a code in what a session keeps, at any depth."""
    if isinstance(kept, list):
        return [found for item in kept for found in processes(item)]
    if not isinstance(kept, dict):
        return []
    here = [kept] if "failed_attempts" in kept else []
    return here + [found for value in kept.values() for found in processes(value)]


def kept_in_sessions() -> list[dict]:
    return [process for session in Session.objects.all() for process in processes(session.get_decoded())]


def everything_stored() -> str:
    """All rows of all tables, the sessions decoded."""
    stored = [json.dumps(session.get_decoded()) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            stored += [repr(row) for row in cursor.fetchall()]
    return "\n".join(stored)


# ---------------------------------------------------------------- kept hashed


def test_code_is_nowhere_to_be_read(client, member, newest_code, newest_sms_code, caplog, monkeypatch):
    sent_tasks: list[str] = []
    monkeypatch.setattr(celery_app, "send_task", lambda *args, **kwargs: sent_tasks.append(repr((args, kwargs))))
    caplog.set_level("DEBUG")
    starts = [
        (lambda: ask_for_code(Client(), member.email), newest_code),
        (lambda: ask_for_code(Client(), PHONE), newest_sms_code),
        (lambda: join(Client(), "new@example.com"), newest_code),
        (lambda: join(Client(), "0987 654 321"), newest_sms_code),
        (lambda: Client().post("/accounts/password/reset/", {"email": member.email}), newest_code),
        (lambda: App().send("POST", f"{APP}/auth/code/request", {"email": "new@example.com"}), newest_code),
        (lambda: App().send("POST", f"{APP}/auth/code/request", {"phone": "+886987654321"}), newest_sms_code),
    ]
    sent = []
    for start, newest in starts:
        start()
        sent.append(newest())
    stored = everything_stored()
    assert len(kept_in_sessions()) == len(starts)
    for code in sent:
        assert not re.search(rf"(?<!\d){code}(?!\d)", stored)
        assert code not in caplog.text
        assert code not in "".join(sent_tasks)


def test_code_is_sealed_in_another_way_each_time(client, member):
    ask_for_code(Client(), member.email)
    ask_for_code(Client(), member.email)
    seals = {process["code"] for process in kept_in_sessions()}
    assert len(seals) == 2
    assert all(re.fullmatch(r"sealed:[0-9a-f]{16}:[0-9a-f]{32}:[0-9a-f]{64}", seal) for seal in seals)
    assert codes.seal("123456", contact="a@example.com") != codes.seal("123456", contact="a@example.com")


def test_session_of_a_stranger_looks_like_a_members(member):
    ask_for_code(Client(), member.email)
    ask_for_code(Client(), "stranger@example.com")
    known, unknown = (len(process["code"]) for process in kept_in_sessions())
    assert known == unknown


@pytest.mark.parametrize("contact", ["stranger@example.com", "0987654321"])
def test_no_code_opens_anything_for_a_stranger(client, monkeypatch, contact):
    monkeypatch.setattr("accounts.adapter.AccountAdapter.generate_login_code", lambda self: "999999")
    ask_for_code(client, contact)
    client.post(RESEND, {"action": "resend"})
    assert len(kept_in_sessions()) == 1
    for code in ("999999", ""):
        assert enter_code(client, code).status_code == 200
    assert signed_in_as(client) is None


def test_session_saved_again_keeps_the_code(client, member, newest_code):
    ask_for_code(client, member.email)
    session = client.session
    session["something"] = "else"
    session.save()
    enter_code(client, newest_code())
    assert signed_in_as(client) == str(member.pk)


def test_code_survives_a_change_of_the_secret_key(client, member, newest_code, settings):
    ask_for_code(client, member.email)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "y" * 50
    enter_code(client, newest_code())
    assert signed_in_as(client) == str(member.pk)


def test_code_dies_with_a_secret_key_that_is_gone(client, member, newest_code, settings):
    ask_for_code(client, member.email)
    settings.SECRET_KEY = "another-" + "y" * 50
    enter_code(client, newest_code())
    assert signed_in_as(client) is None


def test_code_kept_in_the_open_is_refused():
    """A release of allauth that keeps codes where we do not look would stop working, not stop being safe."""
    assert not codes.check(actual="123456", expected="123456")
    assert not codes.check(actual="", expected="")


def test_every_comparison_of_codes_in_allauth_is_ours():
    """Fails when a release of allauth compares codes in a place that accounts.codes.install does not know."""
    [folder] = allauth.__path__
    comparing = {
        str(path.relative_to(folder))
        for part in ("account", "headless")
        for path in Path(folder, part).rglob("*.py")
        if re.search("compare_user_code|compare_digest|constant_time", path.read_text()) and "tests" not in path.parts
    }
    assert comparing == {"account/forms.py", "headless/account/inputs.py"}
    assert forms.compare_user_code is inputs.compare_user_code is codes.check


def test_site_does_not_start_when_allauth_compares_elsewhere(monkeypatch):
    monkeypatch.delattr("allauth.account.forms.compare_user_code")
    with pytest.raises(ImproperlyConfigured, match="compares codes in another way"):
        apps.get_app_config("accounts").ready()


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1} {2}", "{1}-{2}", "{3}"], ids=range(5))
def test_code_is_understood_as_people_type_it(client, member, newest_code, typed):
    ask_for_code(client, member.email)
    code = newest_code()
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    enter_code(client, typed.format(code, code[:3], code[3:], wide))
    assert signed_in_as(client) == str(member.pk)


@pytest.mark.parametrize("typed", ["", "é12345", "１", "sealed:", "0" * 2000])
def test_nonsense_is_a_wrong_code(client, member, typed):
    ask_for_code(client, member.email)
    assert enter_code(client, typed).status_code == 200
    assert signed_in_as(client) is None


# ---------------------------------------------------------------- once, ten minutes, three tries


def test_code_is_good_once(client, member, newest_code):
    ask_for_code(client, member.email)
    code = newest_code()
    taken_along = client.cookies["sessionid"].value
    enter_code(client, code)
    client.post("/accounts/logout/")
    assert enter_code(client, code).url.startswith("/accounts/login/")
    thief = Client()
    thief.cookies["sessionid"] = taken_along
    enter_code(thief, code)
    assert signed_in_as(client) is None
    assert signed_in_as(thief) is None


def test_code_of_one_session_is_worth_nothing_in_another(member, newest_code):
    ask_for_code(mine := Client(), member.email)
    code = newest_code()
    ask_for_code(other := Client(), member.email)
    if newest_code() != code:
        enter_code(other, code)
        assert signed_in_as(other) is None
    enter_code(mine, code)
    assert signed_in_as(mine) == str(member.pk)


def test_older_code_is_dead_after_another_was_asked_for(client, member, newest_code):
    ask_for_code(client, member.email)
    older = newest_code()
    client.post(RESEND, {"action": "resend"})
    newer = newest_code()
    if newer != older:
        enter_code(client, older)
        assert signed_in_as(client) is None
    enter_code(client, newer)
    assert signed_in_as(client) == str(member.pk)


@pytest.mark.parametrize(("minutes", "alive"), [(9.9, True), (10.1, False)])
def test_code_lives_ten_minutes(client, member, newest_code, minutes, alive):
    with time_machine.travel(NOW, tick=False) as clock:
        ask_for_code(client, member.email)
        clock.shift(timedelta(minutes=minutes))
        enter_code(client, newest_code())
        assert (signed_in_as(client) is not None) is alive


@pytest.mark.parametrize(("minutes", "alive"), [(9.9, True), (10.1, False)])
def test_code_of_a_password_reset_lives_ten_minutes(client, member, newest_code, minutes, alive):
    with time_machine.travel(NOW, tick=False) as clock:
        client.post("/accounts/password/reset/", {"email": member.email})
        clock.shift(timedelta(minutes=minutes))
        client.post("/accounts/password/reset/confirm/", {"code": newest_code()})
        assert (client.get("/accounts/password/reset/complete/").status_code == 200) is alive


def test_every_code_of_allauth_lives_ten_minutes():
    assert {
        app_settings.LOGIN_BY_CODE_TIMEOUT,
        app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
        app_settings.PASSWORD_RESET_BY_CODE_TIMEOUT,
        app_settings.PHONE_VERIFICATION_TIMEOUT,
    } == {600}


@pytest.mark.parametrize("contact", ["member@example.com", "0912345678"])
def test_three_wrong_tries_end_a_code_on_a_page(client, member, newest_code, newest_sms_code, contact):
    ask_for_code(client, contact)
    code = newest_code() if "@" in contact else newest_sms_code()
    for _ in range(3):
        enter_code(client, other_code(code))
    enter_code(client, code)
    assert signed_in_as(client) is None


@pytest.mark.parametrize("contact", [{"email": "member@example.com"}, {"phone": PHONE}])
def test_three_wrong_tries_end_a_code_in_an_app(member, newest_code, newest_sms_code, contact):
    app = App()
    app.send("POST", f"{APP}/auth/code/request", contact)
    code = newest_code() if "email" in contact else newest_sms_code()
    for _ in range(3):
        app.send("POST", f"{APP}/auth/code/confirm", {"code": other_code(code)})
    assert app.send("POST", f"{APP}/auth/code/confirm", {"code": code}).status_code in (401, 409)


def test_three_wrong_tries_end_the_code_of_a_password_reset(client, member, newest_code):
    client.post("/accounts/password/reset/", {"email": member.email})
    code = newest_code()
    for typed in [*[other_code(code)] * 3, code]:
        client.post("/accounts/password/reset/confirm/", {"code": typed})
    assert client.get("/accounts/password/reset/complete/").status_code != 200


def test_app_resets_a_password_by_code(member, newest_code):
    """The one process that is asked for the same code twice: once to look, once to change."""
    app = App()
    app.send("POST", f"{APP}/auth/password/request", {"email": member.email})
    code = newest_code()
    assert (
        app.send("POST", f"{APP}/auth/password/reset", {"key": other_code(code), "password": "new-long-phrase-1"})
    ).status_code == 400
    app.send("POST", f"{APP}/auth/password/reset", {"key": code, "password": "new-long-phrase-1"})
    member.refresh_from_db()
    assert member.check_password("new-long-phrase-1")
    again = app.send("POST", f"{APP}/auth/password/reset", {"key": code, "password": "new-long-phrase-2"})
    assert again.status_code in (401, 409)


def test_sms_of_a_stranger_carries_no_code(client):
    ask_for_code(client, "0987654321")
    assert not re.search(r"\d{6}", sms.outbox[-1].text.replace("0987654321", ""))
