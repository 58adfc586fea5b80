"""The errand as a shopper does it: in Chromium, on a phone, by keyboard, and without JavaScript."""

from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from accounts.models import User
from shop.demo.pictures import draw
from shop.models import Errand, Offer, Order, OrderLine
from tests.factories import (
    AddressFactory,
    ListItemFactory,
    MemberFactory,
    PaymentMethodFactory,
    ProductFactory,
    StoreFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct horse battery"
PHONE: ViewportSize = {"width": 390, "height": 844}
GOODS = [
    ("Oat soap", "燕麥皂", "soap-bar", "#c98f5b", 320, True),
    (
        "Lungo coffee capsules in a family box of sixty",
        "美式咖啡膠囊家庭號六十入",
        "capsule-box",
        "#8a5a44",
        1000,
        True,
    ),
    ("Baby wipes", "嬰兒濕巾", "wipes", "#6f9fb8", 149, False),
]


@pytest.fixture
def shop(settings):
    """A returning customer with two due items and one for later, in two stores, with pictures that can be fetched."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": files}
    member = MemberFactory(name="Lin Mei", email="mei@example.com", language="en")
    member.set_password(PASSWORD)
    member.save()
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    for number, (name_en, name_zh, shape, tint, price, due) in enumerate(GOODS):
        product = ProductFactory(name_en=name_en, name_zh=name_zh)
        product.picture.save(f"{shape}.svg", ContentFile(draw(shape, tint).encode()))
        store = StoreFactory(
            accent_light="#1d6b5f" if number else "#8a5a00", accent_dark="#6fcdb9" if number else "#f2b84b"
        )
        ListItemFactory(
            member=member,
            due=due,
            around=timezone.now(),
            offer__product=product,
            offer__store=store,
            offer__price=price,
        )
    return member


class Visit:
    """A page at the live server, and everything the browser complained about while it was open."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.complaints: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        # A 409 is an answer to be read; the browser logs every 4xx it fetches.
        if kind in ("error", "warning") and "409 (Conflict)" not in text:
            self.complaints.append(text)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("networkidle")

    def sign_in(self, member: User) -> None:
        """With a session made here: how signing in looks has a journey of its own."""
        client = Client()
        client.force_login(member)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.base}
        self.page.context.add_cookies([cookie])
        self.open("/my-list/")

    def overflow(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def visit(chromium, live_server, request, shop) -> Iterator[Visit]:
    """On a phone; `@pytest.mark.parametrize("visit", [{...}], indirect=True)` gives the browser other options."""
    context = chromium.new_context(**{"viewport": PHONE, "locale": "en-US", **getattr(request, "param", {})})
    context.set_default_timeout(10_000)
    visit = Visit(context.new_page(), live_server.url)
    yield visit
    context.close()
    assert visit.complaints == []


def test_sign_in_one_tap_undo_and_everything_due(visit):
    page = visit.page
    visit.open("/my-list/")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_text("Sign in with a password").click()
    page.locator("input[name=login]").fill("mei@example.com")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Reorder Oat soap").click()
    bar = page.locator("#undo-bars")
    expect(bar).to_contain_text("NT$320")
    expect(bar).to_be_in_viewport()
    expect(bar).to_contain_text("10 min")
    assert OrderLine.objects.get().product.name_en == "Oat soap"
    bar.get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("Undone.")
    assert Order.objects.get().status == Order.Status.UNDONE
    due = page.get_by_role("button", name="Reorder all due · NT$1,320")
    expect(due).to_be_in_viewport()
    due.click()
    expect(bar).to_contain_text("NT$1,320")
    expect(due).to_have_count(0)
    assert Order.objects.filter(status=Order.Status.PLACED).count() == 2


def test_the_errand_after_signing_in_is_two_requests(visit, shop):
    visit.sign_in(shop)
    documents: list[str] = []
    visit.page.on("request", lambda r: documents.append(r.method) if r.resource_type in ("document", "xhr") else None)
    visit.open("/my-list/")
    visit.page.locator("#reorder-due").click()
    expect(visit.page.locator("#undo-bars")).to_contain_text("NT$1,320")
    assert documents == ["GET", "POST"]


def test_two_quick_taps_are_one_order(visit, shop):
    visit.sign_in(shop)
    visit.page.locator("#reorder-due").dblclick()
    expect(visit.page.locator("#undo-bars")).to_contain_text("NT$1,320")
    assert Errand.objects.count() == 1


def test_the_stepper_counts_on_every_button_at_once(visit, shop):
    visit.sign_in(shop)
    page = visit.page
    page.get_by_role("button", name="One more Oat soap").click()
    expect(page.get_by_role("button", name="Reorder Oat soap")).to_contain_text("NT$640")
    expect(page.locator("#reorder-due")).to_contain_text("NT$1,640")
    page.get_by_role("button", name="One less Oat soap").click()
    expect(page.locator("#reorder-due")).to_contain_text("NT$1,320")


def test_a_changed_price_is_said_where_it_changed_and_a_second_tap_agrees(visit, shop):
    visit.sign_in(shop)
    Offer.objects.filter(product__name_en="Oat soap").update(price=333)
    visit.page.locator("#reorder-due").click()
    problem = visit.page.locator(".item__problem")
    expect(problem).to_contain_text("from NT$320 to NT$333")
    expect(problem).to_be_focused()
    expect(problem).to_be_in_viewport()
    visit.page.get_by_role("button", name="Reorder all due · NT$1,333").click()
    expect(visit.page.locator("#undo-bars")).to_contain_text("NT$1,333")


def test_by_keyboard_alone_nothing_is_lost(visit, shop):
    visit.sign_in(shop)
    page = visit.page
    menu = page.get_by_role("group").filter(has_text="Snooze").first.locator("summary")
    menu.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(page.get_by_role("button", name="Hide").first).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Packs of")).to_have_count(3)
    page.get_by_role("button", name="Reorder Oat soap").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#undo-bars p")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#undo-bars button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#messages p")).to_be_focused()
    assert Order.objects.get().status == Order.Status.UNDONE


def test_the_enter_key_in_a_stepper_orders_nothing(visit, shop):
    visit.sign_in(shop)
    stepper = visit.page.get_by_label("Packs of Oat soap")
    stepper.fill("3")
    stepper.press("Enter")
    expect(visit.page.locator("#messages")).to_contain_text("Quantities saved.")
    expect(visit.page.get_by_label("Packs of Oat soap")).to_have_value("3")
    assert not Errand.objects.exists()


def test_hiding_can_be_undone_where_it_happened(visit, shop):
    visit.sign_in(shop)
    page = visit.page
    item = page.locator(".item").filter(has_text="Oat soap")
    item.locator("summary").click()
    item.get_by_role("button", name="Hide").click()
    expect(page.locator("#messages")).to_contain_text("Hidden: Oat soap.")
    expect(page.locator("#messages")).to_be_in_viewport()
    expect(item).to_have_count(0)
    page.locator("#messages").get_by_role("button", name="Undo").click()
    expect(item).to_have_count(1)


def test_an_answer_that_never_comes_is_said(visit, shop):
    visit.sign_in(shop)
    visit.page.route("**/reorder/", lambda route: route.abort())
    visit.page.locator("#reorder-due").click()
    expect(visit.page.locator("#messages")).to_contain_text("Nothing was ordered or changed")
    assert all("ERR_FAILED" in complaint or "htmx" in complaint for complaint in visit.complaints), visit.complaints
    visit.complaints.clear()


@pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript_the_whole_errand_works(visit, shop):
    visit.sign_in(shop)
    page = visit.page
    expect(page.get_by_role("button", name="One more")).to_have_count(0)
    page.get_by_label("Packs of Oat soap").fill("2")
    page.get_by_role("button", name="Reorder Oat soap").click()
    expect(page.locator("#undo-bars")).to_contain_text("NT$640")
    page.locator("#undo-bars").get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("Undone.")
    page.locator("#reorder-due").click()
    expect(page.locator("#undo-bars")).to_contain_text("NT$1,320")


@pytest.mark.parametrize(
    "visit",
    [{"viewport": {"width": width, "height": 800}} for width in (320, 390, 768, 1280)],
    indirect=True,
    ids=lambda options: str(options["viewport"]["width"]),
)
def test_nothing_is_wider_than_the_screen_and_nothing_to_tap_is_small(visit, shop):
    visit.sign_in(shop)
    visit.page.locator(".item summary").first.click()
    assert visit.overflow() == 0
    small = visit.page.evaluate(
        """[...document.querySelectorAll('main button, main summary, main input:not([type=hidden])')]
        .filter(e => e.checkVisibility() && !e.classList.contains('vh'))
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height]).filter(([, height]) => height < 44)"""
    )
    assert small == []
    visit.open("/my-list/hidden/")
    assert visit.overflow() == 0


@pytest.mark.parametrize("visit", [{"viewport": {"width": 320, "height": 800}}], indirect=True)
def test_the_page_for_everybody_else_fits_a_small_phone(visit):
    visit.open("/my-list/")
    expect(visit.page.get_by_role("heading", level=1)).to_be_visible()
    assert visit.overflow() == 0
