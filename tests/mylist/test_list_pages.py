"""The list's pages as plain forms and as htmx asks for them. Pages are read as a browser reads them: by their forms."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
import time_machine
from django.urls import reverse

from mylist.models import ListItem, Prediction
from shop.models import Errand, Offer, Order, OrderLine
from tests.factories import (
    AddressFactory,
    ListItemFactory,
    MemberFactory,
    OfferFactory,
    PaymentMethodFactory,
    ProductFactory,
    StoreFactory,
)

pytestmark = pytest.mark.django_db

LIST = "/my-list/"
HTMX = {"HX-Request": "true"}


@dataclass
class Form:
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)

    def button(self, **wanted: str) -> dict[str, str]:
        return next(b for b in self.buttons if all(b.get(name) == value for name, value in wanted.items()))


class Page(HTMLParser):
    """The forms of a page and its words; a button outside of its form is found by the form attribute."""

    def __init__(self, response) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.words: list[str] = []
        self._open: Form | None = None
        self._silent = 0
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""))
            self.forms.append(self._open)
            self.by_id[given.get("id", "")] = self._open
        target = self.by_id[given["form"]] if "form" in given else self._open
        if tag == "input" and target and "name" in given:
            target.fields.append((given["name"], given.get("value", "")))
        if tag == "button" and target and given.get("type", "submit") == "submit":
            target.buttons.append(given)
        self._silent += tag in ("script", "style", "template")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        self._silent -= tag in ("script", "style", "template")

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def list_form(self) -> Form:
        return self.by_id["list-form"]

    def form_to(self, action: str) -> Form:
        return next(form for form in self.forms if form.action == action)


def press(client, form: Form, button: dict[str, str] | None = None, headers=None, **changed: str):
    """What a browser sends when the button of a form is pressed, with some fields typed anew."""
    fields = [(name, changed.get(name.replace("-", "_"), value)) for name, value in form.fields]
    button = button or form.buttons[0]
    if "name" in button:
        fields.append((button["name"], button.get("value", "")))
    return client.post(
        button.get("formaction") or form.action,
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )


@pytest.fixture
def clock(now: datetime):
    """Pages read the clock; here it stands at `now` until a test moves it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def member(clock):
    member = MemberFactory()
    AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    return member


@pytest.fixture
def soap(member) -> ListItem:
    return ListItemFactory(
        member=member, due=True, offer__product=ProductFactory(name_en="Oat soap", name_zh="燕麥皂"), offer__stock=20
    )


@pytest.fixture
def shopper(client, member, soap):
    """A browser signed in as a returning customer with one due item."""
    client.force_login(member)
    return client


def page_of(client, path: str = LIST) -> Page:
    return Page(client.get(path))


# ---------------------------------------------------------------- who has a list


def test_my_list_tells_the_anonymous_what_it_is_and_how_to_come_to_it(client, clock):
    response = client.get(LIST)
    assert response.status_code == 200
    assert b"list-form" not in response.content
    assert reverse("account_login") in response.content.decode()
    assert reverse("account_signup") in response.content.decode()


def test_my_list_tells_a_newcomer_that_it_opens_with_the_first_purchase(client, clock):
    client.force_login(MemberFactory())
    page = page_of(client)
    assert "Your list opens with your first purchase" in page.text
    assert "list-form" not in page.by_id


def test_my_list_tells_when_the_first_order_will_open_it(client, clock, now):
    member = MemberFactory(time_zone="Asia/Taipei")
    errand = Errand.objects.create(
        member=member, key="first", fingerprint="x", placed_at=now, undo_until=now + timedelta(minutes=10)
    )
    client.force_login(member)
    page = page_of(client)
    assert "confirmed at 12:10" in page.text
    assert page.form_to(reverse("shop:undo", args=[errand.pk])).buttons


def test_my_list_is_no_privilege_of_staff(client, clock):
    client.force_login(MemberFactory(is_staff=True, is_superuser=True))
    assert "Your list opens with your first purchase" in page_of(client).text


def test_my_list_shows_a_returning_customer_their_items(shopper):
    page = page_of(shopper)
    assert "Oat soap" in page.text
    assert "1 thing is about to run out" in page.text


