"""The members' pages."""

from datetime import date

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation

from accounts import consents
from accounts.models import Address, ConsentEntry, User
from tests.factories import AddressFactory, MemberFactory

pytestmark = pytest.mark.django_db
ADDRESS = {
    "recipient": "Lin Mei",
    "phone": "0912 345 678",
    "country": "TW",
    "postal_code": "10617",
    "city": "Da'an, Taipei",
    "street": "Heping E. Rd. 1",
}


@pytest.fixture
def member() -> User:
    return MemberFactory(name="Mei", phone="+886912345678")


@pytest.fixture
def browser(member) -> Client:
    client = Client()
    client.force_login(member)
    return client


@pytest.mark.parametrize(
    "path",
    [
        "/members/",
        "/members/profile/",
        "/members/messages/",
        "/members/birthday/",
        "/members/addresses/",
        "/members/addresses/new/",
        "/members/addresses/1/",
        "/ways-to-pay/",
    ],
)
def test_pages_send_the_anonymous_to_sign_in(client, path):
    assert client.get(path).url == f"/accounts/login/?next={path}"


def test_delete_sends_the_anonymous_to_sign_in(client):
    address = AddressFactory()
    assert client.post(f"/members/addresses/{address.pk}/delete/").url.startswith("/accounts/login/")
    assert Address.objects.exists()


def test_me_shows_the_member(browser, member, django_assert_max_num_queries):
    AddressFactory(member=member, street="Home St.")
    AddressFactory(member=member, is_default=False)
    AddressFactory(street="Strange St.")
    with django_assert_max_num_queries(4):
        page = browser.get("/members/").text
    for shown in [member.member_no, member.email, "0912 345 678", "Home St.", "Taiwan · Taipei", "Not given"]:
        assert shown in page
    assert "Strange St." not in page


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/email/",
        "/accounts/phone/change/",
        "/members/messages/",
        "/members/addresses/",
        "/ways-to-pay/",
        "/members/profile/",
        "/members/birthday/",
        "/accounts/2fa/",
        "/members/devices/",
        "/accounts/password/set/",
    ],
)
def test_me_leads_everywhere(browser, path):
    assert f'href="{path}"' in browser.get("/members/").text
    assert browser.get(path).status_code == 200


def test_me_leads_to_accounts_elsewhere_where_there_are_any(browser, settings):
    assert "/accounts/3rdparty/" not in browser.get("/members/").text
    app = {"client_id": "my-list", "secret": "s", "key": ""}
    settings.SOCIALACCOUNT_PROVIDERS = {"google": {"APPS": [app]}}
    assert 'href="/accounts/3rdparty/"' in browser.get("/members/").text


def test_me_offers_to_add_what_is_missing(browser):
    User.objects.update(phone="", birthday=None)
    assert "Add one" in browser.get("/members/").text


def test_profile_saves(browser, member):
    wishes = {"name": "May", "language": "zh-hant", "time_zone": "Asia/Tokyo"}
    response = browser.post("/members/profile/", wishes)
    assert response.url == "/members/"
    assert response.cookies["django_language"].value == "zh-hant"
    member.refresh_from_db()
    assert (member.name, member.language, member.time_zone) == tuple(wishes.values())


def test_profile_refuses_an_unknown_time_zone(browser, member):
    response = browser.post("/members/profile/", {"name": "Wrong", "language": "en", "time_zone": "Mars/Olympus"})
    assert "time_zone" in response.context["form"].errors
    member.refresh_from_db()
    assert (member.name, member.time_zone) == ("Mei", "Asia/Taipei")


def test_profile_cannot_change_contacts(browser, member):
    wishes = {"name": "Mei", "language": "en", "time_zone": "Asia/Taipei"}
    browser.post("/members/profile/", {**wishes, "email": "x@example.com", "phone": "1", "is_staff": "on"})
    fresh = User.objects.get(pk=member.pk)
    assert (fresh.email, fresh.phone, fresh.is_staff) == (member.email, "+886912345678", False)


def test_messages_are_chosen_and_written_into_the_ledger(browser, member):
    wishes = {"order_channel": "sms", "reminder_channel": "none", "email_consent": "on"}
    assert browser.post("/members/messages/", wishes).url == "/members/messages/"
    member.refresh_from_db()
    assert (member.order_channel, member.reminder_channel) == ("sms", "none")
    assert (member.email_consent, member.sms_consent) == (True, False)
    assert consents.recorded(member) == consents.granted(member)
    assert set(consents.ledger(member).values_list("source", flat=True)) == {"member"}
    page = browser.get("/members/messages/").text
    assert page.count("<tr>") == 3
    assert "The member&#x27;s page" in page


