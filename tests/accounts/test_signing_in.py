"""Signing in with a password or a code, and what the doors tell strangers: nothing."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts import members
from accounts.models import User
from accounts.phones import for_people
from notify.channels import sms
from notify.models import Message
from tests.accounts.conftest import PASSWORD, ask_for_code, enter_code, join, other_code, signed_in_as
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
PHONE = "+886912345678"


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="member@example.com", phone=PHONE)
    member.set_password(PASSWORD)
    member.save()
    return members.claim(member=member, email=member.email, at=timezone.now())


def sign_in(client: Client, login: str, password: str = PASSWORD, next_url: str = "/"):
    return client.post("/accounts/login/", {"login": login, "password": password, "next": next_url})


@pytest.mark.parametrize(
    "login", ["member@example.com", "MEMBER@example.com", "0912345678", "0912-345 678", "+886 912 345 678"]
)
def test_sign_in_with_password(client, member, login):
    assert sign_in(client, login).url == "/"
    assert signed_in_as(client) == str(member.pk)


@pytest.mark.parametrize("login", ["member@example.com", "0912345678", "nobody@example.com", "0987654321", "M-1"])
def test_sign_in_with_a_wrong_password_tells_one_thing(client, member, login):
    response = sign_in(client, login, "wrong")
    assert response.status_code == 200
    assert "do not belong together" in response.text
    assert signed_in_as(client) is None


def test_sign_in_closed_member(client, member):
    User.objects.update(is_active=False)
    assert sign_in(client, member.email).url == "/accounts/inactive/"
    assert signed_in_as(client) is None


def test_sign_in_unclaimed_member_has_no_password_to_guess(client, imported):
    for guess in ["", "!", imported.password]:
        sign_in(client, imported.email, guess)
        assert signed_in_as(client) is None


def test_sign_in_failures_by_phone_are_counted_for_each_phone(client, member):
    for _ in range(5):
        sign_in(client, "0987654321", "wrong")
    assert "Too many tries" in sign_in(client, "0987654321", "wrong").text
    sign_in(client, "0912345678")
    assert signed_in_as(client) == str(member.pk)


def test_sign_in_failures_are_limited_however_the_phone_is_written(client, member):
    for typed in ["0912345678", "0912 345 678", "+886912345678", "0912-345-678", "+886 912345678"]:
        sign_in(client, typed, "wrong")
    assert "Too many tries" in sign_in(client, "0912345678").text


def test_sign_in_staff_without_verified_email_proves_it_first(client, newest_code):
    staff = User.objects.create_superuser("boss@example.com", PASSWORD)
    sign_in(client, staff.email)
    assert signed_in_as(client) is None
    client.post("/accounts/confirm-email/", {"code": newest_code(), "next": "/"})
    staff.refresh_from_db()
    assert signed_in_as(client) == str(staff.pk)
    assert staff.claimed_at is not None


def test_code_is_six_digits(client, member, newest_code):
    ask_for_code(client, member.email)
    assert re.fullmatch(r"\d{6}", newest_code())


def test_code_may_be_typed_with_a_space(client, member, newest_code):
    ask_for_code(client, member.email)
    code = newest_code()
    enter_code(client, f"{code[:3]} {code[3:]}")
    assert signed_in_as(client) == str(member.pk)


@pytest.mark.parametrize("typed", ["0912345678", " 0912-345 678", "+886 912 345 678"])
def test_sign_in_by_sms(client, member, newest_sms_code, mailoutbox, typed):
    response = ask_for_code(client, typed)
    assert response.url == "/accounts/login/code/confirm/"
    assert "0912 345 678" in client.get(response.url).text
    enter_code(client, newest_sms_code())
    assert signed_in_as(client) == str(member.pk)
    assert not mailoutbox


@pytest.mark.parametrize("start", [ask_for_code, join])
def test_who_goes_back_to_mend_the_contact_gets_a_code_to_the_right_one(client, member, newest_sms_code, start):
    start(client, "0987654321")
    start(client, PHONE)
    assert [text.recipient for text in sms.outbox] == ["+886987654321", PHONE]
    enter_code(client, newest_sms_code())
    assert signed_in_as(client) == str(member.pk)


@pytest.mark.parametrize("start", [ask_for_code, join])
def test_a_second_tap_on_the_button_sends_no_second_code(client, start):
    for typed in ["0912345678", "0912 345 678"]:
        assert start(client, typed).url.startswith("/accounts/login/code/confirm/")
    assert len(sms.outbox) == 1


def test_who_remembers_the_password_after_all_may_use_it(client, member):
    ask_for_code(client, PHONE)
    assert sign_in(client, PHONE).url == "/"
    assert signed_in_as(client) == str(member.pk)


def test_another_code_by_sms_replaces_the_older(client, member, newest_sms_code):
    ask_for_code(client, PHONE)
    older = newest_sms_code()
    client.post("/accounts/login/code/confirm/", {"action": "resend"})
    assert len(sms.outbox) == 2
    if older != newest_sms_code():
        enter_code(client, older)
        assert signed_in_as(client) is None
    enter_code(client, newest_sms_code())
    assert signed_in_as(client) == str(member.pk)


def test_sms_is_in_the_members_language(client, member, newest_sms_code, settings):
    User.objects.update(language="zh-hant")
    ask_for_code(client, PHONE)
    words = "%(code)s is your code for %(site_name)s, good for ten minutes. Never tell it to anybody."
    with translation.override("zh-hant"):
        expected = gettext(words) % {"code": newest_sms_code(), "site_name": settings.SITE_NAME}
    assert sms.outbox[-1].text.startswith(expected)


@pytest.mark.parametrize("typed", ["", "mei", "12345", "a@b", "0912 345"])
def test_code_request_says_what_is_wrong(client, typed, mailoutbox):
    response = ask_for_code(client, typed)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["contact"]
    assert not mailoutbox
    assert not sms.outbox


def test_member_who_joined_by_phone_signs_in_by_password(client, newest_sms_code):
    """No e-mail there is to prove."""
    join(client, PHONE)
    enter_code(client, newest_sms_code())
    member = User.objects.get()
    member.set_password(PASSWORD)
    member.save()
    other = Client()
    assert sign_in(other, "0912345678").url == "/"
    assert signed_in_as(other) == str(member.pk)


@pytest.mark.parametrize("start", [ask_for_code, join])
@pytest.mark.parametrize("contact", [PHONE, "0987654321"])
def test_gateway_that_is_down_is_told_alike_to_members_and_strangers(member, settings, start, contact):
    settings.SMS_URL = "http://127.0.0.1:9/"  # nobody listens on the port of discard
    client = Client()
    response = start(client, contact)
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert "could not send the code" in response.text
    assert client.get("/accounts/login/code/confirm/").status_code == 302


@pytest.mark.parametrize("start", [ask_for_code, join])
@pytest.mark.parametrize("contact", ["member@example.com", "stranger@example.com"])
def test_mail_server_that_is_down_is_told_alike_to_members_and_strangers(member, monkeypatch, start, contact):
    def down(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    assert start(Client(), contact).status_code == 503


def test_code_by_sms_where_there_are_no_sms(client, member, settings):
    settings.SMS_URL = ""
    assert "Phone" not in client.get("/accounts/login/").context["form"].code_form.as_p()
    assert "cannot send codes by SMS" in ask_for_code(client, PHONE).text


def test_code_requests_are_limited(client, member, mailoutbox):
    for _ in range(4):
        response = ask_for_code(Client(), member.email)
    assert "Too many tries" in response.text
    assert len(mailoutbox) == 3


def test_sign_in_by_code_keeps_a_second_verified_address(client, member, newest_code):
    EmailAddress.objects.create(user=member, email="second@example.com", verified=True)
    ask_for_code(client, "second@example.com")
    enter_code(client, newest_code())
    member.refresh_from_db()
    assert signed_in_as(client) == str(member.pk)
    assert member.email == "member@example.com"


# ---------------------------------------------------------------- a password of one's own


def choose_password(client: Client, new: str, **more: str):
    return client.post("/accounts/password/change/", {"password1": new, "password2": new, **more})


def test_who_forgot_the_password_comes_by_code_and_chooses_another(client, member, newest_sms_code):
    ask_for_code(client, PHONE)
    enter_code(client, newest_sms_code())
    assert "oldpassword" not in client.get("/accounts/password/change/").text
    choose_password(client, "another-long-phrase")
    other = Client()
    sign_in(other, member.email, "another-long-phrase")
    assert signed_in_as(other) == str(member.pk)
    (news,) = Message.objects.all()
    assert (news.recipient, news.subject) == (member.email, "Your account at My List has a new password")


def test_later_the_old_password_is_asked_for(client, member, newest_sms_code):
    with time_machine.travel("2026-11-18T04:00:00Z", tick=False) as clock:
        ask_for_code(client, PHONE)
        enter_code(client, newest_sms_code())
        clock.shift(timedelta(minutes=16))
        assert "oldpassword" in client.get("/accounts/password/change/").text
        choose_password(client, "another-long-phrase")
        member.refresh_from_db()
        assert member.check_password(PASSWORD)
        choose_password(client, "another-long-phrase", oldpassword=PASSWORD)
        member.refresh_from_db()
        assert member.check_password("another-long-phrase")


def test_set_and_reset_passwords_are_told_of(client, member, newest_code):
    client.post("/accounts/password/reset/", {"email": member.email})
    client.post("/accounts/password/reset/confirm/", {"code": newest_code()})
    client.post(
        "/accounts/password/reset/complete/", {"password1": "a-third-long-phrase", "password2": "a-third-long-phrase"}
    )
    User.objects.update(password="")
    client.force_login(User.objects.get())
    client.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    assert Message.objects.count() == 2


# ---------------------------------------------------------------- who is a member is nobody's business


def _story(client: Client, start, contact: str) -> list[tuple[int, str, str, int]]:
    """What a stranger sees from the first form to the last wrong code: status, address, words, messages sent."""
    before = len(mail.outbox) + len(sms.outbox)
    seen = []

    def note(response) -> None:
        sent = len(mail.outbox) + len(sms.outbox) - before
        seen.append((response.status_code, response.get("Location", ""), _words(response.text, contact), sent))

    response = start(client, contact)
    for code in ["123123", "123123", "123123"]:
        note(response)
        note(client.get("/accounts/login/code/confirm/"))
        response = enter_code(client, code)
    note(response)
    return seen


def _words(page: str, contact: str) -> str:
    page = page.replace(contact, "CONTACT").replace(for_people(contact), "CONTACT")
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


@pytest.mark.parametrize("start", [ask_for_code, join], ids=["code", "join"])
@pytest.mark.parametrize("kind", ["claimed", "imported", "closed", "joining"])
@pytest.mark.parametrize("contact", ["email", "phone"])
def test_pages_are_the_same_for_members_and_strangers(start, kind, contact, monkeypatch):
    monkeypatch.setattr("accounts.adapter.AccountAdapter.generate_login_code", lambda self: "999999")
    given = {
        "claimed": {},
        "imported": {"claimed_at": None, "language": "zh-hant"},
        "closed": {"is_active": False},
        "joining": {"claimed_at": None, "phone" if contact == "email" else "email": ""},
    }[kind]
    known = MemberFactory(**{"email": "known@example.com", "phone": PHONE, **given})
    stranger = {"email": "stranger@example.com", "phone": "+886987654321"}[contact]
    seen = _story(Client(), start, getattr(known, contact))
    assert seen == _story(Client(), start, stranger)
    assert seen[0][-1] == 1  # one message, whoever it is


@pytest.mark.parametrize("contact", ["email", "phone"])
def test_another_code_is_answered_alike_to_members_and_strangers(member, contact):
    stranger = {"email": "stranger@example.com", "phone": "+886987654321"}[contact]

    def story(contact: str) -> list[tuple[int, str, str]]:
        client = Client()
        ask_for_code(client, contact)
        again = client.post("/accounts/login/code/confirm/", {"action": "resend"})
        page = client.get("/accounts/login/code/confirm/")
        return [(r.status_code, r.get("Location", ""), _words(r.text, contact)) for r in (again, page)]

    assert story(getattr(member, contact)) == story(stranger)


@pytest.mark.parametrize("kind", ["claimed", "imported", "closed"])
def test_password_reset_is_the_same_for_members_and_strangers(kind, mailoutbox):
    given = {"claimed": {}, "imported": {"claimed_at": None}, "closed": {"is_active": False}}[kind]
    known = MemberFactory(**given)

    def story(email: str) -> list[tuple[int, str, str]]:
        client = Client()
        mailoutbox.clear()
        first = client.post("/accounts/password/reset/", {"email": email})
        assert len(mailoutbox) == 1
        page = client.get("/accounts/password/reset/confirm/")
        wrong = client.post("/accounts/password/reset/confirm/", {"code": other_code("999999")})
        return [(r.status_code, r.get("Location", ""), _words(r.text, email)) for r in (first, page, wrong)]

    assert story(known.email) == story("stranger@example.com")


def test_stranger_is_told_by_mail_only(client, mailoutbox):
    ask_for_code(client, "stranger@example.com")
    assert mailoutbox[0].to == ["stranger@example.com"]
    assert "no membership" in mailoutbox[0].body
    assert not re.search(r"\d{6}", mailoutbox[0].body)


def test_mail_links_come_from_the_settings_not_the_request(client, mailoutbox, settings):
    settings.SITE_URL = "https://shop.example"
    client.post("/accounts/login/code/", {"contact": "stranger@example.com"}, headers={"host": "evil.example"})
    assert "https://shop.example/accounts/signup/" in mailoutbox[0].body
    assert "evil.example" not in mailoutbox[0].body


# ---------------------------------------------------------------- no way out


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil"])
class TestOpenRedirect:
    @pytest.fixture(autouse=True)
    def _known_home(self, settings):
        settings.LOGIN_REDIRECT_URL = "/home/"

    def test_password(self, client, member, elsewhere):
        assert sign_in(client, member.email, next_url=elsewhere).url == "/home/"

    def test_code(self, client, member, newest_code, elsewhere):
        response = ask_for_code(client, member.email, elsewhere)
        assert "evil" not in response.url
        assert enter_code(client, newest_code(), elsewhere).url == "/home/"

    def test_join(self, client, newest_code, elsewhere):
        client.post("/accounts/signup/", {"contact": "new@example.com", "name": "N", "next": elsewhere})
        assert enter_code(client, newest_code(), elsewhere).url == "/home/"

    def test_logout(self, client, member, elsewhere):
        client.force_login(member)
        assert "evil" not in client.post("/accounts/logout/", {"next": elsewhere}).url

    def test_language(self, client, elsewhere):
        assert client.post("/members/language/", {"language": "en", "next": elsewhere}).url == "/"

    def test_address(self, client, member, elsewhere):
        client.force_login(member)
        form = {"recipient": "A", "phone": "0912345678", "country": "TW", "postal_code": "106", "city": "C"}
        response = client.post("/members/addresses/new/", {**form, "street": "S", "next": elsewhere})
        assert response.url.startswith("/members/")
