"""Joining with a name and a phone or an e-mail; the code to it makes the member real."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.test import Client

from accounts import consents
from accounts.models import ConsentEntry, User
from accounts.sign_in import JoinPageForm
from notify.channels import sms
from tests.accounts.conftest import ask_for_code, enter_code, join, signed_in_as
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
PHONE = "+886912345678"


def test_join_asks_for_the_code_then_signs_in(client, newest_code):
    response = join(client, "New@Example.com", "Newcomer")
    assert response.url == "/accounts/login/code/confirm/"
    assert signed_in_as(client) is None
    member = User.objects.get()
    assert (member.name, member.email, member.claimed_at) == ("", "new@example.com", None)
    response = enter_code(client, newest_code())
    assert response.url == "/"
    member.refresh_from_db()
    assert signed_in_as(client) == str(member.pk)
    assert member.name == "Newcomer"
    assert member.claimed_at is not None
    assert not member.has_usable_password()
    assert EmailAddress.objects.get().verified


def test_join_goes_on_where_it_started(client, newest_code):
    client.post("/accounts/signup/", {"contact": "new@example.com", "name": "N", "next": "/s/soap/checkout/"})
    response = client.post("/accounts/login/code/confirm/", {"code": newest_code()})
    assert response.url == "/s/soap/checkout/"


def test_join_with_a_known_email_goes_on_where_it_started(client, imported, newest_code):
    client.post("/accounts/signup/", {"contact": imported.email, "name": "N", "next": "/s/soap/checkout/"})
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


@pytest.mark.parametrize("typed", [PHONE, "0912 345 678", "0912-345-678", "+886 912 345 678", "０９１２３４５６７８"])
def test_join_by_phone(client, newest_sms_code, mailoutbox, typed):
    response = join(client, typed, "Newcomer")
    assert response.url == "/accounts/login/code/confirm/"
    member = User.objects.get()
    assert (member.name, member.phone, member.phone_verified_at) == ("", PHONE, None)
    enter_code(client, newest_sms_code())
    member.refresh_from_db()
    assert member.name == "Newcomer"
    assert signed_in_as(client) == str(member.pk)
    assert member.claimed_at is not None
    assert member.phone_verified_at == member.claimed_at
    assert not mailoutbox
    assert len(sms.outbox) == 1


def test_who_joins_by_phone_is_written_to_by_sms(client, newest_sms_code):
    join(client, PHONE)
    enter_code(client, newest_sms_code())
    member = User.objects.get()
    assert (member.order_channel, member.reminder_channel) == ("sms", "sms")
    assert consents.recorded(member) == {("orders", "sms"), ("reminders", "sms")} == consents.granted(member)


def test_the_ledger_of_consents_begins_with_the_code(client, newest_code):
    join(client, "new@example.com")
    assert not ConsentEntry.objects.exists()
    enter_code(client, newest_code())
    member = User.objects.get()
    assert consents.recorded(member) == {("orders", "email"), ("reminders", "email")}
    entry = ConsentEntry.objects.first()
    assert (entry.source, entry.at) == ("join", member.claimed_at)


def test_the_name_is_what_the_owner_of_the_contact_typed(client, newest_sms_code):
    join(Client(), PHONE, "A stranger's joke")
    join(client, PHONE, "Chen Wei")
    enter_code(client, newest_sms_code())
    assert User.objects.get().name == "Chen Wei"


def test_join_by_the_phone_of_an_unclaimed_member_claims_it(client, imported, newest_sms_code, mailoutbox):
    """Though the member has an e-mail, the code goes to the phone that was typed."""
    User.objects.filter(pk=imported.pk).update(phone=PHONE)
    join(client, "0912345678", "Mei")
    imported.refresh_from_db()
    assert imported.claimed_at is None
    enter_code(client, newest_sms_code())
    imported.refresh_from_db()
    assert signed_in_as(client) == str(imported.pk)
    assert imported.claimed_at is not None
    assert (imported.name, imported.order_channel) == ("林美", "email")
    assert User.objects.count() == 1
    assert not mailoutbox


def test_join_by_phone_as_a_member_needs_the_code(client, newest_sms_code):
    member = MemberFactory(phone=PHONE)
    join(client, PHONE, "Somebody else")
    assert signed_in_as(client) is None
    enter_code(client, newest_sms_code(), "/s/soap/checkout/")
    assert signed_in_as(client) == str(member.pk)
    member.refresh_from_db()
    assert member.name != "Somebody else"


def test_join_by_the_phone_of_a_closed_member(client):
    MemberFactory(is_active=False, phone=PHONE)
    assert join(client, PHONE).url == "/accounts/login/code/confirm/"
    assert "closed" in sms.outbox[-1].text
    assert User.objects.count() == 1


def test_join_by_phone_left_open_is_finished_by_signing_in(client, newest_sms_code):
    join(client, PHONE)
    later = Client()
    ask_for_code(later, PHONE)
    enter_code(later, newest_sms_code())
    assert User.objects.get().claimed_at is not None


@pytest.mark.parametrize("contact", ["new@example.com", PHONE])
def test_two_taps_at_once_make_one_member(client, contact, monkeypatch, mailoutbox):
    """The other tap's member is written after this one has looked for it."""
    other = Client()
    clean = JoinPageForm.clean

    def first_the_other(form):
        monkeypatch.setattr(JoinPageForm, "clean", clean)
        data = clean(form)
        join(other, contact)
        return data

    monkeypatch.setattr(JoinPageForm, "clean", first_the_other)
    assert join(client, contact).url == "/accounts/login/code/confirm/"
    assert User.objects.count() == 1
    assert len(mailoutbox) + len(sms.outbox) == 2


def test_the_sms_says_the_code_in_the_form_phones_read(client, settings):
    settings.SITE_URL = "https://shop.example:8443"
    join(client, PHONE)
    *_words, last = sms.outbox[-1].text.splitlines()
    assert re.fullmatch(r"@shop\.example #\d{6}", last)
    assert sms.outbox[-1].recipient == PHONE


def test_a_member_speaks_the_language_of_the_page_that_was_joined_on(client):
    client.post("/accounts/signup/", {"contact": PHONE, "name": "美"}, headers={"accept-language": "zh-hant"})
    assert User.objects.get().language == "zh-hant"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"contact": ""}, "contact"),
        ({"contact": "mei"}, "contact"),
        ({"contact": "mei@"}, "contact"),
        ({"contact": "12"}, "contact"),
    ],
)
def test_join_says_what_is_wrong(client, wrong, field):
    response = client.post("/accounts/signup/", {"name": "N", "contact": "new@example.com", **wrong})
    assert list(response.context["form"].errors) == [field]
    assert not User.objects.exists()


def test_the_page_asks_for_an_email_where_there_are_no_sms(client, settings):
    settings.SMS_URL = ""
    assert "Phone" not in client.get("/accounts/signup/").text
    response = join(client, PHONE)
    assert "cannot send codes by SMS" in response.text
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
