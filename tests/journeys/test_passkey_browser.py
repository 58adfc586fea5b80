"""A passkey as a shopper gets and uses one: in Chromium, on a phone, with an authenticator of the browser's own."""

import os
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.accounts.conftest import PASSWORD
from tests.accounts.second_factors import with_password
from tests.admin_contract import show_second_factor
from tests.journeys.test_errand_browser import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("SCREENSHOTS")
"""A folder, for somebody who wants to look at the pages."""
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Phone:
    """A page on a phone that can keep passkeys; what the browser complains about is kept."""

    def __init__(self, page: Page, live_url: str) -> None:
        self.page = page
        # Passkeys belong to a name: at 127.0.0.1 the browser makes none.
        self.base = live_url.replace("127.0.0.1", "localhost")
        self.by_number = self.base.replace("localhost", "127.0.0.1")
        self.complaints: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.authenticator = page.context.new_cdp_session(page)
        self.authenticator.send("WebAuthn.enable")
        made = self.authenticator.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        self.authenticator_id = made["authenticatorId"]

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self, member: User) -> None:
        """With a session made here, as if by a code a moment ago."""
        client = Client()
        client.force_login(member)
        show_second_factor(client, member)
        self.page.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.base}]
        )

    def overflow(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def phone(chromium, live_server, settings) -> Iterator[Phone]:
    settings.ALLOWED_HOSTS = ["*"]
    context = chromium.new_context(viewport=PHONE, locale="en-US")
    context.set_default_timeout(10_000)
    phone = Phone(context.new_page(), live_server.url)
    yield phone
    context.close()
    assert phone.complaints == []


@pytest.fixture
def member() -> User:
    return with_password(name="Lin Mei", email="mei@example.com", language="en")


def add_passkey(phone: Phone, member: User) -> None:
    phone.sign_in(member)
    phone.open("/accounts/2fa/")
    phone.page.get_by_role("link", name="Add a passkey").click()
    phone.page.get_by_role("button", name="Add this device").click()
    expect(phone.page.get_by_text("The passkey is added.")).to_be_visible()


def test_a_member_adds_a_passkey_and_next_time_signs_in_with_one_tap(phone, member):
    add_passkey(phone, member)
    expect(phone.page.get_by_role("heading", name="Chrome on Linux")).to_be_visible()
    phone.page.context.clear_cookies()
    phone.open("/accounts/login/?next=/members/")
    assert phone.overflow() == 0
    if SHOTS:
        phone.page.screenshot(path=f"{SHOTS}/login.png", full_page=True)
    phone.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(phone.page.get_by_role("heading", name="Lin Mei")).to_be_visible()
    assert Authenticator.objects.get(user=member, type="webauthn").last_used_at


def test_a_phone_that_says_no_is_answered_kindly(phone, member):
    add_passkey(phone, member)
    phone.page.context.clear_cookies()
    wanted = {"authenticatorId": phone.authenticator_id, "isUserVerified": False}
    phone.authenticator.send("WebAuthn.setUserVerified", wanted)
    phone.open("/accounts/login/")
    phone.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(phone.page.get_by_text("That did not work.")).to_be_visible()


def test_staff_open_the_admin_with_a_passkey(phone):
    staff = with_password(name="Staff", email="staff@example.com", is_staff=True, is_superuser=True, language="en")
    add_passkey_of_staff(phone, staff)
    phone.page.context.clear_cookies()
    phone.open("/admin/")
    phone.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(phone.page.get_by_role("heading", name="Shop and customers")).to_be_visible()


def test_staff_with_a_password_show_their_passkey_as_the_second_step(phone):
    staff = with_password(name="Staff", email="staff@example.com", is_staff=True, is_superuser=True, language="en")
    add_passkey_of_staff(phone, staff)
    phone.page.context.clear_cookies()
    phone.open("/admin/")
    phone.page.get_by_text("Sign in with a password").click()
    phone.page.locator("input[name=login]").fill(staff.email)
    phone.page.locator("input[name=password]").fill(PASSWORD)
    phone.page.keyboard.press("Enter")
    expect(phone.page.get_by_role("heading", name="One more step")).to_be_visible()
    assert phone.overflow() == 0
    if SHOTS:
        phone.page.screenshot(path=f"{SHOTS}/authenticate.png", full_page=True)
    phone.page.get_by_role("button", name="Use a passkey").click()
    expect(phone.page.get_by_role("heading", name="Shop and customers")).to_be_visible()


def add_passkey_of_staff(phone: Phone, staff: User) -> None:
    phone.sign_in(staff)
    phone.open("/accounts/2fa/webauthn/add/")
    phone.page.get_by_role("button", name="Add this device").click()
    expect(phone.page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def test_at_an_address_of_numbers_no_passkey_is_offered(phone, member):
    phone.page.goto(phone.by_number + "/accounts/login/")
    expect(phone.page.get_by_role("button", name="Send me a code")).to_be_visible()
    expect(phone.page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_nothing_is_wider_than_the_phone_and_nothing_to_tap_is_small(phone, member, language):
    add_passkey(phone, member)
    User.objects.update(language=language)
    row = Authenticator.objects.get(type="webauthn").pk
    for address in (
        "/accounts/2fa/",
        "/accounts/2fa/webauthn/add/",
        f"/accounts/2fa/webauthn/keys/{row}/edit/",
        f"/accounts/2fa/webauthn/keys/{row}/remove/",
        "/accounts/2fa/webauthn/reauthenticate/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
        "/members/devices/",
        "/members/sign-in-again/",
    ):
        phone.open(address)
        assert phone.overflow() == 0, address
        small = phone.page.evaluate(
            """[...document.querySelectorAll('main :is(a, button, summary, input:not([type=hidden]))')]
            .filter(e => e.checkVisibility() && !e.classList.contains('vh') && e.getBoundingClientRect().height < 44)
            .map(e => e.outerHTML.slice(0, 80))"""
        )
        assert small == [], address
        if SHOTS:
            name = address.strip("/").replace("/", "-")
            phone.page.screenshot(path=f"{SHOTS}/{name}-{language}.png", full_page=True)
