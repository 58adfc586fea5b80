"""The members' pages."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation

from accounts.models import Address, User
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


@pytest.mark.parametrize("path", ["/members/", "/members/addresses/new/", "/members/addresses/1/"])
def test_pages_send_the_anonymous_to_sign_in(client, path):
    assert client.get(path).url == f"/accounts/login/?next={path}"


def test_delete_sends_the_anonymous_to_sign_in(client):
    address = AddressFactory()
    assert client.post(f"/members/addresses/{address.pk}/delete/").url.startswith("/accounts/login/")
    assert Address.objects.exists()


def test_me_shows_the_member(browser, member, django_assert_max_num_queries):
    AddressFactory(member=member)
    AddressFactory(member=member, is_default=False, recipient="Office")
    AddressFactory(recipient="Stranger")
    with django_assert_max_num_queries(4):
        page = browser.get("/members/").text
    for shown in [member.member_no, member.email, "0912 345 678", "Office"]:
        assert shown in page
    assert "Stranger" not in page


def test_me_saves_wishes(browser, member):
    wishes = {"name": "May", "language": "zh-hant", "time_zone": "Asia/Tokyo", "reminder_channel": "none"}
    response = browser.post("/members/", wishes)
    assert response.url == "/members/"
    assert response.cookies["django_language"].value == "zh-hant"
    member.refresh_from_db()
    assert (member.name, member.language, member.time_zone, member.reminder_channel) == tuple(wishes.values())


def test_me_refuses_an_unknown_time_zone(browser, member):
    wishes = {"name": "Wrong", "language": "en", "time_zone": "Mars/Olympus", "reminder_channel": "email"}
    response = browser.post("/members/", wishes)
    assert "time_zone" in response.context["form"].errors
    assert "<h1>Mei</h1>" in response.text
    member.refresh_from_db()
    assert (member.name, member.time_zone) == ("Mei", "Asia/Taipei")


def test_me_cannot_change_contacts(browser, member):
    wishes = {"name": "Mei", "language": "en", "time_zone": "Asia/Taipei", "reminder_channel": "email"}
    browser.post("/members/", {**wishes, "email": "x@example.com", "phone": "1", "is_staff": "on"})
    fresh = User.objects.get(pk=member.pk)
    assert (fresh.email, fresh.phone, fresh.is_staff) == (member.email, "+886912345678", False)


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


def test_address_delete(browser, member):
    address = AddressFactory(member=member)
    assert browser.post(f"/members/addresses/{address.pk}/delete/").url == "/members/"
    assert not Address.objects.exists()


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
    response = client.get("/members/")
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
