from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.models import Category, Channel, Errand, Need, Offer, Order, OrderLine, Product, Purchase, Store
from tests.admin_contract import (
    add,
    assert_found_by,
    assert_only_for_staff,
    assert_opens,
    assert_queries_stay_the_same,
    assert_read_only,
    change,
    changelist,
    delete,
    shown,
    sign_in,
)
from tests.factories import (
    CategoryFactory,
    ChannelFactory,
    ErrandFactory,
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

HISTORY = {Errand: ErrandFactory, Order: OrderFactory, OrderLine: OrderLineFactory, Purchase: PurchaseFactory}
CATALOGUE = {
    Store: StoreFactory,
    Channel: ChannelFactory,
    Category: CategoryFactory,
    Need: NeedFactory,
    Product: ProductFactory,
    Offer: OfferFactory,
}
MAKERS = {**CATALOGUE, **HISTORY}


def of_each(makers):
    return pytest.mark.parametrize("model", makers, ids=lambda model: model.__name__)


def errors(response) -> dict:
    """What the form (or the first row of the inline that has any) complains about."""
    assert response.status_code == 200, "the form was accepted"
    found = dict(response.context["adminform"].form.errors)
    for formset in response.context["inline_admin_formsets"]:
        for form in formset.formset.forms:
            found.update(form.errors)
        if formset.formset.non_form_errors():
            found["inline"] = formset.formset.non_form_errors()
    return found


# ---------------------------------------------------------------- what all of them promise


@of_each(MAKERS)
def test_the_pages_open(client, model):
    sign_in(client, superuser=True)
    assert_opens(client, MAKERS[model]())


@of_each(MAKERS)
def test_the_pages_open_in_chinese(client, model):
    sign_in(client, superuser=True, language="zh-hant")
    row = MAKERS[model]()
    assert "管理後台" in client.get(changelist(model)).text
    assert client.get(change(row)).status_code == 200


@of_each(MAKERS)
def test_more_rows_ask_no_more_questions(client, model):
    sign_in(client, superuser=True)
    # Their own stores would each be one more choice in a filter, but no more questions.
    assert_queries_stay_the_same(client, changelist(model), MAKERS[model])


@of_each(MAKERS)
def test_only_staff_with_the_permission_see_it(client, model):
    assert_only_for_staff(client, changelist(model))
    sign_in(client, f"view_{model._meta.model_name}")
    assert client.get(changelist(model)).status_code == 200
    assert client.post(add(model), {}).status_code == 403


def test_staff_without_permissions_see_an_empty_index(client):
    sign_in(client)
    assert client.get("/admin/").context["app_list"] == []


@of_each(HISTORY)
def test_history_stays_as_it_happened(client, model):
    sign_in(client, superuser=True)
    assert_read_only(client, HISTORY[model]())


# ---------------------------------------------------------------- searching


@pytest.fixture
def striking_product():
    return ProductFactory(sku="ZX-9", name_en="Oat lotion", name_zh="燕麥乳液", brand="Havre")


@pytest.fixture
def mei():
    return MemberFactory(member_no="N777", name="Lin Mei", email="mei@example.org", phone="+886955555555")


OF_PRODUCT = ["ZX-9", "oat", "燕麥", "havre"]
OF_MEMBER = ["N777", "lin mei", "mei@example.org", "955555555"]


def test_products_are_found_by_sku_names_and_brand(client, striking_product):
    sign_in(client, superuser=True)
    ProductFactory.create_batch(3)
    assert_found_by(client, striking_product, OF_PRODUCT)


def test_offers_are_found_by_their_product(client, striking_product):
    sign_in(client, superuser=True)
    OfferFactory.create_batch(3)
    assert_found_by(client, OfferFactory(product=striking_product), OF_PRODUCT)


def test_errands_are_found_by_member_and_key(client, mei):
    sign_in(client, superuser=True)
    ErrandFactory.create_batch(3)
    assert_found_by(client, ErrandFactory(member=mei, key="tap-1"), [*OF_MEMBER, "tap-1"])


def test_orders_are_found_by_number_recipient_and_member(client, mei):
    sign_in(client, superuser=True)
    OrderFactory.create_batch(3, recipient="Wang An")
    order = OrderFactory(errand__member=mei, number="260102-ABCDEFGH", recipient="Chen Hao", phone="0287654321")
    assert_found_by(client, order, [*OF_MEMBER, "260102-ABCDEFGH", "abcdefgh", "chen hao", "87654321"])


def test_order_lines_are_found_by_order_product_and_member(client, mei, striking_product):
    sign_in(client, superuser=True)
    OrderLineFactory.create_batch(3)
    line = OrderLineFactory(order__errand__member=mei, order__number="260102-ABCDEFGH", offer__product=striking_product)
    assert_found_by(client, line, [*OF_MEMBER, *OF_PRODUCT, "260102-ABCDEFGH"])


def test_purchases_are_found_by_transaction_channel_product_and_member(client, mei, striking_product):
    sign_in(client, superuser=True)
    PurchaseFactory.create_batch(3)
    purchase = PurchaseFactory(
        member=mei, product=striking_product, transaction_no="TX-1", channel=ChannelFactory(code="branch-9")
    )
    assert_found_by(client, purchase, [*OF_MEMBER, *OF_PRODUCT, "TX-1", "branch-9"])


@of_each([Store, Channel, Category, Need])
def test_the_small_tables_are_found_by_code_and_name(client, model):
    sign_in(client, superuser=True)
    CATALOGUE[model].create_batch(3)
    if model is Channel:
        assert_found_by(client, ChannelFactory(code="zx-9", name="Riverside"), ["zx-9", "riverside"])
    else:
        row = CATALOGUE[model](code="zx-9", name_en="Riverside", name_zh="河岸")
        assert_found_by(client, row, ["zx-9", "riverside", "河岸"])


# ---------------------------------------------------------------- filtering


def test_offers_are_filtered_by_stock(client):
    sign_in(client, superuser=True)
    offers = {stock: OfferFactory(stock=stock).pk for stock in (0, 1, 5, 6, None)}
    assert shown(client, Offer, stock="out") == {offers[0]}
    assert shown(client, Offer, stock="few") == {offers[1], offers[5]}
    assert shown(client, Offer, stock="in") == {offers[1], offers[5], offers[6]}
    assert shown(client, Offer, stock="uncounted") == {offers[None]}


def test_offers_are_filtered_by_store_and_being_on_sale(client):
    sign_in(client, superuser=True)
    off, on = OfferFactory(is_active=False), OfferFactory()
    assert shown(client, Offer, is_active__exact="0") == {off.pk}
    assert shown(client, Offer, store__id__exact=str(on.store_id)) == {on.pk}


def test_products_are_filtered_by_category_department_and_a_missing_picture(client):
    sign_in(client, superuser=True)
    plain = ProductFactory(department="Food")
    drawn = ProductFactory(department="Drugs", picture="products/x.svg")
    assert shown(client, Product, department="Food") == {plain.pk}
    assert shown(client, Product, category__id__exact=str(drawn.category_id)) == {drawn.pk}
    assert shown(client, Product, picture__isempty="1") == {plain.pk}


def test_orders_are_filtered_by_status_store_and_payment(client, now):
    sign_in(client, superuser=True)
    placed = OrderFactory()
    settled = OrderFactory(status=Order.Status.SETTLED, settled_at=now, payment_kind="invoice")
    assert shown(client, Order, status__exact="settled") == {settled.pk}
    assert shown(client, Order, payment_kind__exact="cash_on_delivery") == {placed.pk}
    assert shown(client, Order, store__id__exact=str(placed.store_id)) == {placed.pk}


def test_purchases_and_order_lines_of_a_product_are_one_link_away(client):
    sign_in(client, superuser=True)
    line, purchase = OrderLineFactory(), PurchaseFactory()
    page = client.get(change(purchase.product)).text
    assert f"{changelist(Purchase)}?product__id__exact={purchase.product_id}" in page
    assert shown(client, Purchase, product__id__exact=str(purchase.product_id)) == {purchase.pk}
    assert shown(client, OrderLine, product__id__exact=str(line.product_id)) == {line.pk}
    assert shown(client, OrderLine, product__id__exact=str(purchase.product_id)) == set()


# ---------------------------------------------------------------- orders


def test_an_order_leads_to_its_member_and_errand_and_shows_its_lines(client):
    sign_in(client, superuser=True)
    line = OrderLineFactory(quantity=3)
    page = client.get(change(line.order)).text
    assert f'href="{change(line.order.member)}"' in page
    assert f'href="{change(line.order.errand)}"' in page
    assert line.product.name_en in page
    assert "lines-0-quantity" not in page


def test_an_order_of_many_lines_asks_no_more_questions(client):
    sign_in(client, superuser=True)
    order = OrderFactory()
    assert_queries_stay_the_same(client, change(order), lambda: OrderLineFactory(order=order))


def test_an_errand_of_many_orders_asks_no_more_questions(client):
    sign_in(client, superuser=True)
    errand = ErrandFactory()
    assert_queries_stay_the_same(client, change(errand), lambda: OrderFactory(errand=errand))


# ---------------------------------------------------------------- the catalogue: deleting and keys


def test_what_is_used_cannot_be_deleted_and_a_slip_can(client):
    sign_in(client, superuser=True)
    used, unused = OfferFactory(), ProductFactory()
    for row in (used.product, used.store, used.product.need, used.product.category):
        assert client.post(delete(row), {"post": "yes"}).status_code == 403
    assert client.post(delete(unused), {"post": "yes"}).status_code == 302
    assert set(Product.objects.all()) == {used.product}


def test_an_offer_that_was_ordered_cannot_be_deleted(client):
    sign_in(client, superuser=True)
    line = OrderLineFactory()
    assert client.post(delete(line.offer), {"post": "yes"}).status_code == 403


@of_each(CATALOGUE)
def test_nothing_of_the_catalogue_is_deleted_in_bulk(client, model):
    sign_in(client, superuser=True)
    row = CATALOGUE[model]()
    client.post(changelist(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model.objects.filter(pk=row.pk).exists()


def test_a_key_that_imports_rely_on_is_fixed(client):
    sign_in(client, superuser=True)
    category = CategoryFactory(code="soap")
    client.post(change(category), {"code": "other", "name_en": "Soaps", "name_zh": ""})
    category.refresh_from_db()
    assert (category.code, category.name_en) == ("soap", "Soaps")


# ---------------------------------------------------------------- stores


def store_data(**changes) -> dict:
    return {
        "code": "river",
        "name_zh": "",
        "name_en": "River",
        "tagline_zh": "",
        "tagline_en": "",
        "accent_light": "#112233",
        "accent_dark": "#ddeeff",
        "currency": "TWD",
        "country": "TW",
        "position": "1",
        "is_active": "on",
        **changes,
    }


def test_a_store_is_opened(client):
    sign_in(client, "add_store", "view_store")
    assert client.post(add(Store), store_data(currency="usd", country="us")).status_code == 302
    store = Store.objects.get()
    assert (store.code, store.currency, store.country, store.is_active) == ("river", "USD", "US", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "XQX"),
        ("country", "ZQ"),
        ("country", "1"),
        ("accent_light", "red; x"),
        ("code", "a b"),
        ("code", ""),
        ("position", "-1"),
    ],
)
def test_a_store_is_refused_with_a_reason(client, field, value):
    sign_in(client, superuser=True)
    assert list(errors(client.post(add(Store), store_data(**{field: value})))) == [field]


def test_the_currency_of_a_store_with_prices_is_fixed(client):
    sign_in(client, superuser=True)
    store = OfferFactory().store
    assert client.post(change(store), store_data(currency="USD")).status_code == 302
    store.refresh_from_db()
    assert (store.currency, store.name_en) == ("TWD", "River")


@of_each([Store, Category, Need, Product])
def test_something_without_any_name_is_refused(client, model):
    sign_in(client, superuser=True)
    data = {Store: store_data(name_en=" "), Product: product_data(name_en="")}.get(model, {"code": "x"})
    assert list(errors(client.post(add(model), data))) == ["name_zh"]


# ---------------------------------------------------------------- products


def product_data(*offers: dict, **changes) -> dict:
    """The form of a product as a browser sends it; each offer is a row of the inline."""
    rows = {f"offers-{n}-{name}": value for n, offer in enumerate(offers) for name, value in offer.items()}
    return {
        "sku": "P1",
        "name_zh": "",
        "name_en": "Soap",
        "brand": "",
        "department": "",
        "category": "",
        "need": "",
        "package_size": "",
        "package_unit": "",
        "offers-TOTAL_FORMS": str(len(offers)),
        "offers-INITIAL_FORMS": str(sum(1 for offer in offers if "id" in offer)),
        **rows,
        **changes,
    }


def test_a_product_is_added_with_its_price_in_a_store(client):
    sign_in(client, superuser=True)
    store = StoreFactory()
    offer = {"store": store.pk, "price": "120", "currency": "", "stock": "7", "is_active": "on"}
    assert client.post(add(Product), product_data(offer)).status_code == 302
    created = Offer.objects.get(product__sku="P1")
    assert (created.store, created.price, created.currency, created.stock) == (store, Decimal(120), "TWD", 7)


@pytest.mark.parametrize("size", ["0", "-1", "many"])
def test_a_product_of_no_size_is_refused(client, size):
    sign_in(client, superuser=True)
    assert list(errors(client.post(add(Product), product_data(package_size=size)))) == ["package_size"]


def test_two_products_of_one_sku_are_refused(client):
    sign_in(client, superuser=True)
    ProductFactory(sku="P1")
    assert list(errors(client.post(add(Product), product_data()))) == ["sku"]


def test_a_product_in_more_stores_asks_no_more_questions(client):
    sign_in(client, superuser=True)
    product = ProductFactory()
    assert_queries_stay_the_same(client, change(product), lambda: OfferFactory(product=product))


def test_a_second_offer_of_a_product_in_one_store_is_refused_on_the_products_page(client):
    sign_in(client, superuser=True)
    offer = OfferFactory(product__sku="P1")
    row = {"store": offer.store_id, "price": "1", "currency": "", "stock": "", "is_active": "on"}
    response = client.post(change(offer.product), product_data(row))
    assert list(errors(response)) == ["store"]
    twice = errors(client.post(add(Product), product_data(row, row, sku="P2")))
    assert "inline" in twice
    assert Offer.objects.count() == 1


def test_an_offer_does_not_move_to_another_store_on_the_products_page(client):
    sign_in(client, superuser=True)
    offer = OfferFactory(stock=3)
    row = {
        "id": offer.pk,
        "product": offer.product_id,
        "store": StoreFactory().pk,
        "price": "90",
        "currency": "TWD",
        "stock": "3",
        "is_active": "on",
    }
    data = product_data(row, **{"initial-offers-0-stock": "3"})
    assert client.post(change(offer.product), data).status_code == 302
    changed = Offer.objects.get()
    assert (changed.store_id, changed.price) == (offer.store_id, Decimal(90))


# ---------------------------------------------------------------- pictures

PLAIN_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z" fill="red"/></svg>'


def upload(client, name: str, content: bytes):
    return client.post(add(Product), product_data(picture=SimpleUploadedFile(name, content)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("soap.svg", PLAIN_SVG),
        ("soap.SVG", b"\xef\xbb\xbf" + PLAIN_SVG),
        ("soap.png", b"\x89PNG\r\n\x1a\n rest"),
        ("soap.jpg", b"\xff\xd8\xff\xe0 rest"),
        ("soap.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
        ("soap.svg", PLAIN_SVG.replace(b"<path", b'<defs><path id="a"/></defs><use href="#a"/><path')),
    ],
)
def test_a_picture_is_taken(client, name, content):
    sign_in(client, superuser=True)
    assert upload(client, name, content).status_code == 302
    product = Product.objects.get()
    assert product.picture.read() == content
    page = client.get(change(product)).text
    assert f'<img src="{product.picture.url}" alt=""' in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("soap.html", b"<script>alert(1)</script>"),
        ("soap.svg.exe", PLAIN_SVG),
        ("soap", PLAIN_SVG),
        ("soap.png", PLAIN_SVG),
        ("soap.jpg", b"\x89PNG\r\n\x1a\n rest"),
        ("soap.webp", b"RIFF\x00\x00\x00\x00WAVE"),
        ("soap.png", b"\x89PNG\r\n\x1a\n" + b"x" * 1_000_000),
        ("soap.svg", b"not xml"),
        ("soap.svg", b"\xff\xfe" + PLAIN_SVG.decode().encode("utf-16-le")),
        ("soap.svg", b'<html xmlns="http://www.w3.org/1999/xhtml"/>'),
        ("soap.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + PLAIN_SVG),
        ("soap.svg", PLAIN_SVG.replace(b"<path", b"<script>alert(1)</script><path")),
        ("soap.svg", PLAIN_SVG.replace(b"<path", b'<path onclick="alert(1)"')),
        ("soap.svg", PLAIN_SVG.replace(b"<path", b'<a href="javascript:alert(1)"/><path')),
        ("soap.svg", PLAIN_SVG.replace(b"<path", b'<image href="https://example.com/spy.png"/><path')),
        ("soap.svg", PLAIN_SVG.replace(b"<path", b'<a><set attributeName="href" to="javascript:alert(1)"/></a><path')),
        (
            "soap.svg",
            b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
            b'<use xlink:href="https://example.com/x.svg#a"/></svg>',
        ),
        ("soap.svg", PLAIN_SVG.replace(b"<path", b"<foreignObject/><path")),
    ],
)
def test_a_picture_that_is_none_or_could_do_harm_is_refused(client, name, content):
    sign_in(client, superuser=True)
    assert list(errors(upload(client, name, content))) == ["picture"]
    assert not Product.objects.exists()


# ---------------------------------------------------------------- offers


def offer_data(offer: Offer | None = None, **changes) -> dict:
    shown_stock = "" if offer is None or offer.stock is None else str(offer.stock)
    data = {"price": "300", "currency": "", "stock": shown_stock, "initial-stock": shown_stock, "is_active": "on"}
    if offer is None:
        data |= {"store": StoreFactory().pk, "product": ProductFactory().pk, "initial-stock": ""}
    return {**data, **changes}


def test_an_offer_takes_the_currency_of_its_store(client):
    sign_in(client, "add_offer", "view_product", "view_store")
    store = StoreFactory(currency="USD")
    assert client.post(add(Offer), offer_data(store=store.pk, price="12.50", stock="")).status_code == 302
    offer = Offer.objects.get()
    assert (offer.currency, offer.price, offer.stock) == ("USD", Decimal("12.50"), None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "USD"),
        ("price", "-1"),
        ("price", "1.50"),
        ("price", "cheap"),
        ("price", ""),
        ("stock", "-1"),
        ("stock", "1.5"),
        ("stock", "99999999999"),
    ],
)
def test_an_offer_is_refused_with_a_reason(client, field, value):
    sign_in(client, superuser=True)
    response = client.post(add(Offer), offer_data(**{field: value}))
    assert list(errors(response)) == [field]
    assert not Offer.objects.exists()