def test_my_list_never_shows_what_another_bought(shopper):
    ListItemFactory(due=True, offer__product=ProductFactory(name_en="Secret cream"))
    assert "Secret cream" not in page_of(shopper).text


VERBS = ["pin", "unpin", "hide", "unhide", "snooze", "wake"]


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_on_another_customers_item_find_nothing(shopper, verb):
    theirs = ListItemFactory(due=True)
    before = ListItem.objects.filter(pk=theirs.pk).values().get()
    assert shopper.post(f"{LIST}{theirs.pk}/{verb}/", {"days": "7"}).status_code == 404
    assert ListItem.objects.filter(pk=theirs.pk).values().get() == before


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_of_the_anonymous_lead_to_signing_in(client, soap, verb):
    response = client.post(f"{LIST}{soap.pk}/{verb}/", {"days": "7"})
    assert response.status_code in (302, 303)
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("path", ["reorder/", "quantities/", "errands/1/undo/", *[f"1/{verb}/" for verb in VERBS]])
def test_what_changes_something_is_never_a_get(shopper, path):
    assert shopper.get(LIST + path).status_code == 405


@pytest.mark.parametrize("path", ["", "hidden/"])
def test_what_shows_something_is_never_a_post(shopper, path):
    assert shopper.post(LIST + path).status_code == 405


def test_reorder_of_another_customers_item_finds_nothing(shopper):
    theirs = ListItemFactory(due=True)
    form = page_of(shopper).list_form
    form.fields += [(f"quantity-{theirs.pk}", "1"), (f"price-{theirs.pk}", "300.00")]
    assert press(shopper, form, {"name": "only", "value": str(theirs.pk)}).status_code == 404
    assert not Order.objects.exists()


def test_reorder_of_the_anonymous_leads_to_signing_in(client, shopper):
    form = page_of(shopper).list_form
    client.logout()
    response = press(client, form, form.button(name="due"), HTMX)
    assert response.headers["HX-Redirect"].startswith(reverse("account_login"))
    assert not Order.objects.exists()


