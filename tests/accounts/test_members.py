"""Addresses and wishes, without pages."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import members
from accounts.forms import AddressForm, country_choices
from accounts.models import Address, User
from accounts.phones import NotAPhone, for_people, to_e164
from shop.models import Order
from tests.factories import AddressFactory, MemberFactory

PLACE = {"recipient": "A", "phone": "+886912345678", "city": "C", "street": "S", "postal_code": "106"}


@pytest.mark.django_db
class TestAddresses:
    def test_save_address_first_is_default(self):
        assert members.save_address(member=MemberFactory(), **PLACE).is_default

    def test_save_address_second_is_not(self):
        member = MemberFactory()
        members.save_address(member=member, **PLACE)
        assert not members.save_address(member=member, **PLACE).is_default

    def test_save_address_default_of_others_stays(self):
        others = AddressFactory()
        members.save_address(member=MemberFactory(), make_default=True, **PLACE)
        others.refresh_from_db()
        assert others.is_default

    def test_save_address_mends_a_member_without_default(self):
        member = MemberFactory()
        AddressFactory(member=member, is_default=False)
        assert members.save_address(member=member, **PLACE).is_default

    def test_save_address_of_a_stranger(self):
        strangers = AddressFactory()
        with pytest.raises(Address.DoesNotExist):
            members.save_address(member=MemberFactory(), address_id=strangers.pk, **PLACE)

    def test_delete_address_of_a_stranger(self):
        strangers = AddressFactory()
        with pytest.raises(Address.DoesNotExist):
            members.delete_address(member=MemberFactory(), address_id=strangers.pk)
        assert Address.objects.exists()

    def test_delete_address_not_default_leaves_the_default(self):
        default = AddressFactory()
        other = AddressFactory(member=default.member, is_default=False)
        members.delete_address(member=default.member, address_id=other.pk)
        assert Address.objects.get().is_default

    def test_delete_address_gives_it_back_as_it_was(self):
        address = AddressFactory()
        gone = members.delete_address(member=address.member, address_id=address.pk)
        assert (gone.street, gone.is_default) == (address.street, True)

    def test_addresses_come_default_first_then_the_newest(self):
        member = MemberFactory()
        oldest, default, newest = (AddressFactory(member=member, is_default=number == 1) for number in range(3))
        assert list(members.addresses(member)) == [default, newest, oldest]

    def test_database_holds_one_default(self):
        address = AddressFactory()
        with pytest.raises(IntegrityError), transaction.atomic():
            AddressFactory(member=address.member)


@pytest.mark.django_db
class TestWishes:
    def test_set_language(self):
        member = MemberFactory()
        members.set_language(member=member, language="zh-hant")
        assert User.objects.get().language == "zh-hant"

    def test_change_profile_writes_only_what_changed(self):
        member = MemberFactory(name="Old")
        User.objects.update(language="zh-hant")
        members.change_profile(member=member, name="New")
        fresh = User.objects.get()
        assert (fresh.name, fresh.language) == ("New", "zh-hant")

    def test_time_zone_must_exist(self):
        with pytest.raises(ValidationError, match="no such time zone"):
            MemberFactory.build(time_zone="Mars/Olympus", password="!").full_clean()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0912345678", "+886912345678"),
        ("0912-345 678", "+886912345678"),
        ("+886 (0)912 345 678", "+886912345678"),
        ("02-2345-6789", "+886223456789"),
        ("+1 650 253 0000", "+16502530000"),
        ("０９１２３４５６７８", "+886912345678"),
    ],
)
def test_to_e164(typed, kept):
    assert to_e164(typed) == kept


@pytest.mark.parametrize("typed", ["", "12", "phone", "+886 12", "0912345678901234", "'; DROP TABLE"])
def test_to_e164_refuses(typed):
    with pytest.raises(NotAPhone):
        to_e164(typed)


def test_to_e164_reads_a_number_where_it_is():
    assert to_e164("650 253 0000", "US") == "+16502530000"


@pytest.mark.parametrize(
    ("kept", "shown"),
    [("+886912345678", "0912 345 678"), ("+16502530000", "+1 650-253-0000"), ("", ""), ("ask him", "ask him")],
)
def test_for_people(kept, shown):
    assert for_people(kept) == shown


@pytest.mark.parametrize("code", ["106", "10617", "106 017", "106017"])
def test_address_form_takes_taiwans_postal_codes(code):
    assert AddressForm({**PLACE, "country": "TW", "postal_code": code}).is_valid()


@pytest.mark.parametrize("code", ["", "1", "1061", "1061777", "SW1A", "10 6a"])
def test_address_form_refuses_other_codes_in_taiwan(code):
    assert set(AddressForm({**PLACE, "country": "TW", "postal_code": code}).errors) == {"postal_code"}


def test_address_form_tidies_codes_elsewhere():
    form = AddressForm({**PLACE, "country": "GB", "postal_code": "sw1a 1aa"})
    assert form.is_valid()
    assert form.cleaned_data["postal_code"] == "SW1A1AA"


def test_address_form_asks_for_a_state_only_abroad():
    typed = {**PLACE, "region": "California", "phone": "+16502530000"}
    at_home, abroad = AddressForm({**typed, "country": "TW"}), AddressForm({**typed, "country": "US"})
    assert at_home.is_valid()
    assert abroad.is_valid()
    assert (at_home.cleaned_data["region"], abroad.cleaned_data["region"]) == ("", "California")


def test_address_form_asks_in_the_order_of_the_country():
    def order(country: str) -> list[str]:
        return [name for name in AddressForm({"country": country}).fields if name in ("postal_code", "city", "street")]

    assert order("TW") == ["postal_code", "city", "street"]
    assert order("US") == ["street", "city", "postal_code"]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {"postal_code": "106", "city": "台北市大安區", "street": "和平東路一段 1 號"},
            "106 台北市大安區 和平東路一段 1 號",
        ),
        (
            {"postal_code": "94043", "city": "Mountain View", "region": "CA", "street": "1 Main St", "country": "US"},
            "1 Main St, Mountain View, CA 94043, US",
        ),
        ({"city": "Hong Kong", "street": "1 Queen's Rd", "country": "HK"}, "1 Queen's Rd, Hong Kong, HK"),
    ],
)
def test_an_address_is_written_as_its_country_does(fields, line):
    assert str(Address(**fields)) == line


def test_the_longest_address_fits_an_order():
    sizes = {name: Address._meta.get_field(name).max_length for name in ("postal_code", "city", "region", "street")}
    longest = Address(country="US", **{name: "x" * size for name, size in sizes.items()})
    assert len(str(longest)) <= Order._meta.get_field("address").max_length


def test_country_choices_begin_with_taiwan_in_the_language_of_the_page(settings):
    from django.utils.translation import override

    with override("zh-hant"):
        assert country_choices()[0] == ("TW", "台灣")
    with override("en"):
        assert ("JP", "Japan") in country_choices()