def test_a_second_offer_of_a_product_in_one_store_is_refused(client):
    sign_in(client, superuser=True)
    offer = OfferFactory()
    response = client.post(add(Offer), offer_data(store=offer.store_id, product=offer.product_id))
    assert list(errors(response)) == ["store"]


def test_price_stock_and_sale_of_an_offer_are_changed(client):
    sign_in(client, "change_offer")
    offer = OfferFactory(stock=50)
    data = offer_data(offer, price="280", stock="60")
    del data["is_active"]
    assert client.post(change(offer), data).status_code == 302
    changed = Offer.objects.get()
    assert (changed.price, changed.stock, changed.is_active) == (Decimal(280), 60, False)


def test_an_offer_keeps_its_store_and_product(client):
    sign_in(client, superuser=True)
    offer = OfferFactory()
    client.post(change(offer), offer_data(offer, store=StoreFactory().pk, product=ProductFactory().pk))
    changed = Offer.objects.get()
    assert (changed.store_id, changed.product_id) == (offer.store_id, offer.product_id)


def test_a_new_price_gives_back_nothing_that_was_sold_meanwhile(client):
    sign_in(client, superuser=True)
    offer = OfferFactory(stock=50)
    data = offer_data(offer, price="280")
    Offer.objects.update(stock=45)
    assert client.post(change(offer), data).status_code == 302
    changed = Offer.objects.get()
    assert (changed.price, changed.stock) == (Decimal(280), 45)