def test_messages_say_what_each_is_for(browser):
    page = browser.get("/members/messages/").text
    for sentence in consents.WORDINGS[consents.WORDING].values():
        assert sentence in page


@pytest.mark.parametrize(
    ("contact", "wish", "field"),
    [
        ("phone", {"order_channel": "sms"}, "order_channel"),
        ("phone", {"reminder_channel": "sms"}, "reminder_channel"),
        ("phone", {"sms_consent": "on"}, "sms_consent"),
        ("email", {"email_consent": "on"}, "email_consent"),
    ],
)
def test_messages_by_a_way_without_its_contact_are_refused(browser, member, contact, wish, field):
    User.objects.update(**{contact: ""})
    response = browser.post("/members/messages/", {"order_channel": "email", "reminder_channel": "none", **wish})
    assert list(response.context["form"].errors) == [field]
    assert not ConsentEntry.objects.exists()


def test_messages_a_wish_that_stays_needs_no_contact(browser, member):
    User.objects.update(email="")
    wishes = {"order_channel": "email", "reminder_channel": "none"}
    assert browser.post("/members/messages/", wishes).status_code == 302


def test_birthday_is_asked_for_with_the_reason(browser, member):
    assert "greeting" in browser.get("/members/birthday/").text
    assert browser.post("/members/birthday/", {"birthday": "1990-05-05"}).url == "/members/"
    member.refresh_from_db()
    assert (member.birthday, member.birthday_source) == (date(1990, 5, 5), "member")
    page = browser.get("/members/birthday/").text
    assert 'value="1990-05-05"' in page
    assert "The member; Confirmed" in page


def test_birthday_in_the_future_is_refused(browser, member):
    response = browser.post("/members/birthday/", {"birthday": "2990-05-05"})
    assert "birthday" in response.context["form"].errors
    member.refresh_from_db()
    assert member.birthday is None


def test_birthday_is_deleted_and_comes_back(browser, member):
    User.objects.update(birthday=date(1990, 5, 5), birthday_source="import")
    page = browser.post("/members/birthday/delete/", follow=True)
    assert '<form method="post" action="/members/birthday/undo/"' in page.text
    member.refresh_from_db()
    assert member.birthday is None
    for _ in range(2):
        browser.post("/members/birthday/undo/")
        member.refresh_from_db()
        assert (member.birthday, member.birthday_source) == (date(1990, 5, 5), "import")


def test_address_new_returns_where_it_came_from(browser, member):
    response = browser.post("/members/addresses/new/?next=/s/soap/checkout/", ADDRESS)
    assert response.url == "/s/soap/checkout/"
    address = Address.objects.get()
    assert (address.member, address.phone, address.is_default) == (member, "+886912345678", True)


def test_address_new_starts_with_name_and_phone(browser):
    assert 'value="Mei"' in browser.get("/members/addresses/new/").text


def test_address_new_says_what_is_wrong(browser):
    response = browser.post("/members/addresses/new/", {**ADDRESS, "postal_code": "12", "phone": "1"})
    assert set(response.context["form"].errors) == {"postal_code", "phone"}
    assert not Address.objects.exists()


def test_address_new_as_default(browser, member):
    first = AddressFactory(member=member)
    browser.post("/members/addresses/new/", {**ADDRESS, "make_default": "on"})
    first.refresh_from_db()
    assert first.is_default is False
    assert Address.objects.get(is_default=True).postal_code == "10617"


def test_address_edit(browser, member):
    address = AddressFactory(member=member)
    browser.post(f"/members/addresses/{address.pk}/", {**ADDRESS, "street": "Elsewhere 2"})
    address.refresh_from_db()
    assert (address.street, address.is_default) == ("Elsewhere 2", True)


def test_address_edit_default_has_no_tick_to_take_off(browser, member):
    address = AddressFactory(member=member)
    assert "make_default" not in browser.get(f"/members/addresses/{address.pk}/").context["form"].fields


@pytest.mark.parametrize("path", ["/members/addresses/{}/", "/members/addresses/{}/delete/"])
def test_address_of_a_stranger_is_404(browser, path):
    strangers = AddressFactory()
    assert browser.post(path.format(strangers.pk), ADDRESS).status_code == 404
    strangers.refresh_from_db()
    assert strangers.postal_code == "106"


def test_address_delete_can_be_taken_back(browser, member):
    address = AddressFactory(member=member)
    other = AddressFactory(member=member, is_default=False)
    page = browser.post(f"/members/addresses/{address.pk}/delete/", follow=True)
    assert page.redirect_chain[-1][0] == "/members/addresses/"
    assert '<form method="post" action="/members/addresses/undo/"' in page.text
    assert list(Address.objects.values_list("pk", "is_default")) == [(other.pk, True)]
    browser.post("/members/addresses/undo/")
    back = Address.objects.exclude(pk=other.pk).get()
    assert (back.street, back.phone, back.is_default) == (address.street, address.phone, True)
    browser.post("/members/addresses/undo/")
    assert Address.objects.count() == 2


