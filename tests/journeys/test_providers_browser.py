"""The way to a provider and back in Chromium, which follows our form to other sites only where our policy says so."""

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.test_errand_browser import PHONE
from tests.loopback.dance import configure
from tests.loopback.provider import serve

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def provider(settings, monkeypatch):
    with serve() as loopback:
        configure(settings, monkeypatch, loopback)
        yield loopback


def policy(settings, *form_action: str) -> None:
    directives = {**settings.CONTENT_SECURITY_POLICY["DIRECTIVES"], "form-action": ["'self'", *form_action]}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives}


@pytest.mark.parametrize("javascript", [True, False])
def test_one_tap_signs_in(chromium: Browser, live_server, settings, provider, javascript):
    policy(settings, provider.url)
    page = chromium.new_page(viewport=PHONE, locale="en", java_script_enabled=javascript)
    page.goto(f"{live_server.url}/accounts/login/?next=/members/")
    button = page.get_by_role("button", name="Continue with Acme")
    assert button.bounding_box()["height"] >= 44
    button.click()
    expect(page.get_by_role("heading", name="Mei Lin")).to_be_visible()
    assert page.url == f"{live_server.url}/members/"
    page.close()


def test_without_the_providers_origin_the_browser_refuses_to_go_there(
    chromium: Browser,
    live_server,
    settings,
    provider,
):
    policy(settings)
    page = chromium.new_page(viewport=PHONE, locale="en")
    page.goto(f"{live_server.url}/accounts/login/")
    with page.expect_console_message(lambda message: "form-action" in message.text):
        page.get_by_role("button", name="Continue with Acme").click()
    assert not provider.asked("oidc/authorize")
    page.close()