def test_a_stock_counted_before_something_was_sold_is_refused(client):
    sign_in(client, superuser=True)
    offer = OfferFactory(stock=50)
    data = offer_data(offer, stock="60")
    Offer.objects.update(stock=45)
    assert list(errors(client.post(change(offer), data))) == ["stock"]
    assert Offer.objects.get().stock == 45


@pytest.mark.services
def test_a_buyer_waits_while_staff_save_an_offer(client):
    sign_in(client, superuser=True)
    offer = OfferFactory(stock=50)
    row = {"id": offer.pk, "product": offer.product_id, "price": "280", "currency": "", "stock": "50"}
    pages = {
        change(offer): offer_data(offer, price="280"),
        change(offer.product): product_data(row, **{"initial-offers-0-stock": "50"}),
    }
    for page, data in pages.items():
        with CaptureQueriesContext(connection) as captured:
            assert client.post(page, data).status_code == 302
        locking = [query["sql"] for query in captured if "FOR UPDATE" in query["sql"]]
        assert len(locking) == 1
        assert 'FROM "shop_offer"' in locking[0]


def test_the_products_page_gives_back_nothing_that_was_sold_meanwhile(client):
    sign_in(client, superuser=True)
    offer = OfferFactory(stock=50)
    row = {"id": offer.pk, "product": offer.product_id, "price": "280", "currency": "", "stock": "50"}
    Offer.objects.update(stock=45)
    data = product_data(row, **{"initial-offers-0-stock": "50"})
    assert client.post(change(offer.product), data).status_code == 302
    changed = Offer.objects.get()
    assert (changed.price, changed.stock) == (Decimal(280), 45)


