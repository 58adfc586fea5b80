"""What is on the shelves: reading functions and the pages of stores and goods."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import translation

from shop import storefront
from shop.models import Order, Store
from tests.factories import (
    CategoryFactory,
    MemberFactory,
    NeedFactory,
    OfferFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    PurchaseFactory,
    StoreFactory,
)

pytestmark = pytest.mark.django_db
TAIPEI = ZoneInfo("Asia/Taipei")


def store_url(store, **query):
    return reverse("shop:store", args=[store.code], query=query)


def product_url(offer):
    return reverse("shop:product", args=[offer.store.code, offer.product.sku])


class TestSearch:
    @pytest.fixture
    def offer(self):
        need = NeedFactory(name_en="Diapers size 3", name_zh="尿布 M")
        product = ProductFactory(name_en="Soft Pants", name_zh="柔軟褲型", brand="Cloudkin", need=need)
        OfferFactory(product=ProductFactory(name_en="Soft soap", name_zh="軟皂", brand="Tidewell"))
        return OfferFactory(product=product)

    @pytest.mark.parametrize(
        "words",
        ["soft pants", "PANTS", "柔軟", "褲型 柔", "cloudkin", "尿布", "diapers", "soft cloud 尿", "ｃｌｏｕｄ"],
    )
    def test_every_word_may_stand_in_another_field(self, offer, words):
        assert list(storefront.search(storefront.on_sale(), words)) == [offer]

    def test_a_word_that_is_nowhere_finds_nothing(self, offer):
        assert not storefront.search(storefront.on_sale(), "soft 火箭").exists()

    def test_no_words_find_everything(self, offer):
        assert storefront.search(storefront.on_sale(), "  ").count() == 2


class TestShelf:
    def test_sold_out_goods_come_last_whatever_the_order(self):
        gone = OfferFactory(price=1, stock=0)
        dear = OfferFactory(store=gone.store, price=9, stock=None)
        cheap = OfferFactory(store=gone.store, price=2, stock=1)
        assert list(storefront.shelf(store=gone.store, sort="price")) == [cheap, dear, gone]
        assert list(storefront.shelf(store=gone.store, sort="-price")) == [dear, cheap, gone]

    def test_names_sort_in_the_language_of_the_moment_and_a_missing_one_is_stood_in_for(self):
        first = OfferFactory(product=ProductFactory(name_en="A", name_zh="丙"))
        second = OfferFactory(store=first.store, product=ProductFactory(name_en="", name_zh="B"))
        third = OfferFactory(store=first.store, product=ProductFactory(name_en="C", name_zh="A"))
        with translation.override("en"):
            assert list(storefront.shelf(store=first.store)) == [first, second, third]
        with translation.override("zh-hant"):
            assert list(storefront.shelf(store=first.store)) == [third, second, first]

    def test_holds_only_this_stores_active_offers(self):
        offer = OfferFactory()
        OfferFactory(store=offer.store, is_active=False)
        OfferFactory()
        assert list(storefront.shelf(store=offer.store)) == [offer]

    def test_categories_are_those_with_something_on_sale_here(self):
        offer = OfferFactory()
        OfferFactory(store=offer.store, product__need=offer.product.need)
        OfferFactory(store=offer.store, is_active=False)
        OfferFactory()
        CategoryFactory()
        (category,) = storefront.categories(store=offer.store)
        assert (category, category.offer_count) == (offer.product.category, 2)


class TestSameNeed:
    def test_this_store_first_then_what_can_be_had_then_the_cheaper(self):
        offer = OfferFactory()
        like = {"product__need": offer.product.need}
        other_store = OfferFactory(**like, price=1)
        gone = OfferFactory(**like, store=offer.store, price=2, stock=0)
        dear = OfferFactory(**like, store=offer.store, price=9)
        cheap = OfferFactory(**like, store=offer.store, price=3)
        OfferFactory(**like, is_active=False)
        OfferFactory(**like, store__is_active=False)
        OfferFactory(store=offer.store)
        assert storefront.same_need(offer) == [cheap, dear, gone, other_store]

    def test_a_product_of_no_need_has_no_alternatives(self):
        offer = OfferFactory(product__need=None, product__category=None)
        OfferFactory(product__need=None, product__category=None)
        assert storefront.same_need(offer) == []


class TestLastBoughtOn:
    def test_is_the_later_of_import_and_order_in_the_members_day(self):
        member, product = MemberFactory(), ProductFactory()
        PurchaseFactory(member=member, product=product, purchased_on=date(2026, 9, 1))
        assert storefront.last_bought_on(member=member, product=product, zone=TAIPEI) == date(2026, 9, 1)
        late_evening = datetime(2026, 10, 3, 17, 0, tzinfo=UTC)
        order = OrderFactory(errand__member=member, errand__placed_at=late_evening)
        OrderLineFactory(order=order, product=product)
        assert storefront.last_bought_on(member=member, product=product, zone=TAIPEI) == date(2026, 10, 4)

    def test_returns_undone_orders_and_others_purchases_do_not_count(self, now):
        member, product = MemberFactory(), ProductFactory()
        PurchaseFactory(member=member, product=product, quantity=Decimal(-1))
        PurchaseFactory(product=product)
        order = OrderFactory(errand__member=member, status=Order.Status.UNDONE, undone_at=now)
        OrderLineFactory(order=order, product=product)
        assert storefront.last_bought_on(member=member, product=product, zone=TAIPEI) is None


class TestHome:
    def test_shows_open_stores_with_colours_taglines_and_goods(self, client):
        store = StoreFactory(tagline_en="Small things")
        product = ProductFactory()
        product.picture.save("a.svg", ContentFile(b"<svg/>"))
        OfferFactory(store=store, product=product)
        StoreFactory(is_active=False, name_en="Closed store")
        page = client.get(reverse("shop:home")).content.decode()
        assert store.name_en in page
        assert "Small things" in page
        assert f'data-store="{store.code}"' in page
        assert product.picture.url in page
        assert "Closed store" not in page

    def test_without_any_store_says_so(self, client):
        assert "No store is open yet" in client.get(reverse("shop:home")).content.decode()

    def test_leads_a_returning_customer_to_the_list_and_nobody_else(self, client):
        strip = "Your list is ready"
        assert strip not in client.get(reverse("shop:home")).content.decode()
        member = MemberFactory()
        client.force_login(member)
        assert strip not in client.get(reverse("shop:home")).content.decode()
        PurchaseFactory(member=member)
        assert strip in client.get(reverse("shop:home")).content.decode()

    def test_post_is_refused(self, client):
        assert client.post(reverse("shop:home")).status_code == 405


class TestStyles:
    def test_gives_each_open_store_its_accent_light_and_dark(self, client):
        StoreFactory(code="duck", accent_light="#8a5a00", accent_dark="#f2b84b")
        StoreFactory(code="closed", is_active=False)
        answer = client.get(reverse("shop:styles"))
        assert answer.headers["Content-Type"].startswith("text/css")
        assert answer.content.decode() == '[data-store="duck"]{--accent:light-dark(#8a5a00,#f2b84b)}\n'
        assert "max-age" in answer.headers["Cache-Control"]

    def test_answers_304_until_a_colour_changes(self, client):
        store = StoreFactory()
        etag = client.get(reverse("shop:styles")).headers["ETag"]
        assert client.get(reverse("shop:styles"), headers={"If-None-Match": etag}).status_code == 304
        Store.objects.filter(pk=store.pk).update(accent_dark="#ffffff")
        assert client.get(reverse("shop:styles"), headers={"If-None-Match": etag}).status_code == 200

    def test_leaves_out_a_store_whose_colour_is_no_colour(self, client):
        StoreFactory(code="bad", accent_light="}*{x:y")
        StoreFactory(code="good")
        css = client.get(reverse("shop:styles")).content.decode()
        assert "good" in css
        assert "bad" not in css


class TestStorePage:
    def test_finds_chinese_words_and_keeps_them_in_the_box(self, client):
        offer = OfferFactory(product__name_zh="嬰兒濕巾", product__name_en="Baby wipes")
        OfferFactory(store=offer.store, product__name_en="Soap")
        page = client.get(store_url(offer.store, q="濕巾")).content.decode()
        assert "Baby wipes" in page
        assert "Soap" not in page
        assert 'value="濕巾"' in page

    def test_in_chinese_goods_have_their_chinese_names(self, client):
        offer = OfferFactory(product__name_zh="嬰兒濕巾", product__name_en="Baby wipes")
        page = client.get(store_url(offer.store), headers={"Accept-Language": "zh-TW"}).content.decode()
        assert "嬰兒濕巾" in page
        assert "Baby wipes" not in page

    def test_narrows_to_a_category(self, client):
        offer = OfferFactory(product__name_en="Wanted")
        OfferFactory(store=offer.store, product__name_en="Unwanted")
        page = client.get(store_url(offer.store, category=offer.product.category.code)).content.decode()
        assert "Wanted" in page
        assert "Unwanted" not in page

    def test_says_when_nothing_is_found(self, client):
        assert "Nothing found" in client.get(store_url(StoreFactory(), q="x")).content.decode()

    def test_says_sold_out_and_has_no_button_for_it(self, client):
        offer = OfferFactory(stock=0)
        page = client.get(store_url(offer.store)).content.decode()
        assert "Sold out" in page
        assert reverse("shop:basket_add", args=[offer.store.code, offer.pk]) not in page

    def test_pages_keep_the_search(self, client):
        store = StoreFactory()
        for _ in range(25):
            OfferFactory(store=store, product__brand="Tidewell")
        first = client.get(store_url(store, q="tidewell"))
        assert len(first.context["page"]) == 24
        assert "?q=tidewell&amp;page=2" in first.content.decode()
        assert len(client.get(store_url(store, q="tidewell", page=2)).context["page"]) == 1

    @pytest.mark.parametrize(
        "odd", [{"page": "x"}, {"page": "99999"}, {"sort": "stock"}, {"q": "\0"}, {"category": "\0"}]
    )
    def test_odd_parameters_are_no_errors(self, client, odd):
        offer = OfferFactory()
        assert client.get(store_url(offer.store, **odd)).status_code == 200

    def test_unknown_and_closed_stores_are_not_found(self, client):
        assert client.get("/s/nowhere/").status_code == 404
        assert client.get(store_url(StoreFactory(is_active=False))).status_code == 404

    def test_needs_no_more_queries_for_more_goods(self, client, django_assert_num_queries):
        store = StoreFactory()
        OfferFactory(store=store)
        with django_assert_num_queries(4):
            client.get(store_url(store))
        for _ in range(20):
            OfferFactory(store=store)
        with django_assert_num_queries(4):
            client.get(store_url(store))


class TestProductPage:
    def test_tells_price_package_unit_price_and_stock(self, client):
        offer = OfferFactory(
            price=469, stock=3, product__name_en="Diapers", product__package_size=84, product__brand="Cloudkin"
        )
        page = client.get(product_url(offer)).content.decode()
        for words in ("Diapers", "Cloudkin", "NT$469", "84 pieces", "NT$56 per 10 pieces", "Only 3 left"):
            assert words in page

    def test_shows_other_brands_and_sizes_of_the_need(self, client):
        offer = OfferFactory()
        other = OfferFactory(store=offer.store, product__need=offer.product.need, product__name_en="The other one")
        page = client.get(product_url(offer)).content.decode()
        assert "The other one" in page
        assert product_url(other) in page

    def test_tells_the_member_when_it_was_bought(self, client):
        offer = OfferFactory()
        PurchaseFactory(product=offer.product, purchased_on=date(2026, 9, 1))
        member = MemberFactory()
        client.force_login(member)
        assert "You bought this on" not in client.get(product_url(offer)).content.decode()
        PurchaseFactory(member=member, product=offer.product, purchased_on=date(2026, 9, 2))
        assert "You bought this on Sept. 2, 2026." in client.get(product_url(offer)).content.decode()

    def test_sold_out_has_no_button(self, client):
        page = client.get(product_url(OfferFactory(stock=0))).content.decode()
        assert "Sold out" in page
        assert "Add to basket" not in page

    def test_no_longer_sold_says_so_and_has_no_button(self, client):
        page = client.get(product_url(OfferFactory(is_active=False))).content.decode()
        assert "This store no longer sells it." in page
        assert "Add to basket" not in page

    def test_a_sku_may_hold_slashes_and_spaces(self, client):
        assert client.get(product_url(OfferFactory(product__sku="A/1 b"))).status_code == 200

    @pytest.mark.parametrize("sku", ["nothing", "%00"])
    def test_unknown_sku_is_not_found(self, client, sku):
        assert client.get(f"/s/{StoreFactory().code}/p/{sku}/").status_code == 404

    def test_anothers_stores_product_is_not_found_here(self, client):
        offer = OfferFactory()
        assert client.get(reverse("shop:product", args=[StoreFactory().code, offer.product.sku])).status_code == 404

    def test_takes_at_most_ten_queries_signed_in(self, client, django_assert_max_num_queries):
        offer = OfferFactory()
        for _ in range(5):
            OfferFactory(product__need=offer.product.need)
        member = MemberFactory()
        PurchaseFactory(member=member, product=offer.product)
        client.force_login(member)
        with django_assert_max_num_queries(10):
            client.get(product_url(offer))