def test_address_undo_without_anything_to_take_back(browser, member):
    assert browser.post("/members/addresses/undo/").url == "/members/addresses/"
    assert not Address.objects.exists()


def test_address_abroad_with_its_state(browser):
    abroad = {"country": "US", "region": "CA", "postal_code": "94043", "city": "Mountain View", "phone": "650 253 0000"}
    assert browser.post("/members/addresses/new/", {**ADDRESS, **abroad}).url == "/members/addresses/"
    assert "Heping E. Rd. 1, Mountain View, CA 94043, US" in browser.get("/members/addresses/").text


def test_addresses_cost_the_same_however_many(browser, member, django_assert_max_num_queries):
    AddressFactory(member=member)
    for _ in range(5):
        AddressFactory(member=member, is_default=False)
    with django_assert_max_num_queries(4):
        assert browser.get("/members/addresses/").text.count('<li class="sheet">') == 6


def test_address_delete_needs_a_post(browser, member):
    address = AddressFactory(member=member)
    assert browser.get(f"/members/addresses/{address.pk}/delete/").status_code == 405


def test_language_for_visitors_is_a_cookie(client):
    response = client.post("/members/language/", {"language": "zh-hant", "next": "/accounts/login/?next=/x/"})
    assert response.url == "/accounts/login/?next=/x/"
    assert response.cookies["django_language"].value == "zh-hant"
    assert response.cookies["django_language"]["samesite"] == "Lax"


def test_language_is_kept_on_the_member(browser, member):
    browser.post("/members/language/", {"language": "zh-hant", "next": "/members/"})
    member.refresh_from_db()
    assert member.language == "zh-hant"
    assert 'lang="zh-Hant"' in browser.get("/members/").text


def test_language_unknown_changes_nothing(browser, member):
    response = browser.post("/members/language/", {"language": "fr", "next": "/members/"})
    assert "django_language" not in response.cookies
    member.refresh_from_db()
    assert member.language == "en"


def test_language_needs_a_post(client):
    assert client.get("/members/language/").status_code == 405


@pytest.mark.parametrize("kept", ["en", "zh-hant"])
def test_members_language_wins_over_the_browsers(kept):
    member = MemberFactory(language=kept)
    client = Client(headers={"accept-language": "zh-TW" if kept == "en" else "en"})
    client.force_login(member)
    response = client.get("/members/profile/")
    assert response.headers["Content-Language"] == kept
    assert f'<option value="{kept}" selected>' in response.text


def test_members_time_zone_is_active_in_the_page(browser, member, monkeypatch):
    seen = []

    def look(*args: object) -> HttpResponse:
        seen.append((timezone.get_current_timezone_name(), translation.get_language()))
        return HttpResponse()

    monkeypatch.setattr("accounts.views.me.render", look)
    User.objects.update(time_zone="America/Lima", language="zh-hant")
    browser.get("/members/")
    assert seen == [("America/Lima", "zh-hant")]
    assert timezone.get_current_timezone_name() == "Asia/Taipei"


def test_visitors_cost_no_query_for_their_language(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize("language", ["en", "zh-hant"])
@pytest.mark.parametrize("path", ["login", "signup", "login/code", "password/reset", "inactive"])
def test_doors_open_in_both_languages(client, path, language):
    client.cookies["django_language"] = language
    response = client.get(f"/accounts/{path}/")
    assert response.status_code == 200
    assert response.text.count("<h1>") == 1


@pytest.mark.parametrize("path", ["logout", "password/set", "email"])
def test_doors_open_for_members(browser, path):
    assert browser.get(f"/accounts/{path}/").status_code == 200


def test_members_imported_without_a_password_are_offered_to_set_one(browser):
    assert "Set one" in browser.get("/members/").text


def test_members_with_a_password_are_offered_to_change_it(browser, member):
    member.set_password("a-long-enough-phrase")
    member.save()
    browser.force_login(member)
    assert "/accounts/password/change/" in browser.get("/members/").text
    assert browser.get("/accounts/password/change/").status_code == 200


def test_login_page_offers_the_code_first_and_the_password_second(client):
    page = client.get("/accounts/login/?next=/my-list/").text
    assert page.index("/accounts/login/code/") < page.index('type="password"')
    assert page.count('name="next" value="/my-list/"') >= 2
    for attribute in ['autocomplete="username"', 'autocomplete="current-password"']:
        assert attribute in page


def test_code_page_suits_the_phones_keyboard(client, imported):
    client.post("/accounts/login/code/", {"contact": imported.email})
    page = client.get("/accounts/login/code/confirm/").text
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