def test_offers_are_taken_off_sale_and_put_back(client):
    staff = sign_in(client, "change_offer")
    first, second, off = OfferFactory(), OfferFactory(), OfferFactory(is_active=False)
    untouched = OfferFactory()
    chosen = [first.pk, second.pk, off.pk]
    response = client.post(changelist(Offer), {"action": "take_off_sale", "_selected_action": chosen}, follow=True)
    assert "2 offers taken off sale." in response.text
    assert set(Offer.objects.filter(is_active=True)) == {untouched}
    assert {entry.object_id for entry in LogEntry.objects.filter(user=staff)} == {str(first.pk), str(second.pk)}
    client.post(changelist(Offer), {"action": "put_on_sale", "_selected_action": [first.pk]})
    assert set(Offer.objects.filter(is_active=True)) == {first, untouched}


def test_offers_stay_on_sale_for_staff_who_may_only_look(client):
    sign_in(client, "view_offer")
    offer = OfferFactory()
    client.post(changelist(Offer), {"action": "take_off_sale", "_selected_action": [offer.pk]})
    assert client.post(change(offer), offer_data(offer, price="1")).status_code == 403
    offer.refresh_from_db()
    assert (offer.is_active, offer.price) == (True, Decimal(300))


def test_products_are_offered_as_one_types(client):
    sign_in(client, "add_offer", "view_product")
    ProductFactory.create_batch(3)
    wanted = ProductFactory(sku="ZX-9")
    answer = client.get(
        "/admin/autocomplete/",
        {"app_label": "shop", "model_name": "offer", "field_name": "product", "term": "zx-9"},
    ).json()
    assert [row["id"] for row in answer["results"]] == [str(wanted.pk)]


