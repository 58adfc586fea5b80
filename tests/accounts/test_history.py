"""Who changed what about members: recorded once, told rightly, changed by nobody."""

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts import members
from accounts.models import User, record_update
from accounts.models.people import User as Tracked
from shop.models import Offer
from tests.admin_contract import assert_queries_stay_the_same, change, sign_in
from tests.factories import AddressFactory, MemberFactory, OfferFactory

pytestmark = pytest.mark.django_db

HistoricalUser = Tracked.history.model


def history_of(row) -> str:
    return change(row)[: -len("change/")] + "history/"


def form_of(client: Client, member: User) -> dict:
    form = client.get(change(member)).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value not in (None, False) and name in form.fields}
    counts = {"addresses-TOTAL_FORMS": 0, "addresses-INITIAL_FORMS": 0}
    return {**data, "groups": [], "user_permissions": [], **counts}


def told(client: Client, row) -> list[tuple]:
    """The page's events: who, and what from what to what."""
    events = client.get(history_of(row)).context["events"]
    return [
        (event.who, [(one.label, one.before, one.after) for one in event.changes] or event.what) for event in events
    ]


@pytest.fixture
def staff(client):
    return sign_in(client, superuser=True)


def test_the_page_says_who_changed_what_from_what_to_what(client, staff):
    member = MemberFactory(name="Lin Mei", claimed_at=None, phone="+886911111111")
    client.post(change(member), {**form_of(client, member), "name": "Lin Mei-Hua", "phone": "0912345678"})
    assert told(client, member) == [
        (staff, [("Name", "Lin Mei", "Lin Mei-Hua"), ("Phone", "+886911111111", "+886912345678")])
    ]
    page = client.get(history_of(member)).text
    assert "Lin Mei-Hua" in page
    assert "style=" not in page


def test_roles_given_and_taken_are_told(client, staff):
    member = MemberFactory(is_staff=True)
    form = form_of(client, member)
    support, marketing = (Group.objects.get(name=name) for name in ("support", "marketing"))
    client.post(change(member), {**form, "is_staff": "on", "groups": [support.pk]})
    client.post(change(member), {**form, "is_staff": "on", "groups": [marketing.pk]})
    changes = [entry for _who, entries in told(client, member) for entry in entries]
    assert ("Groups", "–", "support") in changes
    assert changes[0] == ("Groups", "–", "marketing") or ("Groups", "support", "marketing") in changes


def test_what_the_member_changes_is_told_as_the_members(client, staff):
    member = MemberFactory()
    own = Client()
    own.force_login(member)
    own.post("/members/language/", {"language": "zh-hant"})
    assert told(client, member) == [(member, [("Language", "English", "繁體中文")])]


def test_signing_in_is_no_change(client):
    member = MemberFactory()
    client.force_login(member)
    member.refresh_from_db()
    assert member.last_login is not None
    assert not HistoricalUser.objects.exists()


def test_saving_without_a_change_is_no_change(client, staff):
    member = MemberFactory()
    client.post(change(member), form_of(client, member))
    member.save()
    assert told(client, member) == []


def test_a_member_made_by_staff_is_told_one_who_joined_is_not(client, staff):
    joined = MemberFactory()
    data = {"name": "New", "email": "new@example.com", "language": "en", "time_zone": "Asia/Taipei", "is_active": "on"}
    counts = {"addresses-TOTAL_FORMS": 0, "addresses-INITIAL_FORMS": 0}
    client.post("/admin/accounts/user/add/", {**data, **counts, "order_channel": "email", "reminder_channel": "email"})
    assert told(client, User.objects.get(email="new@example.com")) == [(staff, "Created")]
    assert told(client, joined) == []


def test_what_an_import_changed_is_not_laid_at_the_door_of_staff(client, staff):
    offer = OfferFactory(price=Decimal(300), stock=50)
    offer.price = Decimal(280)
    offer._history_user = staff
    offer.save()
    Offer.objects.update(stock=41)
    offer.refresh_from_db()
    offer.price = Decimal(260)
    offer._history_user = staff
    offer.save()
    assert [(who, {label for label, *_ in changes}) for who, changes in told(client, offer)] == [
        (staff, {"Price"}),
        (None, {"Stock"}),
        (staff, {"Price"}),
    ]
    assert "Not by hand (import, sale, task)" in client.get(history_of(offer)).text


