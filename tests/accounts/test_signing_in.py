"""Signing in with a password, and what the doors tell strangers: nothing."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from accounts import members
from accounts.models import User
from tests.accounts.conftest import PASSWORD, ask_for_code, enter_code, join, other_code, signed_in_as
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> User:
    member = MemberFactory(email="member@example.com", phone="+886912345678")
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


def test_code_cannot_be_asked_for_by_phone(client, member, mailoutbox):
    response = client.post("/accounts/login/code/", {"phone": "+886912345678"})
    assert response.status_code == 200
    assert "phone" not in response.context["form"].fields
    assert not mailoutbox


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


# ---------------------------------------------------------------- who is a member is nobody's business


def _story(client: Client, start, email: str) -> list[tuple[int, str, str]]:
    """What a stranger sees from the first form to the last wrong code: status, address, words."""
    seen = []
    response = start(client, email)
    for code in ["123123", "123123", "123123"]:
        seen.append((response.status_code, response.get("Location", ""), _words(response.text, email)))
        page = client.get("/accounts/login/code/confirm/")
        seen.append((page.status_code, page.get("Location", ""), _words(page.text, email)))
        response = enter_code(client, code)
    seen.append((response.status_code, response.get("Location", ""), _words(response.text, email)))
    return seen


def _words(page: str, email: str) -> str:
    page = page.replace(email, "EMAIL")
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


@pytest.mark.parametrize("start", [ask_for_code, join], ids=["code", "join"])
@pytest.mark.parametrize("kind", ["claimed", "imported", "closed"])
def test_pages_are_the_same_for_members_and_strangers(start, kind, member, imported, monkeypatch):
    monkeypatch.setattr("accounts.adapter.AccountAdapter.generate_login_code", lambda self: "999999")
    closed = MemberFactory(is_active=False, email="closed@example.com")
    known = {"claimed": member.email, "imported": imported.email, "closed": closed.email}[kind]
    assert _story(Client(), start, known) == _story(Client(), start, "stranger@example.com")


def test_password_reset_is_the_same_for_members_and_strangers(member):
    def story(email: str) -> list[tuple[int, str, str]]:
        client = Client()
        first = client.post("/accounts/password/reset/", {"email": email})
        page = client.get("/accounts/password/reset/confirm/")
        wrong = client.post("/accounts/password/reset/confirm/", {"code": other_code("999999")})
        return [(r.status_code, r.get("Location", ""), _words(r.text, email)) for r in (first, page, wrong)]

    assert story(member.email) == story("stranger@example.com")


def test_stranger_is_told_by_mail_only(client, mailoutbox):
    ask_for_code(client, "stranger@example.com")
    assert mailoutbox[0].to == ["stranger@example.com"]
    assert "no membership" in mailoutbox[0].body
    assert not re.search(r"\d{6}", mailoutbox[0].body)


def test_mail_links_come_from_the_settings_not_the_request(client, mailoutbox, settings):
    settings.SITE_URL = "https://shop.example"
    client.post("/accounts/login/code/", {"email": "stranger@example.com"}, headers={"host": "evil.example"})
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
        client.post("/accounts/signup/", {"email": "new@example.com", "name": "N", "next": elsewhere})
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
        assert response.url == "/members/"
