"""A mobile client signs in under /_allauth/app/v1/ and calls the REST with the session token."""

import json

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import members
from accounts.models import User
from notify.channels import sms
from tests.accounts.conftest import PASSWORD, other_code
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
APP = "/_allauth/app/v1"
PHONE = "+886912345678"


class App:
    """No cookies, JSON in and out, the token kept as a client keeps it."""

    def __init__(self) -> None:
        self.token = ""

    def send(self, method: str, path: str, body: dict | None = None):
        client = Client(enforce_csrf_checks=True)
        headers = {"X-Session-Token": self.token} if self.token else {}
        response = client.generic(
            method,
            path,
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers=headers,
        )
        if response.headers["Content-Type"].startswith("application/json") and response.content:
            answer = response.json()
            if isinstance(answer, dict):
                self.token = answer.get("meta", {}).get("session_token", self.token)
        return response


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="member@example.com", phone=PHONE)
    member.set_password(PASSWORD)
    member.save()
    return members.claim(member=member, email=member.email, at=timezone.now())


def pending(response) -> list[str]:
    return [flow["id"] for flow in response.json()["data"]["flows"] if flow.get("is_pending")]


def test_app_signs_in_by_code_reads_me_and_signs_out(app, member, newest_code):
    asked = app.send("POST", f"{APP}/auth/code/request", {"email": "Member@example.com"})
    assert asked.status_code == 401
    assert pending(asked) == ["login_by_code"]
    entered = app.send("POST", f"{APP}/auth/code/confirm", {"code": newest_code()})
    assert entered.status_code == 200
    assert entered.json()["meta"]["is_authenticated"]
    assert app.send("GET", "/api/v1/me/").json()["member_no"] == member.member_no
    assert app.send("DELETE", f"{APP}/auth/session").status_code == 401
    assert app.send("GET", "/api/v1/me/").status_code == 401


def test_app_token_before_the_code_opens_nothing(app, member):
    app.send("POST", f"{APP}/auth/code/request", {"email": member.email})
    assert app.token
    assert app.send("GET", "/api/v1/me/").status_code == 401


@pytest.mark.parametrize("who", [{"email": "member@example.com"}, {"phone": PHONE}])
def test_app_signs_in_by_password(app, member, who):
    assert app.send("POST", f"{APP}/auth/login", {**who, "password": PASSWORD}).status_code == 200
    assert app.send("GET", "/api/v1/me/").json()["email"] == member.email


def test_app_with_a_wrong_password(app, member):
    assert app.send("POST", f"{APP}/auth/login", {"email": member.email, "password": "x"}).status_code == 400
    assert app.send("GET", "/api/v1/me/").status_code == 401


@pytest.mark.parametrize("contact", [{"email": "new@example.com"}, {"phone": "0912 345 678"}, {"phone": PHONE}])
def test_app_joins(app, newest_code, newest_sms_code, contact):
    joined = app.send("POST", f"{APP}/auth/signup", {"name": "New", **contact})
    assert joined.status_code == 401
    assert pending(joined) == ["login_by_code"]
    code = newest_code() if "email" in contact else newest_sms_code()
    assert app.send("POST", f"{APP}/auth/code/confirm", {"code": code}).status_code == 200
    me = app.send("GET", "/api/v1/me/").json()
    by_email = "email" in contact
    assert (me["name"], me["email"], me["phone"]) == ("New", *(("new@example.com", "") if by_email else ("", PHONE)))
    assert User.objects.get().claimed_at is not None


@pytest.mark.parametrize("path", ["auth/signup", "auth/code/request"])
@pytest.mark.parametrize("contact", [{}, {"email": "new@example.com", "phone": PHONE}, {"email": None, "phone": ""}])
def test_app_gives_one_contact(app, path, contact):
    response = app.send("POST", f"{APP}/{path}", {"name": "New", **contact})
    assert response.status_code == 400
    assert [error["code"] for error in response.json()["errors"]] == ["one_contact"]
    assert not User.objects.exists()


@pytest.mark.parametrize(("contact", "param"), [({"email": "new@"}, "email"), ({"phone": "12"}, "phone")])
@pytest.mark.parametrize("path", ["auth/signup", "auth/code/request"])
def test_app_is_told_which_contact_is_wrong(app, path, contact, param):
    response = app.send("POST", f"{APP}/{path}", {"name": "New", **contact})
    assert response.status_code == 400
    assert [error["param"] for error in response.json()["errors"]] == [param]


def test_app_joins_with_a_name(app):
    response = app.send("POST", f"{APP}/auth/signup", {"phone": PHONE})
    assert [error["param"] for error in response.json()["errors"]] == ["name"]


def test_app_joins_with_the_phone_of_an_unclaimed_member(app, imported, newest_sms_code):
    User.objects.update(phone=PHONE)
    app.send("POST", f"{APP}/auth/signup", {"phone": PHONE, "name": "Mei"})
    app.send("POST", f"{APP}/auth/code/confirm", {"code": newest_sms_code()})
    assert app.send("GET", "/api/v1/me/").json()["member_no"] == "M-0001"
    assert User.objects.count() == 1


def test_app_signs_in_by_sms(app, member, newest_sms_code):
    asked = app.send("POST", f"{APP}/auth/code/request", {"phone": PHONE})
    assert asked.status_code == 401
    assert pending(asked) == ["login_by_code"]
    assert app.send("POST", f"{APP}/auth/code/resend").status_code == 200
    assert len(sms.outbox) == 2
    assert app.send("POST", f"{APP}/auth/code/confirm", {"code": newest_sms_code()}).status_code == 200
    assert app.send("GET", "/api/v1/me/").json()["member_no"] == member.member_no


