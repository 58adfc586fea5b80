"""An imported member becomes somebody's own only by a code to the imported e-mail or phone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from accounts import members
from accounts.models import ConsentEntry, User
from notify.channels import sms
from tests.accounts.conftest import ask_for_code, enter_code, other_code, signed_in_as
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
CLAIMED_AT = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
PHONE = "+886912345678"


@pytest.fixture
def with_phone(imported) -> User:
    """Imported with an e-mail and a phone."""
    imported.phone = PHONE
    imported.save()
    return imported


def is_claimed(member: User) -> bool:
    member.refresh_from_db()
    return member.claimed_at is not None


def test_claim_by_code_signs_in_and_verifies(client, imported, newest_code):
    ask_for_code(client, "mei.lin@example.com")
    response = enter_code(client, newest_code(), "/somewhere/")
    assert response.url == "/somewhere/"
    assert signed_in_as(client) == str(imported.pk)
    assert is_claimed(imported)
    assert abs(imported.claimed_at - timezone.now()) < timedelta(minutes=1)
    address = EmailAddress.objects.get(user=imported)
    assert (address.email, address.verified, address.primary) == ("mei.lin@example.com", True, True)


@pytest.mark.parametrize("typed", ["Mei.Lin@Example.com", "MEI.LIN@EXAMPLE.COM", " mei.lin@example.com "])
def test_claim_by_code_in_any_case(client, imported, newest_code, typed):
    ask_for_code(client, typed)
    enter_code(client, newest_code())
    assert is_claimed(imported)
    assert User.objects.count() == 1


def test_claim_finds_a_member_imported_in_bulk_with_mixed_case(client, newest_code):
    User.objects.bulk_create([User(member_no="B-1", email="Bulk.Import@Example.COM", password="!")])
    ask_for_code(client, "bulk.import@example.com")
    enter_code(client, newest_code())
    assert is_claimed(User.objects.get(member_no="B-1"))


def test_claim_needs_only_one_mail(client, imported, newest_code, mailoutbox):
    ask_for_code(client, imported.email)
    enter_code(client, newest_code())
    assert len(mailoutbox) == 1


def test_asking_alone_claims_nothing(client, imported):
    ask_for_code(client, imported.email)
    assert not is_claimed(imported)
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_claim_with_a_wrong_code(client, imported, newest_code):
    ask_for_code(client, imported.email)
    response = enter_code(client, other_code(newest_code()))
    assert response.status_code == 200
    assert "not the code we sent" in response.text
    assert not is_claimed(imported)
    assert signed_in_as(client) is None


def test_claim_with_the_right_code_after_three_wrong_ones(client, imported, newest_code):
    ask_for_code(client, imported.email)
    code = newest_code()
    for _ in range(3):
        enter_code(client, other_code(code))
    enter_code(client, code)
    assert not is_claimed(imported)


def test_claim_with_an_empty_code(client, imported):
    ask_for_code(client, imported.email)
    assert enter_code(client, "").status_code == 200
    assert not is_claimed(imported)


def test_code_works_once(client, imported, newest_code):
    ask_for_code(client, imported.email)
    enter_code(client, newest_code())
    client.post("/accounts/logout/")
    enter_code(client, newest_code())
    assert signed_in_as(client) is None


def test_code_expires_after_ten_minutes(client, imported, newest_code):
    with time_machine.travel(CLAIMED_AT, tick=False) as clock:
        ask_for_code(client, imported.email)
        clock.shift(timedelta(minutes=10, seconds=1))
        enter_code(client, newest_code())
    assert not is_claimed(imported)


def test_code_works_shortly_before_ten_minutes(client, imported, newest_code):
    with time_machine.travel(CLAIMED_AT, tick=False) as clock:
        ask_for_code(client, imported.email)
        clock.shift(timedelta(minutes=9, seconds=59))
        enter_code(client, newest_code())
    assert is_claimed(imported)


def test_code_is_of_no_use_in_another_browser(client, imported, newest_code):
    ask_for_code(client, imported.email)
    thief = Client()
    assert enter_code(thief, newest_code()).status_code == 302
    assert signed_in_as(thief) is None
    assert not is_claimed(imported)


def test_code_for_one_does_not_open_another(client, imported, newest_code):
    MemberFactory(email="attacker@example.com")
    ask_for_code(client, "attacker@example.com")
    attackers_code = newest_code()
    victim_browser = Client()
    ask_for_code(victim_browser, imported.email)
    enter_code(victim_browser, attackers_code)
    assert not is_claimed(imported)


def test_newer_code_replaces_the_older(client, imported, newest_code):
    ask_for_code(client, imported.email)
    older = newest_code()
    client.post("/accounts/login/code/confirm/", {"action": "resend"})
    newer = newest_code()
    if older != newer:
        enter_code(client, older)
        assert not is_claimed(imported)
    enter_code(client, newer)
    assert is_claimed(imported)


def test_closed_member_gets_no_code(client, imported, mailoutbox):
    User.objects.update(is_active=False)
    ask_for_code(client, imported.email)
    assert "no membership" in mailoutbox[-1].body
    assert not is_claimed(imported)


def test_member_closed_between_asking_and_entering(client, imported, newest_code):
    ask_for_code(client, imported.email)
    User.objects.update(is_active=False)
    enter_code(client, newest_code())
    assert signed_in_as(client) is None
    assert not is_claimed(imported)


def test_unverified_address_of_somebody_else_claims_nothing(client, imported, newest_code):
    squatter = MemberFactory(email="squatter@example.com")
    EmailAddress.objects.create(user=squatter, email=imported.email.lower(), verified=False)
    members.claim(member=imported, email=imported.email, at=CLAIMED_AT)
    ask_for_code(client, imported.email)
    enter_code(client, newest_code())
    assert signed_in_as(client) == str(imported.pk)


def test_password_reset_alone_does_not_claim(client, imported, newest_code):
    client.post("/accounts/password/reset/", {"email": imported.email})
    client.post("/accounts/password/reset/confirm/", {"code": newest_code()})
    new = "a-long-enough-phrase"
    client.post("/accounts/password/reset/complete/", {"password1": new, "password2": new})
    client.post("/accounts/login/", {"login": imported.email, "password": new})
    assert signed_in_as(client) is None
    client.post("/accounts/confirm-email/", {"code": newest_code(), "next": "/"})
    assert signed_in_as(client) == str(imported.pk)
    assert is_claimed(imported)


# ---------------------------------------------------------------- the verb itself


def test_claim_keeps_the_first_moment(imported):
    members.claim(member=imported, email=imported.email, at=CLAIMED_AT)
    members.claim(member=imported, email=imported.email, at=CLAIMED_AT + timedelta(days=1))
    imported.refresh_from_db()
    assert imported.claimed_at == CLAIMED_AT
    assert EmailAddress.objects.count() == 1


def test_claim_refuses_another_email(imported):
    with pytest.raises(members.ClaimRefused):
        members.claim(member=imported, email="other@example.com", at=CLAIMED_AT)
    assert not is_claimed(imported)


def test_claim_refuses_a_member_without_email():
    member = MemberFactory(email="", claimed_at=None)
    with pytest.raises(members.ClaimRefused):
        members.claim(member=member, email="", at=CLAIMED_AT)


def test_claim_refuses_a_closed_member():
    member = MemberFactory(claimed_at=None, is_active=False)
    with pytest.raises(members.ClaimRefused):
        members.claim(member=member, email=member.email, at=CLAIMED_AT)


def test_claim_writes_all_or_nothing(imported, monkeypatch):
    monkeypatch.setattr(User, "save", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        members.claim(member=imported, email=imported.email, at=CLAIMED_AT)
    assert not EmailAddress.objects.exists()


def test_claim_by_phone_verifies_it(with_phone):
    members.claim(member=with_phone, phone=PHONE, at=CLAIMED_AT)
    members.claim(member=with_phone, phone=PHONE, at=CLAIMED_AT + timedelta(days=1))
    with_phone.refresh_from_db()
    assert (with_phone.claimed_at, with_phone.phone_verified_at) == (CLAIMED_AT, CLAIMED_AT)
    assert not EmailAddress.objects.exists()


def test_claim_by_email_leaves_the_imported_phone_unproved(with_phone):
    members.claim(member=with_phone, email=with_phone.email, at=CLAIMED_AT)
    with_phone.refresh_from_db()
    assert (with_phone.phone, with_phone.phone_verified_at) == (PHONE, None)


def test_claim_refuses_another_phone(with_phone):
    with pytest.raises(members.ClaimRefused):
        members.claim(member=with_phone, phone="+886911111111", at=CLAIMED_AT)
    assert not is_claimed(with_phone)


def test_claim_refuses_a_member_without_phone(imported):
    with pytest.raises(members.ClaimRefused):
        members.claim(member=imported, phone=PHONE, at=CLAIMED_AT)


def test_claim_refuses_nothing_proved(imported):
    with pytest.raises(members.ClaimRefused):
        members.claim(member=imported, at=CLAIMED_AT)


def test_claim_begins_the_ledger_of_consents_once(with_phone):
    User.objects.filter(pk=with_phone.pk).update(sms_consent=True)
    members.claim(member=with_phone, phone=PHONE, at=CLAIMED_AT)
    members.claim(member=with_phone, email=with_phone.email, at=CLAIMED_AT + timedelta(days=1))
    entries = ConsentEntry.objects.values_list("purpose", "channel", "given", "source", "at")
    assert set(entries) == {
        (purpose, channel, True, "join", CLAIMED_AT)
        for purpose, channel in [("orders", "email"), ("reminders", "email"), ("offers", "sms")]
    }


def test_claim_by_phone_leaves_no_reminders_to_who_wants_none():
    member = MemberFactory(email="", phone=PHONE, claimed_at=None, reminder_channel="none")
    members.claim(member=member, phone=PHONE, at=CLAIMED_AT)
    member.refresh_from_db()
    assert (member.order_channel, member.reminder_channel) == ("sms", "none")


# ---------------------------------------------------------------- by phone


def test_claim_by_phone_signs_in(client, with_phone, newest_sms_code, mailoutbox):
    ask_for_code(client, "0912 345 678")
    assert not is_claimed(with_phone)
    assert enter_code(client, newest_sms_code(), "/somewhere/").url == "/somewhere/"
    assert signed_in_as(client) == str(with_phone.pk)
    assert is_claimed(with_phone)
    assert with_phone.phone_verified_at == with_phone.claimed_at
    assert not mailoutbox


def test_claim_by_phone_does_not_ask_for_the_email(client, with_phone, newest_sms_code):
    """Its e-mail came with the import and was never proved; the phone is proof enough."""
    EmailAddress.objects.create(user=with_phone, email=with_phone.email, verified=False, primary=True)
    ask_for_code(client, PHONE)
    enter_code(client, newest_sms_code())
    assert signed_in_as(client) == str(with_phone.pk)
    assert not EmailAddress.objects.get().verified


def test_closed_member_gets_no_code_by_sms(client, with_phone):
    User.objects.update(is_active=False)
    ask_for_code(client, PHONE)
    assert "no membership" in sms.outbox[-1].text
    assert not re.search(r"\d{6}", sms.outbox[-1].text)


def test_member_closed_between_the_sms_and_the_code(client, with_phone, newest_sms_code):
    ask_for_code(client, PHONE)
    User.objects.update(is_active=False)
    enter_code(client, newest_sms_code())
    assert signed_in_as(client) is None
    assert not is_claimed(with_phone)


def test_phone_changed_between_the_sms_and_the_code(client, with_phone, newest_sms_code):
    """Who has the old number must not get it back onto the member."""
    ask_for_code(client, PHONE)
    User.objects.update(phone="+886911111111")
    assert enter_code(client, newest_sms_code()).url == "/accounts/login/"
    assert signed_in_as(client) is None
    assert not is_claimed(with_phone)
    assert with_phone.phone == "+886911111111"


def test_email_changed_between_the_mail_and_the_code(client, imported, newest_code):
    ask_for_code(client, imported.email)
    User.objects.update(email="new@example.com")
    assert enter_code(client, newest_code()).url == "/accounts/login/"
    assert signed_in_as(client) is None


def test_member_who_is_about_to_close_may_come_back(client, newest_sms_code):
    member = MemberFactory(phone=PHONE, closing_at=timezone.now() + timedelta(days=3))
    ask_for_code(client, PHONE)
    enter_code(client, newest_sms_code())
    assert signed_in_as(client) == str(member.pk)