def test_undo_of_another_customers_errand_finds_nothing(shopper, now):
    theirs = Errand.objects.create(
        member=MemberFactory(), key="theirs", fingerprint="x", placed_at=now, undo_until=now + timedelta(minutes=10)
    )
    assert shopper.post(f"{LIST}errands/{theirs.pk}/undo/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.undone_at is None


# ---------------------------------------------------------------- what an item says


def test_an_item_says_why_it_is_there_and_what_the_price_was(shopper, soap):
    ListItem.objects.filter(pk=soap.pk).update(last_quantity=2, last_unit_price=Decimal(299))
    text = page_of(shopper).text
    assert "Runs out about now" in text
    assert "About every 30 days, last time 2 packs, 29 days ago" in text
    assert "NT$300 each" in text
    assert "was NT$299" in text


def test_an_item_says_its_rhythm_once(shopper, soap, now):
    Prediction.objects.filter(pk=soap.pk).update(upper_on=now.date() + timedelta(days=40))
    text = page_of(shopper).text
    assert "About every 4 weeks, probably due" in text
    assert "Last time 1 pack, 4 weeks ago" in text
    assert text.count("About every") == 1


@pytest.mark.parametrize(
    ("offer", "words"), [({"stock": 0}, "Sold out"), ({"is_active": False}, "No longer sold")], ids=["sold out", "gone"]
)
def test_an_item_that_cannot_be_had_says_so_and_has_no_button(shopper, soap, offer, words):
    Offer.objects.filter(pk=soap.offer_id).update(**offer)
    page = page_of(shopper)
    assert words in page.text
    assert not [b for b in page.list_form.buttons if b.get("name") in ("only", "due")]


def test_an_item_that_is_short_offers_what_is_left(shopper, soap):
    Offer.objects.filter(pk=soap.offer_id).update(stock=2)
    ListItem.objects.filter(pk=soap.pk).update(quantity=5)
    page = page_of(shopper)
    assert "Only 2 left" in page.text
    assert (f"quantity-{soap.pk}", "2") in page.list_form.fields
    press(shopper, page.list_form, page.list_form.button(name="only"))
    assert OrderLine.objects.get().quantity == 2


def test_the_page_speaks_the_members_language(shopper, member):
    member.language = "zh-hant"
    member.save()
    response = shopper.get(LIST)
    page = Page(response)
    assert "燕麥皂" in page.text
    assert "商店" in page.text
    assert '<html lang="zh-Hant">' in response.content.decode()
    assert "Reorder" not in page.text


# ---------------------------------------------------------------- reordering


def test_reorder_one_item_by_a_plain_form(shopper, soap):
    form = page_of(shopper).list_form
    response = press(shopper, form, form.button(name="only", value=str(soap.pk)), **{f"quantity_{soap.pk}": "3"})
    assert (response.status_code, response.url) == (303, LIST)
    line = OrderLine.objects.get()
    assert (line.product, line.quantity) == (soap.product, 3)
    page = page_of(shopper)
    assert "On its way" in page.text
    assert "NT$900" in page.text


def test_reorder_all_due_by_a_plain_form(shopper, member, soap):
    other = ListItemFactory(member=member, due=True, offer__price=Decimal(120))
    later = ListItemFactory(member=member)
    form = page_of(shopper).list_form
    assert press(shopper, form, form.button(name="due")).status_code == 303
    assert set(OrderLine.objects.values_list("product", flat=True)) == {soap.product_id, other.product_id}
    assert later.product_id not in OrderLine.objects.values_list("product", flat=True)
    assert Errand.objects.count() == 1


def test_the_big_button_says_what_will_be_paid(shopper, member):
    ListItemFactory(member=member, due=True, offer__price=Decimal(1020))
    assert "Reorder all due · NT$1,320" in page_of(shopper).text
    form = page_of(shopper).list_form
    press(shopper, form, form.button(name="due"))
    assert sum(order.total for order in Order.objects.all()) == 1320


def test_the_same_form_sent_twice_is_one_order(shopper):
    form = page_of(shopper).list_form
    for _ in range(2):
        assert press(shopper, form, form.button(name="due")).status_code == 303
    assert Order.objects.count() == 1


def test_a_second_tab_drawn_before_is_no_second_order(shopper, clock):
    first, second = page_of(shopper).list_form, page_of(shopper).list_form
    assert dict(first.fields)["key"] != dict(second.fields)["key"]
    clock.shift(1)
    press(shopper, first, first.button(name="only"))
    assert press(shopper, second, second.button(name="due")).status_code == 303
    assert Order.objects.count() == 1


def test_one_item_after_the_other_from_the_same_old_page_are_two_orders(shopper, member, soap, clock):
    other = ListItemFactory(member=member, due=True)
    form = page_of(shopper).list_form
    for item in (soap, other):
        clock.shift(1)
        assert press(shopper, form, form.button(name="only", value=str(item.pk))).status_code == 303
    assert list(OrderLine.objects.order_by("pk").values_list("product", flat=True)) == [
        soap.product_id,
        other.product_id,
    ]


def test_the_key_of_an_answered_page_with_another_quantity_is_turned_down(shopper, soap):
    form = page_of(shopper).list_form
    press(shopper, form, form.button(name="only"))
    response = press(shopper, form, form.button(name="only"), **{f"quantity_{soap.pk}": "4"})
    assert response.status_code == 409
    assert "ordered already" in Page(response).text
    assert Order.objects.count() == 1


def test_a_price_that_changed_asks_again_and_a_second_tap_agrees(shopper, soap):
    form = page_of(shopper).list_form
    Offer.objects.filter(pk=soap.offer_id).update(price=Decimal(330))
    response = press(shopper, form, form.button(name="due"), **{f"quantity_{soap.pk}": "2"})
    assert response.status_code == 409
    again = Page(response)
    assert "The price changed from NT$300 to NT$330." in again.text
    assert "Reorder all due · NT$660" in again.text
    assert not Order.objects.exists()
    assert press(shopper, again.list_form, again.list_form.button(name="due")).status_code == 303
    assert Order.objects.get().total == 660


def test_what_was_sold_meanwhile_stops_the_whole_and_the_rest_can_be_had(shopper, member, soap):
    other = ListItemFactory(member=member, due=True)
    form = page_of(shopper).list_form
    Offer.objects.filter(pk=soap.offer_id).update(stock=0)
    response = press(shopper, form, form.button(name="due"), HTMX)
    assert response.status_code == 409
    again = Page(response)
    assert "Sold out in the meantime." in again.text
    assert not Order.objects.exists()
    assert press(shopper, again.list_form, again.list_form.button(name="due"), HTMX).status_code == 200
    assert OrderLine.objects.get().product_id == other.product_id


def test_too_few_left_is_said_and_the_rest_is_offered(shopper, soap):
    form = page_of(shopper).list_form
    Offer.objects.filter(pk=soap.offer_id).update(stock=3)
    response = press(shopper, form, form.button(name="only"), **{f"quantity_{soap.pk}": "9"})
    again = Page(response)
    assert "Only 3 are left." in again.text
    assert press(shopper, again.list_form, again.list_form.button(name="only")).status_code == 303
    assert OrderLine.objects.get().quantity == 3


@pytest.mark.parametrize("missing", ["addresses", "payment_methods"])
@pytest.mark.parametrize("headers", [None, HTMX], ids=["plain", "htmx"])
def test_reorder_without_address_or_payment_leads_to_the_short_form(shopper, member, missing, headers):
    getattr(member, missing).all().delete()
    form = page_of(shopper).list_form
    response = press(shopper, form, form.button(name="only"), headers)
    where = response.headers["HX-Redirect"] if headers else response.url
    assert where == f"{reverse('shop:delivery')}?next=%2Fmy-list%2F"
    assert not Order.objects.exists()


def test_due_with_nothing_due_says_so(shopper, soap):
    form = page_of(shopper).list_form
    form.fields = [(name, value) for name, value in form.fields if name != "due_item"]
    response = press(shopper, form, {"name": "due", "value": "1"})
    assert response.status_code == 409
    assert "Nothing is due right now." in Page(response).text


@pytest.mark.parametrize(
    "changed",
    [{"key": ""}, {"key": "k" * 101}, {"drawn_at": "yesterday"}, {"drawn_at": "2026-11-18T04:00:00"}]
    + [{"quantity": value} for value in ("0", "100", "-1", "1.5", "", "many")]
    + [{"price": value} for value in ("", "free")],
    ids=str,
)
def test_a_form_that_is_not_ours_orders_nothing(shopper, soap, changed):
    form = page_of(shopper).list_form
    changed = {name if name in ("key", "drawn_at") else f"{name}_{soap.pk}": value for name, value in changed.items()}
    response = press(shopper, form, form.button(name="only"), **changed)
    assert response.status_code == 422
    assert "nothing was ordered" in Page(response).text
    assert not Order.objects.exists()


def test_the_enter_key_in_a_stepper_keeps_the_quantity_and_orders_nothing(shopper, soap):
    form = page_of(shopper).list_form
    assert press(shopper, form, **{f"quantity_{soap.pk}": "4"}).status_code == 303
    soap.refresh_from_db()
    assert soap.quantity == 4
    assert not Order.objects.exists()
    assert (f"quantity-{soap.pk}", "4") in page_of(shopper).list_form.fields


def test_quantities_left_as_suggested_stay_suggestions(shopper, soap):
    press(shopper, page_of(shopper).list_form)
    soap.refresh_from_db()
    assert soap.quantity is None


# ---------------------------------------------------------------- undo


def undo_form(page: Page) -> Form:
    return next(form for form in page.forms if "/errands/" in form.action)


def test_undo_takes_the_order_back_and_a_second_time_changes_nothing(shopper, soap):
    form = page_of(shopper).list_form
    press(shopper, form, form.button(name="only"))
    undo = undo_form(page_of(shopper))
    for _ in range(2):
        assert press(shopper, undo).status_code == 303
    assert Order.objects.get().status == Order.Status.UNDONE
    assert Offer.objects.get(pk=soap.offer_id).stock == 20
    assert "Undone. Nothing will be delivered or charged." in page_of(shopper).text


def test_undo_after_the_window_says_that_it_is_over(shopper, clock):
    form = page_of(shopper).list_form
    press(shopper, form, form.button(name="only"))
    undo = undo_form(page_of(shopper))
    clock.shift(timedelta(minutes=11))
    response = press(shopper, undo)
    assert response.status_code == 409
    assert "The time to undo is over" in Page(response).text
    assert Order.objects.get().status == Order.Status.PLACED


def test_the_undo_bar_is_gone_when_the_window_is_over(shopper, clock):
    form = page_of(shopper).list_form
    press(shopper, form, form.button(name="only"))
    assert "Undo until 12:10" in page_of(shopper).text
    clock.shift(timedelta(minutes=11))
    assert "Undo until" not in page_of(shopper).text


# ---------------------------------------------------------------- pin, snooze, hide


def verb_button(page: Page, item: ListItem, verb: str, **more: str) -> dict[str, str]:
    return page.list_form.button(formaction=reverse(f"mylist:{verb}", args=[item.pk]), **more)


def state(item: ListItem) -> tuple[bool, bool, datetime | None]:
    item.refresh_from_db()
    return item.pinned_at is not None, item.hidden_at is not None, item.snoozed_until


@pytest.mark.parametrize("headers", [None, HTMX], ids=["plain", "htmx"])
def test_pin_and_its_undo(shopper, soap, headers):
    page = page_of(shopper)
    answer = press(shopper, page.list_form, verb_button(page, soap, "pin"), headers)
    assert state(soap) == (True, False, None)
    after = Page(answer) if headers else page_of(shopper)
    assert "Pinned to the top: Oat soap." in after.text
    press(shopper, after.form_to(reverse("mylist:unpin", args=[soap.pk])))
    assert state(soap) == (False, False, None)


@pytest.mark.parametrize("headers", [None, HTMX], ids=["plain", "htmx"])
def test_hide_and_its_undo(shopper, soap, headers):
    page = page_of(shopper)
    answer = press(shopper, page.list_form, verb_button(page, soap, "hide"), headers)
    assert state(soap) == (False, True, None)
    after = Page(answer) if headers else page_of(shopper)
    assert "Hidden: Oat soap." in after.text
    assert "1 hidden item" in after.text
    press(shopper, after.form_to(reverse("mylist:unhide", args=[soap.pk])))
    assert state(soap) == (False, False, None)


@pytest.mark.parametrize("headers", [None, HTMX], ids=["plain", "htmx"])
def test_snooze_and_its_undo(shopper, soap, now, headers):
    page = page_of(shopper)
    answer = press(shopper, page.list_form, verb_button(page, soap, "snooze", value="14"), headers)
    assert state(soap) == (False, False, now + timedelta(days=14))
    after = Page(answer) if headers else page_of(shopper)
    assert "Snoozed: Oat soap." in after.text
    press(shopper, after.form_to(reverse("mylist:wake", args=[soap.pk])))
    assert state(soap) == (False, False, None)


def test_wake_and_its_undo_restores_the_same_moment(shopper, soap, now):
    ListItem.objects.filter(pk=soap.pk).update(snoozed_until=now + timedelta(days=3))
    page = page_of(shopper)
    press(shopper, page.list_form, verb_button(page, soap, "wake"))
    assert state(soap) == (False, False, None)
    after = page_of(shopper)
    press(shopper, next(form for form in after.forms if form.action.startswith(f"{LIST}{soap.pk}/snooze/")))
    assert state(soap) == (False, False, now + timedelta(days=3))


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_said_twice_is_the_same_as_once(shopper, soap, verb):
    for _ in range(2):
        assert shopper.post(f"{LIST}{soap.pk}/{verb}/", {"days": "7"}).status_code == 303
        once = state(soap)
    assert state(soap) == once


@pytest.mark.parametrize(
    "fields",
    [{}, {"days": "0"}, {"days": "367"}, {"days": "x"}, {"until": "soon"}, {"until": "2026-99-01T00:00+00:00"}],
    ids=str,
)
def test_a_snooze_without_a_time_is_turned_down(shopper, soap, fields):
    assert shopper.post(f"{LIST}{soap.pk}/snooze/", fields).status_code == 422
    assert state(soap) == (False, False, None)


def test_hidden_items_can_be_brought_back_from_their_page(shopper, soap, now):
    ListItem.objects.filter(pk=soap.pk).update(hidden_at=now)
    assert "Nothing is due" not in page_of(shopper).text
    page = page_of(shopper, f"{LIST}hidden/")
    assert "Oat soap" in page.text
    response = press(shopper, page.form_to(reverse("mylist:unhide", args=[soap.pk])))
    assert response.url == f"{LIST}hidden/"
    assert state(soap) == (False, False, None)
    assert "Nothing is hidden" in page_of(shopper, f"{LIST}hidden/").text


def test_hidden_items_of_the_anonymous_lead_to_signing_in(client, clock):
    assert client.get(f"{LIST}hidden/").url.startswith(reverse("account_login"))


# ---------------------------------------------------------------- htmx


def test_an_htmx_answer_is_the_list_without_the_frame(shopper, soap):
    form = page_of(shopper).list_form
    response = press(shopper, form, form.button(name="only"), HTMX)
    html = response.content.decode()
    assert response.status_code == 200
    assert html.lstrip().startswith('<section id="list"') and "<html" not in html
    assert html.count("hx-swap-oob") == 3
    assert "On its way" in html


def test_quantities_typed_elsewhere_survive_a_tap(shopper, member, soap):
    other = ListItemFactory(member=member)
    form = page_of(shopper).list_form
    response = press(shopper, form, form.button(name="only", value=str(soap.pk)), HTMX, **{f"quantity_{other.pk}": "7"})
    assert (f"quantity-{other.pk}", "7") in Page(response).list_form.fields


def test_verbs_of_a_newcomer_lead_back_to_the_page_that_explains(client, clock):
    client.force_login(MemberFactory())
    response = client.post(f"{LIST}quantities/", headers=HTMX)
    assert response.headers["HX-Redirect"] == LIST


# ---------------------------------------------------------------- cost


def test_list_and_reorder_due_take_at_most_20_statements(shopper, member, django_assert_max_num_queries):
    store = StoreFactory()
    for _ in range(12):
        ListItemFactory(member=member, due=True, offer=OfferFactory(store=store))
    shopper.get(LIST)
    with django_assert_max_num_queries(20):
        form = page_of(shopper).list_form
        assert press(shopper, form, form.button(name="due"), HTMX).status_code == 200
    assert OrderLine.objects.count() == 13


def test_a_longer_list_takes_no_more_statements(shopper, member, django_assert_num_queries):
    ListItemFactory(member=member, due=True)
    with django_assert_num_queries(4):  # session, member, items, what was ordered lately
        shopper.get(LIST)
    ListItemFactory.create_batch(20, member=member)
    with django_assert_num_queries(4):
        shopper.get(LIST)


# ---------------------------------------------------------------- a history of years


def test_of_what_comes_later_only_the_first_are_drawn_until_all_are_asked_for(shopper, member):
    ListItemFactory.create_batch(30, member=member)
    page = page_of(shopper)
    assert "Later 30" in page.text
    assert "Show 6 more" in page.text
    assert len([name for name, _ in page.list_form.fields if name.startswith("quantity-")]) == 25
    everything = page_of(shopper, LIST + "?all=1")
    assert "Show" not in everything.text
    assert len([name for name, _ in everything.list_form.fields if name.startswith("quantity-")]) == 31


def test_a_list_drawn_whole_stays_whole_after_a_tap(shopper, member):
    items = ListItemFactory.create_batch(30, member=member)
    form = page_of(shopper, LIST + "?all=1").list_form
    answer = Page(press(shopper, form, form.button(name="only", value=str(items[-1].pk)), headers=HTMX))
    assert Order.objects.get().lines.get().product == items[-1].product
    assert len([name for name, _ in answer.list_form.fields if name.startswith("quantity-")]) == 30


def test_what_is_due_and_sold_out_is_counted_as_running_out(shopper, member):
    ListItemFactory(member=member, due=True, offer__stock=0)
    page = page_of(shopper)
    assert "2 things are about to run out" in page.text
    assert "Reorder all due · NT$300" in page.text