# ---------------------------------------------------------------- who changed what


def history_of(row) -> str:
    return change(row)[: -len("change/")] + "history/"


def test_a_new_price_is_told_with_the_old_one_and_who_set_it(client):
    staff = sign_in(client, "change_offer", "view_offer")
    offer = OfferFactory(price=Decimal(300))
    client.post(change(offer), offer_data(offer, price="280"))
    (event,) = client.get(history_of(offer)).context["events"]
    assert event.who == staff
    changes = {one.label: (one.before, one.after) for one in event.changes}
    assert changes["Price"] == ("300.00", "280.00")


def test_a_price_changed_on_the_products_page_is_told_too(client):
    staff = sign_in(client, superuser=True)
    offer = OfferFactory(stock=50)
    row = {
        "id": offer.pk,
        "product": offer.product_id,
        "price": "280",
        "currency": "",
        "stock": "50",
        "is_active": "on",
    }
    client.post(change(offer.product), product_data(row, **{"initial-offers-0-stock": "50"}))
    (event,) = client.get(history_of(offer)).context["events"]
    assert (event.who, [one.label for one in event.changes]) == (staff, ["Price"])


def test_offers_taken_off_sale_together_are_told_of_each(client):
    staff = sign_in(client, "change_offer", "view_offer")
    offers = [OfferFactory(), OfferFactory()]
    chosen = [offer.pk for offer in offers]
    client.post(changelist(Offer), {"action": "take_off_sale", "_selected_action": chosen})
    for offer in offers:
        (event,) = client.get(history_of(offer)).context["events"]
        assert (event.who, [one.label for one in event.changes]) == (staff, ["On sale"])


