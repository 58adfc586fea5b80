"""What staff see of members, and what they cannot do."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Address, User
from tests.admin_contract import sign_in_staff
from tests.factories import AddressFactory, MemberFactory

pytestmark = pytest.mark.django_db


def browser_of(member: User) -> Client:
    client = Client()
    sign_in_staff(client, member)
    return client


@pytest.fixture
def owner() -> Client:
    return browser_of(MemberFactory(is_staff=True, is_superuser=True))


@pytest.fixture
def staff() -> Client:
    member = MemberFactory(is_staff=True)
    member.user_permissions.set(
        Permission.objects.filter(content_type__app_label="accounts").exclude(codename="appoint_staff")
    )
    return browser_of(member)


def test_admin_asks_the_anonymous_to_sign_in_as_everybody_does(client):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    assert 'name="login"' in response.text


def test_admin_is_closed_to_members():
    assert browser_of(MemberFactory()).get("/admin/", follow=True).status_code == 403


def test_admin_list_of_members_costs_the_same_for_many(owner, django_assert_max_num_queries):
    for _ in range(30):
        AddressFactory()
    with django_assert_max_num_queries(7):
        page = owner.get("/admin/accounts/user/")
    assert page.status_code == 200


def test_admin_list_of_addresses_costs_the_same_for_many(owner, django_assert_max_num_queries):
    for _ in range(30):
        AddressFactory()
    with django_assert_max_num_queries(7):
        page = owner.get("/admin/accounts/address/")
    assert page.text.count("Lin Mei") == 30


@pytest.mark.parametrize("search", ["T-77", "Mei Lin", "mei@", "912345"])
def test_admin_finds_a_member(owner, search):
    MemberFactory(member_no="T-77", name="Mei Lin", email="mei@example.com", phone="+886912345678")
    MemberFactory()
    assert owner.get("/admin/accounts/user/", {"q": search}).context["cl"].result_count == 1


def test_admin_filters_the_unclaimed(owner, imported):
    found = owner.get("/admin/accounts/user/", {"claimed": "no"}).context["cl"].result_list
    assert list(found) == [imported]


def test_admin_never_shows_a_password(owner):
    member = MemberFactory()
    member.set_password("a-long-enough-phrase")
    member.save()
    page = owner.get(f"/admin/accounts/user/{member.pk}/change/").text
    assert "password" not in page.replace("Change password", "").replace("password_change", "").lower()
    assert member.password not in page


def _form_of(client: Client, member: User) -> dict:
    form = client.get(f"/admin/accounts/user/{member.pk}/change/").context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value not in (None, False) and name in form.fields}
    empty = {"addresses-TOTAL_FORMS": 0, "addresses-INITIAL_FORMS": 0}
    return {**data, "groups": [], "user_permissions": [], **empty}


def test_admin_leaves_number_and_claim_alone(owner, imported):
    form = _form_of(owner, imported)
    owner.post(f"/admin/accounts/user/{imported.pk}/change/", {**form, "member_no": "X", "claimed_at_0": "2026-01-01"})
    imported.refresh_from_db()
    assert (imported.member_no, imported.claimed_at) == ("M-0001", None)


def test_admin_mends_the_email_of_an_unclaimed_member(owner, imported):
    form = _form_of(owner, imported)
    owner.post(f"/admin/accounts/user/{imported.pk}/change/", {**form, "email": "Right@Example.com"})
    imported.refresh_from_db()
    assert imported.email == "right@example.com"


def test_admin_cannot_change_an_email_that_was_proved(owner):
    member = MemberFactory(email="proved@example.com")
    owner.post(f"/admin/accounts/user/{member.pk}/change/", {**_form_of(owner, member), "email": "other@example.com"})
    member.refresh_from_db()
    assert member.email == "proved@example.com"


def test_admin_keeps_a_phone_as_e164_and_unverified(owner):
    member = MemberFactory(claimed_at=None, phone="+886911111111", phone_verified_at=datetime(2026, 1, 1, tzinfo=UTC))
    owner.post(f"/admin/accounts/user/{member.pk}/change/", {**_form_of(owner, member), "phone": "0912-345-678"})
    member.refresh_from_db()
    assert (member.phone, member.phone_verified_at) == ("+886912345678", None)


def test_admin_keeps_the_proof_of_a_phone_that_stays(owner):
    member = MemberFactory(phone="+886911111111", phone_verified_at=datetime(2026, 1, 1, tzinfo=UTC))
    owner.post(f"/admin/accounts/user/{member.pk}/change/", {**_form_of(owner, member), "name": "Other"})
    member.refresh_from_db()
    assert member.name == "Other"
    assert member.phone_verified_at is not None


def test_admin_staff_cannot_make_staff(staff):
    member = MemberFactory()
    form = {**_form_of(staff, member), "is_staff": "on", "is_superuser": "on"}
    assert staff.post(f"/admin/accounts/user/{member.pk}/change/", form).status_code == 302
    member.refresh_from_db()
    assert (member.is_staff, member.is_superuser) == (False, False)


def test_admin_owner_makes_staff(owner):
    member = MemberFactory()
    owner.post(f"/admin/accounts/user/{member.pk}/change/", {**_form_of(owner, member), "is_staff": "on"})
    member.refresh_from_db()
    assert member.is_staff


def test_admin_staff_cannot_change_a_colleague(staff):
    colleague = MemberFactory(is_staff=True, claimed_at=None)
    response = staff.post(f"/admin/accounts/user/{colleague.pk}/change/", {"email": "mine@example.com"})
    assert response.status_code == 403


def test_admin_new_member_has_no_password(owner):
    form = {"name": "New", "email": "new@example.com", "language": "en", "time_zone": "Asia/Taipei"}
    counts = {"addresses-TOTAL_FORMS": 0, "addresses-INITIAL_FORMS": 0}
    owner.post(
        "/admin/accounts/user/add/",
        {**form, "order_channel": "email", "reminder_channel": "email", "is_active": "on", **counts},
    )
    member = User.objects.get(email="new@example.com")
    assert not member.has_usable_password()
    assert member.claimed_at is None


def test_admin_deletes_no_member(owner):
    member = MemberFactory()
    assert owner.post(f"/admin/accounts/user/{member.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=member.pk).exists()


def test_admin_says_that_there_is_another_default(owner):
    address = AddressFactory()
    form = {"recipient": "A", "phone": "1", "city": "C", "street": "S", "country": "TW", "is_default": "on"}
    response = owner.post("/admin/accounts/address/add/", {**form, "member": address.member_id})
    assert "another default address" in response.text
    assert Address.objects.count() == 1


def test_admin_has_no_switch_for_verified_emails(owner):
    assert "account.emailaddress" not in {model._meta.label_lower for model in admin.site._registry}
    assert owner.get("/admin/account/emailaddress/").status_code == 404
