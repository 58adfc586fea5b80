"""Through the door in Chromium, on a phone: a newcomer to a first order and a list, a customer back to a reorder."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from mylist.models import ListItem
from mylist.predictions import predict_members
from notify.channels import sms
from shop.models import Order
from shop.orders import settle
from tests.factories import OfferFactory
from tests.journeys.test_errand_browser import PHONE, Visit, shop  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Thumb:
    """Counts what a thumb has to hit; typing goes by the keyboard's own "next" key."""

    def __init__(self) -> None:
        self.taps = 0

    def tap(self, what: Locator) -> None:
        self.taps += 1
        what.tap()


@pytest.fixture
def visit(chromium, live_server, settings) -> Iterator[Visit]:
    settings.SITE_URL = live_server.url
    context = chromium.new_context(viewport=PHONE, locale="en-US", has_touch=True, is_mobile=True)
    context.set_default_timeout(10_000)
    visit = Visit(context.new_page(), live_server.url)
    yield visit
    context.close()
    assert visit.complaints == []


def fill_focused(page: Page, *texts: str) -> None:
    """Type into the field that has the focus already, and into those after it."""
    for number, text in enumerate(texts):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.type(text)


def test_newcomer_joins_by_name_and_phone_and_has_ordered_within_a_minute_and_eight_taps(visit, settings):
    offer = OfferFactory(price=320)
    settings.UNDO_WINDOW = timedelta(seconds=1)
    page, thumb, began = visit.page, Thumb(), time.monotonic()
    visit.open(reverse("shop:store", args=[offer.store.code]))
    thumb.tap(page.get_by_role("button", name="Add to basket"))
    thumb.tap(page.locator("#basket-link"))
    thumb.tap(page.get_by_role("link", name="Check out"))
    thumb.tap(page.get_by_role("link", name="Join"))
    expect(page.locator("input[name=name]")).to_be_focused()
    fill_focused(page, "Chen Wei", "0912 345 678")
    thumb.tap(page.get_by_role("button", name="Send me a code"))
    expect(page.locator("input[name=code]")).to_be_focused()
    page.keyboard.type(re.search(r"\d{6}", sms.outbox[-1].text).group())
    thumb.tap(page.get_by_role("button", name="Continue"))
    expect(page.get_by_label("Recipient")).to_have_value("Chen Wei")
    expect(page.get_by_label("Phone")).to_have_value("0912 345 678")
    page.get_by_label("Postal code").fill("106")
    page.get_by_label("City and district").fill("Da'an, Taipei")
    page.get_by_label("Street and number").fill("Heping E. Rd. 1")
    thumb.tap(page.get_by_role("button", name="Order for NT$320"))
    expect(page.get_by_role("heading", name="Order")).to_be_visible()
    assert thumb.taps <= 8
    assert time.monotonic() - began < 60

    member = User.objects.get()
    assert (member.name, member.phone, member.email) == ("Chen Wei", "+886912345678", "")
    assert Order.objects.get(member=member).payment_kind == "cash_on_delivery"
    later = timezone.now() + timedelta(seconds=2)
    settle(at=later)
    predict_members(member_ids=[member.pk], at=later)  # what the worker was told to do
    visit.open("/my-list/")
    expect(page.get_by_role("main")).to_contain_text(offer.product.name_en)
    assert ListItem.objects.get(member=member).product == offer.product


@pytest.mark.parametrize("contact", ["mei@example.com", "0911 222 333"])
def test_customer_comes_back_by_code_and_reorders_in_at_most_five_taps(visit, shop, contact):  # noqa: F811
    User.objects.filter(pk=shop.pk).update(phone="+886911222333")
    page, thumb = visit.page, Thumb()
    visit.open("/my-list/")
    thumb.tap(page.get_by_role("main").get_by_role("link", name="Sign in"))
    expect(page.locator("input[name=contact]")).to_be_focused()
    page.keyboard.type(contact)
    thumb.tap(page.get_by_role("button", name="Send me a code"))
    expect(page.locator("input[name=code]")).to_be_focused()
    newest = mail.outbox[-1].body if "@" in contact else sms.outbox[-1].text
    page.keyboard.type(re.search(r"\b\d{6}\b", newest).group())
    thumb.tap(page.get_by_role("button", name="Continue"))
    thumb.tap(page.get_by_role("button", name="Reorder all due · NT$1,320"))
    expect(page.locator("#undo-bars")).to_contain_text("NT$1,320")
    assert thumb.taps <= 5
    assert Order.objects.filter(member=shop).count() == 2