@pytest.mark.parametrize("contact", [{"phone": PHONE}, {"phone": "+886987654321"}, {"email": "stranger@example.com"}])
def test_app_may_ask_for_another_code_whoever_it_is(member, contact):
    app = App()
    app.send("POST", f"{APP}/auth/code/request", contact)
    again = [app.send("POST", f"{APP}/auth/code/resend") for _ in range(2)]
    assert [answer.status_code for answer in again] == [200, 200]


def test_app_whose_phone_changed_meanwhile_begins_again(app, member, newest_sms_code):
    app.send("POST", f"{APP}/auth/code/request", {"phone": PHONE})
    User.objects.update(phone="+886911111111")
    entered = app.send("POST", f"{APP}/auth/code/confirm", {"code": newest_sms_code()})
    assert entered.status_code == 401
    assert pending(entered) == []
    assert app.send("GET", "/api/v1/me/").status_code == 401


@pytest.mark.parametrize("path", ["auth/signup", "auth/code/request"])
@pytest.mark.parametrize("phone", [PHONE, "+886987654321"])
def test_app_is_told_to_come_back_when_the_gateway_is_down(app, member, settings, path, phone):
    settings.SMS_URL = "http://127.0.0.1:9/"  # nobody listens on the port of discard
    response = app.send("POST", f"{APP}/{path}", {"phone": phone, "name": "N"})
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert [error["code"] for error in response.json()["errors"]] == ["not_sent"]


def test_app_joining_over_the_limit(settings):
    """allauth's own view would answer as if the code were on its way."""
    for _ in range(3):
        App().send("POST", f"{APP}/auth/signup", {"phone": PHONE, "name": "N"})
    response = App().send("POST", f"{APP}/auth/signup", {"phone": PHONE, "name": "N"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 60


def test_app_joins_with_the_email_of_an_unclaimed_member(app, imported, newest_code):
    app.send("POST", f"{APP}/auth/signup", {"email": imported.email, "name": "Mei"})
    app.send("POST", f"{APP}/auth/code/confirm", {"code": newest_code()})
    assert app.send("GET", "/api/v1/me/").json()["member_no"] == "M-0001"
    assert User.objects.count() == 1


def test_app_claims_by_code(app, imported, newest_code):
    app.send("POST", f"{APP}/auth/code/request", {"email": imported.email})
    app.send("POST", f"{APP}/auth/code/confirm", {"code": newest_code()})
    imported.refresh_from_db()
    assert imported.claimed_at is not None


def test_app_with_a_wrong_code(app, member, newest_code):
    app.send("POST", f"{APP}/auth/code/request", {"email": member.email})
    assert app.send("POST", f"{APP}/auth/code/confirm", {"code": other_code(newest_code())}).status_code == 400
    assert app.send("GET", "/api/v1/me/").status_code == 401


@pytest.mark.parametrize("path", ["auth/code/request", "auth/signup", "auth/password/request"])
@pytest.mark.parametrize("contact", ["email", "phone"])
@pytest.mark.parametrize(
    "given", [{}, {"claimed_at": None}, {"is_active": False}], ids=["claimed", "imported", "closed"]
)
def test_app_answers_are_the_same_for_members_and_strangers(path, contact, given):
    known = MemberFactory(email="known@example.com", phone=PHONE, **given)
    stranger = {"email": "stranger@example.com", "phone": "+886987654321"}[contact]

    def answers(value: str) -> list[tuple[int, dict, int]]:
        app, before = App(), len(mail.outbox) + len(sms.outbox)
        seen = []
        for response in (
            app.send("POST", f"{APP}/{path}", {contact: value, "name": "N"}),
            app.send("POST", f"{APP}/auth/code/confirm", {"code": "000000"}),
            app.send("POST", f"{APP}/auth/password/reset", {"key": "000000", "password": PASSWORD}),
        ):
            body = response.json()
            body.get("meta", {}).pop("session_token", None)
            seen.append((response.status_code, body, len(mail.outbox) + len(sms.outbox) - before))
        return seen

    assert answers(getattr(known, contact)) == answers(stranger)


@pytest.mark.parametrize("phone", [PHONE, "+886987654321"])
@pytest.mark.parametrize("path", ["auth/code/request", "auth/signup"])
def test_app_is_told_where_there_are_no_codes_by_sms(app, member, settings, path, phone):
    settings.SMS_URL = ""
    response = app.send("POST", f"{APP}/{path}", {"phone": phone, "name": "N"})
    assert response.status_code == 400
    assert [error["code"] for error in response.json()["errors"]] == ["no_sms"]


@pytest.mark.parametrize("email", ["member@example.com", "stranger@example.com"])
def test_app_code_requests_over_the_limit(member, email):
    for _ in range(3):
        assert App().send("POST", f"{APP}/auth/code/request", {"email": email}).status_code == 401
    response = App().send("POST", f"{APP}/auth/code/request", {"email": email})
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"


def test_app_password_tries_over_the_limit(member):
    for _ in range(5):
        App().send("POST", f"{APP}/auth/login", {"email": member.email, "password": "x"})
    response = App().send("POST", f"{APP}/auth/login", {"email": member.email, "password": PASSWORD})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) == 300


def test_app_with_an_unknown_token(app):
    app.token = "made-up"
    response = app.send("GET", "/api/v1/me/")
    assert response.status_code == 401
    assert "X-Session-Token" in response.headers["WWW-Authenticate"]


def test_app_of_a_member_closed_meanwhile(app, member):
    app.send("POST", f"{APP}/auth/login", {"email": member.email, "password": PASSWORD})
    User.objects.update(is_active=False)
    assert app.send("GET", "/api/v1/me/").status_code == 401
