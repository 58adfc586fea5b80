"""What an import leaves in the shop's tables."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from accounts import birthdays, consents
from accounts.models import ConsentEntry, User
from shop.importing import Stopped
from shop.models import Category, Channel, Need, Offer, Product, Purchase, Store
from shop.signals import history_imported
from tests.factories import ChannelFactory, MemberFactory, OfferFactory, ProductFactory, StoreFactory
from tests.shop.exports import AT, Export, bring, channel, line, member, product

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(tmp_path):
    return Export(tmp_path / "export")


def test_import_makes_an_unclaimed_member_who_cannot_sign_in_with_a_password(export):
    bring(export.write())
    user = User.objects.get()
    assert (user.member_no, user.name, user.email) == ("M1", "Member 1", "member1@example.com")
    assert user.phone == "+886912000001"
    assert user.birthday == date(1987, 12, 18)
    assert user.joined_at == datetime(2017, 1, 6, 16, 0, tzinfo=UTC), "midnight in Taipei"
    assert user.home_channel == "C1"
    assert (user.email_consent, user.sms_consent) == (True, False)
    assert user.claimed_at is None
    assert not user.has_usable_password()
    assert user.is_active
    assert not user.is_staff
    assert (user.language, user.time_zone) == ("zh-hant", "Asia/Taipei")


@pytest.mark.parametrize(("consent", "reminders"), [("true", "email"), ("false", "none"), ("", "none")])
def test_import_reminds_by_email_only_whom_consents(export, consent, reminders):
    export.members = [member(email_consent=consent)]
    bring(export.write())
    assert User.objects.get().reminder_channel == reminders


def _ledger(**of: str) -> list[tuple[str, str, bool, str]]:
    entries = ConsentEntry.objects.filter(**of).order_by("pk")
    return list(entries.values_list("purpose", "channel", "given", "source"))


def test_import_begins_the_ledger_of_what_each_agreed_to(export):
    export.members = [member(1), member(2, email="", email_consent="false", sms_consent="true")]
    bring(export.write())
    assert _ledger(member__member_no="M1") == [
        ("orders", "email", True, "import"),
        ("reminders", "email", True, "import"),
        ("offers", "email", True, "import"),
    ]
    assert _ledger(member__member_no="M2") == [("orders", "sms", True, "import"), ("offers", "sms", True, "import")]
    assert set(ConsentEntry.objects.values_list("at", "wording")) == {(AT, consents.UNKNOWN_WORDING)}


def test_import_writes_into_the_ledger_only_what_changed(export):
    bring(export.write())
    before = _ledger()
    bring(export.write())
    assert _ledger() == before
    export.members = [member(email_consent="false")]
    bring(export.write())
    assert _ledger()[len(before) :] == [("reminders", "email", False, "import"), ("offers", "email", False, "import")]
    bring(export.write())
    user = User.objects.get()
    assert consents.recorded(user) == consents.granted(user) == {("orders", "email")}
    assert len(_ledger()) == len(before) + 2


def test_import_takes_no_wish_back_that_came_by_a_link(export):
    bring(export.write())
    consents.choose(member=User.objects.get(), reminder_channel="none", at=AT, source=consents.Source.LINK)
    bring(export.write())
    user = User.objects.get()
    assert user.reminder_channel == "none"
    assert consents.recorded(user) == consents.granted(user)


def test_import_writes_nothing_into_the_ledger_of_a_claimed_member(export):
    MemberFactory(member_no="M1")
    bring(export.write())
    assert not ConsentEntry.objects.exists()


def test_import_keeps_a_birthday_that_staff_mended(export):
    bring(export.write())
    assert User.objects.get().birthday_source == "import"
    User.objects.update(birthday=date(1990, 5, 5), birthday_source="staff")
    bring(export.write())
    user = User.objects.get()
    assert (user.birthday, user.birthday_source) == (date(1990, 5, 5), "staff")


def test_import_does_not_bring_back_a_birthday_that_its_owner_deleted(export):
    bring(export.write())
    birthdays.change(member=User.objects.get(), birthday=None, source=User.BirthdaySource.MEMBER, at=AT)
    bring(export.write())
    assert User.objects.get().birthday is None


def test_import_gives_new_members_the_chosen_language_and_zone(export):
    export.members = [member(phone="(513) 555-0123")]
    bring(export.write(), language="en", time_zone="America/New_York", region="US")
    user = User.objects.get()
    assert (user.language, user.time_zone, user.phone) == ("en", "America/New_York", "+15135550123")
    assert user.joined_at == datetime(2017, 1, 7, 5, 0, tzinfo=UTC)


def test_import_keeps_no_birthday_that_is_the_day_of_joining(export):
    export.members = [member(birthday="2017-01-07", joined_at="2017-01-07")]
    bring(export.write())
    assert User.objects.get().birthday is None


def test_import_joins_a_member_without_a_date_now_and_never_again(export):
    export.members = [member(joined_at="")]
    bring(export.write())
    assert User.objects.get().joined_at == AT
    outcome, _ = bring(export.write(), at=datetime(2027, 1, 1, tzinfo=UTC))
    assert outcome.counts["members"].unchanged == 1
    assert User.objects.get().joined_at == AT


def test_import_makes_a_store_of_a_brand_in_the_currency_of_its_products(export):
    export.channels = [channel(1, brand="Baby & Co"), channel(2, brand="美妝館", kind="online")]
    export.products = [product(1, currency="JPY"), product(2), product(3)]
    bring(export.write())
    baby = Store.objects.get(code="baby-co")
    assert (baby.name_en, baby.name_zh, baby.currency) == ("Baby & Co", "", "USD")
    beauty = Store.objects.exclude(code="baby-co").get()
    assert (beauty.name_zh, beauty.name_en) == ("美妝館", "")
    assert list(Channel.objects.order_by("code").values_list("code", "name", "kind", "store__name_en")) == [
        ("C1", "Branch 1", "branch", "Baby & Co"),
        ("C2", "Branch 2", "online", ""),
    ]


def test_import_leaves_the_looks_of_a_store_that_is_there(export):
    StoreFactory(code="main", name_en="The house", currency="TWD", accent_light="#123456")
    bring(export.write())
    store = Store.objects.get()
    assert (store.name_en, store.currency, store.accent_light) == ("The house", "TWD", "#123456")


def test_import_into_one_store_passes_over_the_brands(export):
    StoreFactory(code="house")
    export.channels = [channel(1, brand=""), channel(2, brand="Other")]
    bring(export.write(), store="house")
    assert set(Channel.objects.values_list("store__code", flat=True)) == {"house"}


def test_import_into_an_unknown_store_names_those_there_are(export):
    StoreFactory(code="house")
    with pytest.raises(Stopped, match=r"no store horse\. Stores: house"):
        bring(export.write(), store="horse")


def test_import_fills_the_catalogue(export):
    bring(export.write())
    soap = Product.objects.get()
    assert (soap.sku, soap.name_en, soap.brand, soap.department) == ("P1", "Soap 1", "Private", "DRUG GM")
    assert (soap.package_size, soap.package_unit) == (Decimal(16), "OZ")
    assert (soap.category.code, soap.category.name_en) == ("soap", "SOAP")
    assert (soap.need.code, soap.need.name_en, soap.need.category) == ("soap-bar-soap", "BAR SOAP", soap.category)
    offer = soap.offers.get()
    assert (offer.store.code, offer.price, offer.currency) == ("main", Decimal("2.67"), "USD")
    assert offer.stock is None, "not counted"
    assert offer.is_active


def test_import_keeps_the_same_subcategory_of_two_categories_apart(export):
    export.products = [product(1, category="BABY"), product(2, category="SOAP")]
    bring(export.write())
    assert Need.objects.count() == Category.objects.count() == 2


def test_import_takes_products_with_gaps(export):
    export.products = [product(name="", brand="", department="", category="", subcategory="", package_size="CTN")]
    bring(export.write())
    thing = Product.objects.get()
    assert thing.name == "P1"
    assert (thing.category, thing.need, thing.package_size, thing.package_unit) == (None, None, None, "")


def test_import_never_writes_the_sku_over_a_name_that_was_given_here(export):
    export.products = [product(name="")]
    bring(export.write())
    Product.objects.update(name_en="Nice soap", name_zh="香皂")
    outcome, _ = bring(export.write())
    assert Product.objects.get().name_en == "Nice soap"
    assert outcome.counts["products"].unchanged == 1


@pytest.mark.parametrize("price", ["", "0", "0.00"])
def test_import_makes_no_offer_without_a_price_but_keeps_the_history(export, price):
    export.products = [product(unit_price=price)]
    bring(export.write())
    assert not Offer.objects.exists()
    assert Purchase.objects.get().product.sku == "P1"


def test_import_offers_a_product_where_it_was_sold_else_in_the_first_store(export):
    export.channels = [channel(1, brand="First"), channel(2, brand="Second"), channel(3, brand="Third")]
    export.products = [product(1), product(2)]
    export.transactions = [line(1, channel_code="C2"), line(2, channel_code="C3"), line(3, channel_code="C3")]
    bring(export.write())
    assert set(Offer.objects.values_list("product__sku", "store__code")) == {
        ("P1", "second"),
        ("P1", "third"),
        ("P2", "first"),
    }


def test_import_puts_new_prices_on_offers_and_leaves_their_stock(export):
    bring(export.write())
    Offer.objects.update(stock=7, is_active=False)
    export.products = [product(unit_price="3.10")]
    outcome, _ = bring(export.write())
    offer = Offer.objects.get()
    assert (offer.price, offer.stock, offer.is_active) == (Decimal("3.10"), 7, False)
    assert outcome.counts["products"].changed == 1


def test_import_keeps_a_purchase_with_its_moment_and_its_local_day(export):
    export.transactions = [line(purchased_at="2017-03-01T22:15:00-05:00", quantity="1.25", unit_price="0.3333")]
    bring(export.write())
    bought = Purchase.objects.get()
    assert bought.purchased_at == datetime(2017, 3, 2, 3, 15, tzinfo=UTC)
    assert bought.purchased_on == date(2017, 3, 1)
    assert (bought.transaction_no, bought.line_no) == ("T1", 1)
    assert (bought.member.member_no, bought.channel.code, bought.product.sku) == ("M1", "C1", "P1")
    assert (bought.quantity, bought.unit_price, bought.currency) == (Decimal("1.25"), Decimal("0.3333"), "USD")


@pytest.mark.parametrize("quantity", ["0", "-2", "33567"])
def test_import_keeps_lines_that_moved_nothing_returns_and_fuel(export, quantity):
    export.transactions = [line(quantity=quantity)]
    bring(export.write())
    assert Purchase.objects.get().quantity == Decimal(quantity)


def test_import_again_changes_nothing(export):
    export.members = [member(1), member(2, email="", phone="", birthday="")]
    export.products = [product(1), product(2, unit_price="", package_size="")]
    export.transactions = [line(1, unit_price="1.1"), line(2, quantity="0.125"), line(3, sku="P2")]
    first, _ = bring(export.write())
    again, _ = bring(export.write())
    for name, counts in again.counts.items():
        assert (counts.added, counts.changed, counts.unchanged) == (0, 0, first.counts[name].added), name


def test_import_of_a_newer_export_adds_and_updates(export):
    bring(export.write())
    export.members = [member(1, name="Renamed"), member(2)]
    export.channels = [channel(1, name="Moved"), channel(2)]
    export.products = [product(1, brand="National"), product(2)]
    export.transactions = [line(1, quantity="3"), line(2, sku="P2", member_no="M2", channel_code="C2")]
    outcome, _ = bring(export.write())
    assert {(counts.added, counts.changed) for counts in outcome.counts.values()} == {(1, 1)}
    assert User.objects.get(member_no="M1").name == "Renamed"
    assert Channel.objects.get(code="C1").name == "Moved"
    assert Product.objects.get(sku="P1").brand == "National"
    assert Purchase.objects.get(transaction_no="T1").quantity == 3


def test_import_of_a_part_refers_to_what_is_in_the_shop(export):
    bring(export.write())
    export.members, export.channels, export.products = [], [], []
    export.transactions = [line(2)]
    outcome, _ = bring(export.write())
    assert outcome.written
    assert Purchase.objects.count() == 2
    assert Offer.objects.count() == 1


def test_import_never_writes_over_what_a_claimed_member_controls(export):
    MemberFactory(member_no="M1", name="Mei", email="mei@example.com", phone="", birthday=None, email_consent=False)
    outcome, _ = bring(export.write())
    mei = User.objects.get()
    assert (mei.name, mei.email, mei.email_consent) == ("Mei", "mei@example.com", False)
    assert mei.reminder_channel == "email", "as the member chose"
    assert (mei.phone, mei.birthday) == ("+886912000001", date(1987, 12, 18)), "empty ones are filled"
    assert outcome.counts["members"].changed == 1
    again, _ = bring(export.write())
    assert again.counts["members"].unchanged == 1


def test_import_lets_two_members_swap_their_email(export):
    export.members = [member(1), member(2)]
    bring(export.write())
    export.members = [member(1, email="member2@example.com"), member(2, email="member1@example.com")]
    outcome, _ = bring(export.write())
    assert outcome.counts["members"].changed == 2
    assert User.objects.get(member_no="M1").email == "member2@example.com"


def test_import_counts_the_same_line_twice_as_repeated(export):
    export.transactions = [line(1), line(2), line(1, quantity="2.0"), line(1)]
    outcome, rejects = bring(export.write())
    counts = outcome.counts["transactions"]
    assert (counts.lines, counts.added, counts.repeated, rejects.total) == (4, 2, 2, 0)
    assert Purchase.objects.count() == 2


def test_import_leaves_out_departments_and_their_lines(export):
    export.products = [product(1), product(2, department="Fuel")]
    export.transactions = [line(1), line(2, sku="P2", quantity="33567")]
    outcome, _ = bring(export.write(), excluded_departments=frozenset({"FUEL "}))
    assert outcome.counts["products"].left_out == 1
    assert outcome.counts["transactions"].left_out == 1
    assert Product.objects.get().sku == Purchase.objects.get().product.sku == "P1"


def test_import_counts_a_repeated_line_of_a_department_left_out_as_repeated(export):
    export.products = [product(1), product(2, department="Fuel")]
    export.transactions = [line(1), line(2, sku="P2"), line(2, sku="P2")]
    counts = bring(export.write(), excluded_departments=frozenset({"FUEL"}))[0].counts["transactions"]
    assert (counts.added, counts.left_out, counts.repeated) == (1, 1, 1)


@pytest.mark.parametrize("number", ["\\N", "T\\t1", "\\.", "T 1", "収-1"])
def test_import_takes_keys_as_they_are_written(export, number):
    export.transactions = [line(1), line(2, transaction_no=number)]
    bring(export.write())
    assert set(Purchase.objects.values_list("transaction_no", flat=True)) == {"T1", number}


def test_import_leaves_out_lines_of_a_department_that_is_in_the_shop_already(export):
    ProductFactory(sku="P2", department="FUEL")
    export.transactions = [line(1), line(2, sku="P2")]
    outcome, _ = bring(export.write(), excluded_departments=frozenset({"fuel"}))
    assert outcome.counts["transactions"].left_out == 1


def test_import_leaves_the_rest_of_the_shop_alone(export):
    other = OfferFactory(price=Decimal(5))
    ChannelFactory(code="elsewhere")
    MemberFactory(member_no="N1", email="")
    bring(export.write())
    other.refresh_from_db()
    assert other.price == 5
    assert User.objects.filter(member_no="N1").exists()
    assert Offer.objects.count() == 2


def test_import_announces_itself_after_the_commit(export, django_capture_on_commit_callbacks):
    heard = []

    def listen(sender, **payload):
        heard.append(payload["purchases"])

    history_imported.connect(listen)
    try:
        export.transactions = [line(1), line(2)]
        with django_capture_on_commit_callbacks(execute=True):
            bring(export.write())
            assert heard == []
        assert heard == [2]
        with django_capture_on_commit_callbacks(execute=True):
            bring(export.write())
        assert heard == [2], "nothing was written the second time"
    finally:
        history_imported.disconnect(listen)


def test_import_reads_gzipped_files_a_mark_and_other_columns_in_any_order(export):
    export.members = [{"note": "x", **dict(reversed(member(name="林美").items()))}]
    export.write()
    path = export.folder / "members.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    for name in ("members", "transactions"):
        export.gzip(name)
    outcome, _ = bring(export.folder)
    assert outcome.written
    assert User.objects.get().name == "林美"


def test_import_takes_a_line_break_inside_a_quoted_name(export):
    export.products = [product(name="Soap\nfor hands")]
    bring(export.write())
    assert Product.objects.get().name_en == "Soap for hands"