def test_taking_many_off_sale_asks_no_more_questions_than_a_few(client):
    sign_in(client, "change_offer", "view_offer")

    def statements(count: int) -> int:
        chosen = [OfferFactory().pk for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            client.post(changelist(Offer), {"action": "take_off_sale", "_selected_action": chosen})
        return len(captured)

    statements(1)
    assert statements(2) == statements(20)


def test_an_orders_page_tells_when_it_was_placed_confirmed_and_undone(client, now):
    sign_in(client, "view_order")
    order = OrderFactory(status=Order.Status.UNDONE, undone_at=now)
    events = client.get(history_of(order)).context["events"]
    assert {event.what for event in events} == {"Placed", "Undone"}
    assert {event.who for event in events} == {order.member}


def test_an_order_mended_by_hand_is_told_with_who_did_it(client):
    staff = sign_in(client, "view_order")
    order = OrderFactory(recipient="Lin Mei")
    order.recipient, order._history_user = "Lin Mei-Hua", staff
    order.save()
    told = [event for event in client.get(history_of(order)).context["events"] if event.changes]
    assert [(event.who, event.changes[0].before, event.changes[0].after) for event in told] == [
        (staff, "Lin Mei", "Lin Mei-Hua")
    ]


def test_whoever_may_not_see_offers_does_not_see_their_history(client):
    sign_in(client, "view_product")
    assert client.get(history_of(OfferFactory())).status_code == 403
