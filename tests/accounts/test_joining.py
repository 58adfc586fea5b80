"""Joining with a name and an e-mail; the code to the e-mail makes the member real."""

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import ask_for_code, enter_code, join, signed_in_as
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db


def test_join_asks_for_the_code_then_signs_in(client, newest_code):
    response = join(client, "New@Example.com", "Newcomer")
    assert response.url == "/accounts/login/code/confirm/"
    assert signed_in_as(client) is None
    member = User.objects.get()
    assert (member.name, member.email, member.claimed_at) == ("Newcomer", "new@example.com", None)
    response = enter_code(client, newest_code())
    assert response.url == "/"
    member.refresh_from_db()
    assert signed_in_as(client) == str(member.pk)
    assert member.claimed_at is not None
    assert not member.has_usable_password()
    assert EmailAddress.objects.get().verified


def test_join_goes_on_where_it_started(client, newest_code):
    client.post("/accounts/signup/", {"email": "new@example.com", "name": "N", "next": "/s/soap/checkout/"})
    response = client.post("/accounts/login/code/confirm/", {"code": newest_code()})
    assert response.url == "/s/soap/checkout/"


def test_join_with_a_known_email_goes_on_where_it_started(client, imported, newest_code):
    client.post("/accounts/signup/", {"email": imported.email, "name": "N", "next": "/s/soap/checkout/"})
    response = client.post("/accounts/login/code/confirm/", {"code": newest_code()})
    assert response.url == "/s/soap/checkout/"


@pytest.mark.parametrize("typed", ["mei.lin@example.com", "MEI.LIN@example.com"])
def test_join_with_the_email_of_an_unclaimed_member_claims_it(client, imported, newest_code, typed):
    join(client, typed, "Mei")
    assert User.objects.count() == 1
    imported.refresh_from_db()
    assert imported.claimed_at is None
    enter_code(client, newest_code())
    imported.refresh_from_db()
    assert signed_in_as(client) == str(imported.pk)
    assert imported.claimed_at is not None
    assert (imported.member_no, imported.name) == ("M-0001", "林美")


def test_join_as_a_member_needs_the_code(client, newest_code):
    member = MemberFactory()
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    join(client, member.email)
    assert signed_in_as(client) is None
    enter_code(client, newest_code())
    assert signed_in_as(client) == str(member.pk)
    assert User.objects.count() == 1


def test_join_with_the_email_of_a_closed_member(client, mailoutbox):
    member = MemberFactory(is_active=False)
    response = join(client, member.email)
    assert response.url == "/accounts/login/code/confirm/"
    assert "closed" in mailoutbox[-1].body
    assert User.objects.count() == 1


def test_join_twice_before_the_code_makes_one_member(client, newest_code):
    join(client, "new@example.com")
    other = Client()
    join(other, "new@example.com")
    enter_code(other, newest_code())
    assert User.objects.count() == 1
    assert signed_in_as(other) == str(User.objects.get().pk)


def test_join_left_open_is_finished_by_signing_in(client, newest_code):
    join(client, "new@example.com")
    later = Client()
    ask_for_code(later, "new@example.com")
    enter_code(later, newest_code())
    assert User.objects.get().claimed_at is not None


def test_join_keeps_the_phone_after_the_code(client, newest_code):
    join(client, "new@example.com", phone="0912-345 678")
    assert User.objects.get().phone == ""
    enter_code(client, newest_code())
    member = User.objects.get()
    assert (member.phone, member.phone_verified_at) == ("+886912345678", None)


def test_join_by_a_stranger_leaves_no_phone_on_the_owner(client, newest_code):
    """Somebody joins with another's e-mail and the own phone, and waits for the owner to come."""
    join(client, "owner@example.com", phone="0912 345 678")
    owner = Client()
    ask_for_code(owner, "owner@example.com")
    enter_code(owner, newest_code())
    assert User.objects.get().phone == ""


def test_join_phone_does_not_stick_to_the_next_who_uses_the_browser(client, newest_code):
    join(client, "first@example.com", phone="0912 345 678")
    client.post("/accounts/logout/")
    second = MemberFactory(claimed_at=None)
    ask_for_code(client, second.email)
    enter_code(client, newest_code())
    second.refresh_from_db()
    assert second.claimed_at is not None
    assert second.phone == ""


def test_join_with_anothers_phone_tells_nothing(client, newest_code):
    MemberFactory(phone="+886912345678")
    assert join(client, "new@example.com", phone="0912345678").url == "/accounts/login/code/confirm/"
    enter_code(client, newest_code())
    assert signed_in_as(client) == str(User.objects.get(email="new@example.com").pk)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"name": ""}, "name"), ({"email": ""}, "email"), ({"email": "no"}, "email"), ({"phone": "12"}, "phone")],
)
def test_join_says_what_is_wrong(client, wrong, field):
    response = client.post("/accounts/signup/", {"name": "N", "email": "new@example.com", **wrong})
    assert list(response.context["form"].errors) == [field]
    assert not User.objects.exists()


def test_join_takes_no_password(client):
    """A password chosen before the e-mail is proved would be the key of whoever came first."""
    join(client, "new@example.com", password="secret-phrase-1", password1="secret-phrase-1")
    assert not User.objects.get().has_usable_password()


def test_database_refuses_a_second_member_with_the_email():
    MemberFactory(email="one@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        MemberFactory(email="ONE@example.com")


def test_database_refuses_a_second_member_with_the_phone():
    MemberFactory(phone="+886912345678")
    with pytest.raises(IntegrityError), transaction.atomic():
        MemberFactory(phone="+886912345678")


def test_database_takes_many_members_without_email_and_phone():
    MemberFactory(email="", phone="")
    MemberFactory(email="", phone="")
    assert User.objects.count() == 2


def test_email_is_kept_and_found_in_lower_case():
    member = MemberFactory(email="Mixed@Example.com")
    assert member.email == "mixed@example.com"
    assert User.objects.get(email="MIXED@example.com") == member
    User.objects.filter(pk=member.pk).update(email="Other@Example.com")
    assert User.objects.values_list("email", flat=True).get() == "other@example.com"