def test_only_what_was_written_is_recorded(client, staff):
    member = MemberFactory(name="Before")
    member.name, member.language = "Not written", "zh-hant"
    member.save(update_fields=["language"])
    assert told(client, member) == [(None, [("Language", "English", "繁體中文")])]


def test_a_change_of_many_is_recorded_of_each(client, staff):
    offers = [OfferFactory(), OfferFactory()]
    Offer.objects.filter(pk=offers[0].pk).update(price=Decimal(1))
    offers[0].refresh_from_db()
    with_history = record_update(Offer.objects.all(), is_active=False)
    assert {offer.pk for offer in with_history} == {offer.pk for offer in offers}
    for offer in offers:
        assert told(client, offer) == [(None, [("On sale", "Yes", "No")])]
    assert not Offer.objects.filter(is_active=True).exists()


def test_the_history_keeps_no_password(staff):
    names = {column.name for column in HistoricalUser._meta.get_fields()}
    assert not {"password", "last_login"} & names


def test_staff_without_contacts_are_told_of_none(client):
    sign_in(client, "view_user")
    member = MemberFactory(email="old@example.com", claimed_at=None)
    member.email = "new@example.com"
    member.save()
    page = client.get(history_of(member)).text
    assert "old@example.com" not in page
    assert "new@example.com" not in page


def test_nobody_without_the_permission_sees_it_and_nobody_changes_it(client):
    member = MemberFactory()
    sign_in(client, "view_address", "view_historicaluser", "change_historicaluser", "delete_historicaluser")
    assert client.get(history_of(member)).status_code == 403
    sign_in(client, superuser=True)
    assert client.post(history_of(member), {}).status_code in {200, 405}
    assert "historicaluser" not in client.get("/admin/").text


def test_a_long_history_is_shown_in_parts_at_the_same_cost(client, staff):
    member = MemberFactory()

    def rename() -> None:
        members.set_language(member=member, language="en" if member.language != "en" else "zh-hant")

    assert_queries_stay_the_same(client, history_of(member), rename)
    for _ in range(30):
        rename()
    page = client.get(history_of(member))
    assert page.context["page"].has_next()
    assert len(page.context["events"]) == 50
    assert client.get(history_of(member), {"p": 2}).context["events"]


def test_addresses_changed_by_staff_are_told_too(client, staff):
    address = AddressFactory()
    member = address.member
    row = {"id": address.pk, "member": member.pk, "recipient": "Other", "phone": "1", "city": "C", "street": "S"}
    inline = {f"addresses-0-{name}": value for name, value in {**row, "country": "TW", "is_default": "on"}.items()}
    counts = {"addresses-TOTAL_FORMS": 1, "addresses-INITIAL_FORMS": 1}
    answer = client.post(change(member), {**form_of(client, member), **inline, **counts})
    assert answer.status_code == 302
    assert "Changed" in client.get(history_of(member)).text


def test_a_birthday_mended_by_staff_has_its_source_and_its_record(client, staff):
    member = MemberFactory(birthday=date(2020, 1, 1), birthday_source="import", birthday_doubts=["new_year"])
    client.post(change(member), {**form_of(client, member), "birthday": "1990-05-05"})
    member.refresh_from_db()
    assert (member.birthday, member.birthday_source, member.birthday_doubts) == (date(1990, 5, 5), "staff", [])
    assert any(("Birthday" in [label for label, *_ in changes]) for _who, changes in told(client, member))
    today = timezone.localdate()
    answer = client.post(change(member), {**form_of(client, member), "birthday": today.replace(year=today.year + 1)})
    assert "birthday" in answer.context["adminform"].form.errors


def test_wishes_changed_by_staff_stand_in_the_ledger(client, staff):
    member = MemberFactory(email_consent=False)
    client.post(change(member), {**form_of(client, member), "email_consent": "on"})
    member.refresh_from_db()
    assert member.email_consent
    newest = member.consent_entries.get(purpose="offers", channel="email")
    assert (newest.given, newest.source) == (True, "staff")
