"""From a basket to an order on one page, and the delivery form a reorder may lack."""

import re
from decimal import Decimal

import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import reverse

from accounts.models import Address
from shop import basket
from shop.models import BasketLine, Errand, Offer, Order, PaymentMethod
from shop.payments import default_payment
from tests.factories import AddressFactory, MemberFactory, OfferFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db
NEW = {
    "address": "new",
    "new-recipient": "王小明",
    "new-phone": "0912345678",
    "new-country": "TW",
    "new-postal_code": "106",
    "new-city": "台北市大安區",
    "new-street": "和平東路一段 1 號",
}


@pytest.fixture
def offer():
    return OfferFactory(price=Decimal("299.00"), stock=10)


@pytest.fixture
def newcomer(client):
    member = MemberFactory(name="王小明")
    client.force_login(member)
    return member


@pytest.fixture
def buyer(client):
    """A member with an address, signed in."""
    member = AddressFactory().member
    client.force_login(member)
    return member


def put(member, offer, quantity=1):
    basket.add(basket=basket.get_basket(store=offer.store, member=member), offer_id=offer.pk, quantity=quantity)


def url(offer):
    return reverse("shop:checkout", args=[offer.store.code])


def shown(page) -> dict[str, str]:
    """The form as the page shows it: hidden fields, the chosen address and payment."""
    html = page.content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(wanted|key|address)" value="([^"]*)"', html))
    chosen = re.findall(r'<input type="radio" name="(\w+)" value="(\w+)"[^>]* checked', html)
    return hidden | dict(chosen)


def button(page) -> str:
    return re.search(r"Order for ([^<]+)<", page.content.decode())[1]


class TestFirstCheckout:
    def test_a_newcomer_becomes_a_member_with_address_payment_and_order(self, client, newcomer, offer):
        put(newcomer, offer, 2)
        page = client.get(url(offer))
        assert button(page) == "NT$598"
        assert 'value="王小明"' in page.content.decode()
        answer = client.post(url(offer), shown(page) | NEW)
        order = Order.objects.get()
        assert answer.url == reverse("shop:order", args=[order.number])
        assert (order.member, order.total, order.payment_kind) == (newcomer, 598, "cash_on_delivery")
        assert (order.recipient, order.phone) == ("王小明", "+886912345678")
        assert order.address == "106 台北市大安區 和平東路一段 1 號"
        assert newcomer.addresses.get().is_default
        assert default_payment(newcomer).kind == "cash_on_delivery"
        assert not BasketLine.objects.exists()
        assert Offer.objects.get().stock == 8

    def test_the_page_after_it_offers_to_undo(self, client, newcomer, offer):
        put(newcomer, offer)
        page = client.post(url(offer), shown(client.get(url(offer))) | NEW, follow=True)
        assert reverse("shop:undo", args=[Errand.objects.get().pk]) in page.content.decode()

    def test_sending_the_page_twice_is_one_order_and_one_address(self, client, newcomer, offer):
        put(newcomer, offer, 2)
        form = shown(client.get(url(offer))) | NEW
        first, second = client.post(url(offer), form), client.post(url(offer), form)
        assert first.url == second.url
        assert Order.objects.count() == Address.objects.count() == 1
        assert Offer.objects.get().stock == 8

    def test_a_wrong_address_is_explained_and_nothing_ordered(self, client, newcomer, offer):
        put(newcomer, offer)
        page = client.post(url(offer), shown(client.get(url(offer))) | NEW | {"new-street": "", "new-phone": "x"})
        html = page.content.decode()
        assert "This field is required." in html
        assert "This is not a phone number." in html
        assert 'value="台北市大安區"' in html
        assert not Order.objects.exists()
        assert BasketLine.objects.exists()

    def test_a_visitor_is_asked_to_sign_in_and_led_back(self, client, offer):
        client.post(reverse("shop:basket_add", args=[offer.store.code, offer.pk]))
        for answer in (client.get(url(offer)), client.post(url(offer), NEW)):
            assert answer.url == f"{reverse('account_login')}?next={url(offer)}"
        member = MemberFactory()
        client.force_login(member)
        assert button(client.get(url(offer))) == "NT$299"


class TestCheckout:
    def test_the_stored_address_is_chosen_already(self, client, buyer, offer):
        AddressFactory(member=buyer, is_default=False, city="Elsewhere")
        PaymentMethodFactory(member=buyer, kind="invoice")
        put(buyer, offer)
        form = shown(client.get(url(offer)))
        assert form["address"] == str(buyer.addresses.get(is_default=True).pk)
        client.post(url(offer), form)
        assert Order.objects.get().payment_kind == "invoice"
        assert "Da'an" in Order.objects.get().address

    def test_another_address_is_kept_but_not_made_the_default(self, client, buyer, offer):
        put(buyer, offer)
        client.post(url(offer), shown(client.get(url(offer))) | NEW)
        assert "和平東路" in Order.objects.get().address
        assert buyer.addresses.get(is_default=True).city == "Da'an, Taipei"
        assert buyer.addresses.count() == 2

    def test_an_address_typed_again_is_not_kept_twice(self, client, newcomer, offer):
        for _ in range(2):
            put(newcomer, offer)
            client.post(url(offer), shown(client.get(url(offer))) | NEW)
        assert Order.objects.count() == 2
        assert newcomer.addresses.count() == 1

    def test_another_payment_is_kept_but_not_made_the_default(self, client, buyer, offer):
        PaymentMethodFactory(member=buyer, kind="invoice")
        put(buyer, offer)
        client.post(url(offer), shown(client.get(url(offer))) | {"payment": "cash_on_delivery"})
        assert Order.objects.get().payment_kind == "cash_on_delivery"
        assert default_payment(buyer).kind == "invoice"

    def test_anothers_address_cannot_be_chosen(self, client, buyer, offer):
        put(buyer, offer)
        stranger = AddressFactory()
        page = client.post(url(offer), shown(client.get(url(offer))) | {"address": str(stranger.pk)})
        assert page.status_code == 200
        assert not Order.objects.exists()

    def test_a_changed_price_asks_again_and_then_charges_what_the_button_says(self, client, buyer, offer):
        put(buyer, offer, 2)
        page = client.get(url(offer))
        Offer.objects.update(price=320)
        again = client.post(url(offer), shown(page))
        assert again.status_code == 409
        assert "Now NT$320, was NT$299." in again.content.decode()
        assert button(again) == "NT$640"
        assert not Order.objects.exists()
        assert shown(again)["key"] != shown(page)["key"]
        client.post(url(offer), shown(again))
        assert Order.objects.get().total == 640

    def test_short_stock_asks_again_and_then_takes_what_there_is(self, client, buyer, offer):
        put(buyer, offer, 3)
        page = client.get(url(offer))
        Offer.objects.update(stock=1)
        again = client.post(url(offer), shown(page))
        assert again.status_code == 409
        assert "Only 1 left: this order takes 1." in again.content.decode()
        client.post(url(offer), shown(again))
        assert Order.objects.get().total == 299
        assert Offer.objects.get().stock == 0
        assert BasketLine.objects.get().quantity == 2

    def test_one_thing_sold_out_leaves_the_rest_to_be_ordered(self, client, buyer, offer):
        gone = OfferFactory(store=offer.store, price=50)
        put(buyer, offer)
        put(buyer, gone)
        page = client.get(url(offer))
        assert button(page) == "NT$349"
        Offer.objects.filter(pk=gone.pk).update(stock=0)
        again = client.post(url(offer), shown(page))
        assert again.status_code == 409
        assert button(again) == "NT$299"
        client.post(url(offer), shown(again))
        assert [line.offer for line in Order.objects.get().lines.all()] == [offer]
        assert BasketLine.objects.get().offer == gone

    def test_all_sold_out_says_so_without_a_button(self, client, buyer, offer):
        put(buyer, offer)
        page = client.get(url(offer))
        Offer.objects.update(is_active=False)
        again = client.post(url(offer), shown(page))
        assert again.status_code == 409
        assert "Nothing of it can be had now" in again.content.decode()
        assert "Order for" not in again.content.decode()

    def test_a_refused_order_leaves_no_address_behind_and_keeps_what_was_typed(self, client, newcomer, offer):
        put(newcomer, offer)
        page = client.get(url(offer))
        Offer.objects.update(price=320)
        again = client.post(url(offer), shown(page) | NEW)
        assert 'value="台北市大安區"' in again.content.decode()
        assert not Address.objects.exists()
        assert not PaymentMethod.objects.exists()

    def test_what_another_tab_put_in_meanwhile_is_neither_ordered_nor_lost(self, client, buyer, offer):
        put(buyer, offer)
        page = client.get(url(offer))
        put(buyer, offer, 4)
        client.post(url(offer), shown(page))
        assert Order.objects.get().total == 299
        assert BasketLine.objects.get().quantity == 4

    def test_the_same_page_with_something_else_in_it_is_not_ordered_again(self, client, buyer, offer):
        put(buyer, offer)
        form = shown(client.get(url(offer)))
        client.post(url(offer), form)
        page = client.post(url(offer), form | {"payment": "invoice"}, follow=True)
        assert page.redirect_chain[-1][0] == reverse("shop:orders")
        assert Order.objects.count() == 1

    @pytest.mark.parametrize(
        "wanted", ["", "x", "1:2", "1:0:9", "1:-1:9", "1:100:9", "1:1:NaN", "1:1:9,1:1:9", "-1:1:9", "9" * 30 + ":1:9"]
    )
    def test_a_page_tampered_with_is_out_of_date(self, client, buyer, offer, wanted):
        put(buyer, offer)
        page = client.post(url(offer), shown(client.get(url(offer))) | {"wanted": wanted})
        assert page.status_code == 200
        assert 'role="alert"' in page.content.decode()
        assert not Order.objects.exists()

    def test_goods_of_another_store_cannot_be_smuggled_in(self, client, buyer, offer):
        put(buyer, offer)
        other = OfferFactory()
        form = shown(client.get(url(offer))) | {"wanted": f"{other.pk}:1:{other.price}"}
        assert client.post(url(offer), form).status_code == 409
        assert not Order.objects.exists()

    def test_a_price_of_ones_own_making_is_refused(self, client, buyer, offer):
        put(buyer, offer)
        form = shown(client.get(url(offer))) | {"wanted": f"{offer.pk}:1:1.00"}
        assert client.post(url(offer), form).status_code == 409
        assert not Order.objects.exists()

    def test_an_empty_basket_has_nothing_to_check_out(self, client, buyer, offer):
        assert client.get(url(offer)).url == reverse("shop:basket", args=[offer.store.code])

    def test_unknown_store_is_not_found(self, client, buyer):
        assert client.get("/s/nowhere/checkout/").status_code == 404

    def test_is_never_kept_by_the_browser(self, client, buyer, offer):
        put(buyer, offer)
        assert "no-store" in client.get(url(offer)).headers["Cache-Control"]

    def test_a_form_of_another_site_is_refused(self, buyer, offer):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(buyer)
        assert strict.post(url(offer), {}).status_code == 403

    def test_placing_takes_at_most_35_queries(self, client, buyer, offer, django_assert_max_num_queries):
        for _ in range(5):
            put(buyer, OfferFactory(store=offer.store))
        form = shown(client.get(url(offer)))
        with django_assert_max_num_queries(35):
            assert client.post(url(offer), form).status_code == 302


class TestDelivery:
    url = "/delivery/"
    form = {name.removeprefix("new-"): value for name, value in NEW.items() if name != "address"}

    def test_keeps_address_and_payment_as_the_defaults_and_goes_on(self, client, newcomer):
        answer = client.post(self.url, self.form | {"payment": "invoice", "next": "/my-list/?a=b"})
        assert answer.url == "/my-list/?a=b"
        assert newcomer.addresses.get().is_default
        assert default_payment(newcomer).kind == "invoice"

    def test_changes_the_default_rather_than_adding_another(self, client, buyer):
        client.post(self.url, self.form | {"payment": "cash_on_delivery"})
        assert buyer.addresses.get().city == "台北市大安區"
        client.post(self.url, self.form | {"payment": "invoice"})
        assert default_payment(buyer).kind == "invoice"

    def test_shows_what_is_stored(self, client, buyer):
        PaymentMethodFactory(member=buyer, kind="invoice")
        page = client.get(self.url).content.decode()
        assert "Heping E. Rd. 1" in page
        assert re.search(r'value="invoice"[^>]* checked', page)

    def test_a_wrong_field_is_explained_and_the_way_on_is_kept(self, client, newcomer):
        page = client.post(self.url, self.form | {"city": "", "payment": "pebbles", "next": "/orders/"})
        html = page.content.decode()
        assert "This field is required." in html
        assert 'name="next" value="/orders/"' in html
        assert not Address.objects.exists()
        assert not PaymentMethod.objects.exists()

    @pytest.mark.parametrize("theirs", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
    def test_goes_on_to_pages_of_ours_only(self, client, newcomer, theirs):
        answer = client.post(self.url, self.form | {"payment": "invoice", "next": theirs})
        assert answer.url == resolve_url(settings.LOGIN_REDIRECT_URL)
        page = client.get(self.url, {"next": theirs}).content.decode()
        assert f'name="next" value="{resolve_url(settings.LOGIN_REDIRECT_URL)}"' in page

    def test_is_for_members(self, client):
        assert client.get(f"{self.url}?next=/my-list/").url.startswith(reverse("account_login"))
        assert client.post(self.url, self.form).url.startswith(reverse("account_login"))
        assert not Address.objects.exists()

    def test_other_methods_are_refused(self, client, newcomer):
        assert client.put(self.url).status_code == 405
