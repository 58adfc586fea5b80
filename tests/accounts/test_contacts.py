"""Another e-mail, another phone: only after its code, and never without the old one hearing of it."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client

from accounts import contacts
from accounts.models import User
from notify.channels import sms
from notify.models import Message
from tests.accounts.conftest import ask_for_code, enter_code, other_code, signed_in_as
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
OLD_PHONE, NEW_PHONE = "+886912345678", "+886922000111"


@pytest.fixture
def member() -> User:
    member = MemberFactory(name="Mei", email="old@example.com", phone=OLD_PHONE)
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    return member


def sign_in(client: Client, code: Any, contact: str = "old@example.com") -> Client:
    ask_for_code(client, contact)
    enter_code(client, code())
    assert signed_in_as(client)
    return client


@pytest.fixture
def browser(client, member, newest_code) -> Client:
    """Signed in a moment ago, as whoever changes a contact has to be."""
    return sign_in(client, newest_code)


def ask_email(browser: Client, email: str) -> Any:
    return browser.post("/accounts/email/", {"action_add": "1", "email": email}, follow=True)


def prove_email(browser: Client, code: str) -> Any:
    return browser.post("/accounts/confirm-email/", {"code": code}, follow=True)


def ask_phone(browser: Client, phone: str) -> Any:
    return browser.post("/accounts/phone/change/", {"phone": phone}, follow=True)


def prove_phone(browser: Client, code: str) -> Any:
    return browser.post("/accounts/phone/verify/", {"code": code}, follow=True)


def contacts_of(member: User) -> tuple[str, str]:
    return User.objects.values_list("email", "phone").get(pk=member.pk)


class TestEmailOnThePage:
    def test_takes_the_place_of_the_old_one_once_proved(self, browser, member, newest_code, mailoutbox):
        page = ask_email(browser, "New@Example.com")
        assert mailoutbox[-1].to == ["new@example.com"]
        assert contacts_of(member) == ("old@example.com", OLD_PHONE), "typed is not proved"
        assert "new@example.com" in page.text
        page = prove_email(browser, newest_code())
        assert page.redirect_chain[-1][0] == "/members/"
        assert "Your e-mail is new@example.com now." in page.text
        assert contacts_of(member) == ("new@example.com", OLD_PHONE)
        address = EmailAddress.objects.get(user=member)
        assert (address.email, address.verified, address.primary) == ("new@example.com", True, True)

    def test_the_old_one_is_told_when_and_what_to_do(self, browser, member, newest_code):
        ask_email(browser, "new@example.com")
        assert not Message.objects.exists()
        prove_email(browser, newest_code())
        notice = Message.objects.get()
        assert (notice.channel, notice.recipient, notice.purpose) == ("email", "old@example.com", "account")
        assert "another e-mail" in notice.subject
        for said in (member.member_no, "2026", "our staff", "/members/"):
            assert said in notice.text
        assert "new@example.com" not in notice.subject + notice.text

    def test_a_first_one_is_told_to_the_phone(self, client, newest_sms_code, newest_code):
        member = MemberFactory(email="", phone=OLD_PHONE, order_channel="sms", reminder_channel="sms")
        sign_in(client, newest_sms_code, OLD_PHONE)
        ask_email(client, "first@example.com")
        prove_email(client, newest_code())
        fresh = User.objects.get(pk=member.pk)
        assert fresh.email == "first@example.com"
        assert (fresh.order_channel, fresh.reminder_channel) == ("sms", "sms"), "nothing else changes by itself"
        notice = Message.objects.get()
        assert (notice.channel, notice.recipient) == ("sms", OLD_PHONE)

    def test_opens_the_door_and_the_old_one_no_more(self, browser, newest_code, member):
        ask_email(browser, "new@example.com")
        prove_email(browser, newest_code())
        assert signed_in_as(sign_in(Client(), newest_code, "new@example.com")) == str(member.pk)
        stranger = Client()
        ask_for_code(stranger, "old@example.com")
        with pytest.raises(AttributeError):
            newest_code()

    def test_a_wrong_code_changes_nothing(self, browser, member, newest_code):
        ask_email(browser, "new@example.com")
        prove_email(browser, other_code(newest_code()))
        assert contacts_of(member)[0] == "old@example.com"

    def test_the_own_one_again_is_refused(self, browser, mailoutbox):
        sent = len(mailoutbox)
        assert ask_email(browser, "old@example.com").context["form"].errors
        assert len(mailoutbox) == sent

    def test_asks_who_it_is_when_signing_in_was_long_ago(self, browser, member, mailoutbox):
        session = browser.session
        session["account_authentication_methods"] = [{"method": "code", "at": 0, "email": member.email}]
        session.save()
        sent = len(mailoutbox)
        response = browser.post("/accounts/email/", {"action_add": "1", "email": "new@example.com"})
        assert response.url.startswith("/accounts/reauthenticate/") or "again" in response.url
        assert len(mailoutbox) == sent


class TestPhoneOnThePage:
    def test_takes_the_place_of_the_old_one_once_proved(self, browser, member, newest_sms_code):
        ask_phone(browser, "0922 000 111")
        assert sms.outbox[-1].recipient == NEW_PHONE
        assert contacts_of(member)[1] == OLD_PHONE
        page = prove_phone(browser, newest_sms_code())
        assert "Your phone is 0922 000 111 now." in page.text
        fresh = User.objects.get(pk=member.pk)
        assert fresh.phone == NEW_PHONE
        assert fresh.phone_verified_at is not None
        notice = Message.objects.get()
        assert (notice.channel, notice.recipient) == ("sms", OLD_PHONE)

    def test_a_first_one_is_told_to_the_email(self, client, newest_code, newest_sms_code):
        member = MemberFactory(email="only@example.com", phone="")
        sign_in(client, newest_code, "only@example.com")
        ask_phone(client, NEW_PHONE)
        prove_phone(client, newest_sms_code())
        assert contacts_of(member)[1] == NEW_PHONE
        assert Message.objects.get().recipient == "only@example.com"

    def test_a_wrong_code_changes_nothing(self, browser, member, newest_sms_code):
        ask_phone(browser, NEW_PHONE)
        prove_phone(browser, other_code(newest_sms_code()))
        assert contacts_of(member)[1] == OLD_PHONE


class TestSomebodyElses:
    """The answers are those for a contact nobody has; its owner hears of it, and gets no code."""

    @staticmethod
    def _same(page: Any, other: Any, contact: str, other_contact: str) -> None:
        assert page.status_code == other.status_code
        assert page.redirect_chain == other.redirect_chain
        assert _plain(page.text, contact) == _plain(other.text, other_contact)

    def test_email(self, browser, member, mailoutbox):
        MemberFactory(email="taken@example.com", language="zh-hant")
        free, taken = ask_email(browser, "nobody@example.com"), ask_email(browser, "taken@example.com")
        self._same(free, taken, "nobody@example.com", "taken@example.com")
        assert mailoutbox[-1].to == ["taken@example.com"]
        assert not any(word.isdigit() and len(word) == 6 for word in mailoutbox[-1].body.split())
        assert contacts_of(member)[0] == "old@example.com"

    def test_phone(self, browser, member):
        MemberFactory(phone=NEW_PHONE)
        free, taken = ask_phone(browser, "+886933000222"), ask_phone(browser, NEW_PHONE)
        self._same(free, taken, "0933 000 222", "0922 000 111")
        assert sms.outbox[-1].recipient == NEW_PHONE
        assert "another account" in sms.outbox[-1].text
        assert "#" not in sms.outbox[-1].text

    def test_email_of_an_unclaimed_record_is_refused_only_once_proved(self, browser, member, imported, newest_code):
        ask_email(browser, imported.email)
        page = prove_email(browser, newest_code())
        assert "our staff can join the two" in page.text
        assert contacts_of(member)[0] == "old@example.com"
        assert contacts_of(imported)[0] == imported.email
        assert EmailAddress.objects.get(user=member).email == "old@example.com"
        assert not Message.objects.exists()

    def test_phone_of_an_unclaimed_record_is_refused_only_once_proved(self, browser, member, newest_sms_code):
        MemberFactory(phone=NEW_PHONE, claimed_at=None)
        ask_phone(browser, NEW_PHONE)
        page = prove_phone(browser, newest_sms_code())
        assert "our staff can join the two" in page.text
        assert contacts_of(member)[1] == OLD_PHONE


def _plain(page: str, contact: str) -> str:
    """The page without what differs from one to the next anyway."""
    lines = page.replace(contact, "CONTACT").splitlines()
    return "\n".join(line for line in lines if "csrfmiddlewaretoken" not in line)


class TestApps:
    @pytest.fixture
    def app(self, client, member, newest_code) -> Any:
        call = _caller(client)
        token = call("post", "auth/code/request", {"email": member.email}).json()["meta"]["session_token"]
        answer = call("post", "auth/code/confirm", {"code": newest_code()}, token)
        assert answer.status_code == 200
        token = answer.json()["meta"]["session_token"]
        return lambda method, path, body=None: call(method, path, body, token)

    def test_email(self, app, member, newest_code):
        assert app("post", "account/email", {"email": "new@example.com"}).status_code == 200
        assert contacts_of(member)[0] == "old@example.com"
        assert app("post", "auth/email/verify", {"key": other_code(newest_code())}).status_code == 400
        assert app("post", "auth/email/verify", {"key": newest_code()}).status_code == 200
        assert contacts_of(member)[0] == "new@example.com"
        assert Message.objects.get().recipient == "old@example.com"
        emails = app("get", "account/email").json()["data"]
        assert emails == [{"email": "new@example.com", "primary": True, "verified": True}]

    def test_phone(self, app, member, newest_sms_code):
        assert app("post", "account/phone", {"phone": "0922-000-111"}).status_code == 202
        assert contacts_of(member)[1] == OLD_PHONE
        assert app("post", "auth/phone/verify", {"code": newest_sms_code()}).status_code == 200
        assert contacts_of(member)[1] == NEW_PHONE
        assert Message.objects.get().recipient == OLD_PHONE

    def test_email_of_an_unclaimed_record(self, app, member, imported, newest_code):
        assert app("post", "account/email", {"email": imported.email}).status_code == 200
        answer = app("post", "auth/email/verify", {"key": newest_code()})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "email_taken"
        assert contacts_of(member)[0] == "old@example.com"

    def test_phone_of_an_unclaimed_record(self, app, member, newest_sms_code):
        MemberFactory(phone=NEW_PHONE, claimed_at=None)
        app("post", "account/phone", {"phone": NEW_PHONE})
        answer = app("post", "auth/phone/verify", {"code": newest_sms_code()})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "phone_taken"

    def test_a_contact_is_never_taken_away(self, app, member):
        assert app("delete", "account/email", {"email": member.email}).status_code == 400
        assert contacts_of(member)[0] == "old@example.com"


def _caller(client: Client) -> Any:
    def call(method: str, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"X-Session-Token": token} if token else {}
        return getattr(client, method)(
            f"/_allauth/app/v1/{path}", body, content_type="application/json", headers=headers
        )

    return call


class TestSteps:
    def test_change_email_refuses_one_that_somebody_got_meanwhile(self, member, now):
        MemberFactory(email="new@example.com")
        with pytest.raises(contacts.ContactTaken):
            contacts.change_email(member=member, email="new@example.com", at=now)
        assert contacts_of(member)[0] == "old@example.com"
        assert EmailAddress.objects.get(user=member).email == "old@example.com"

    def test_change_phone_refuses_one_that_somebody_got_meanwhile(self, member, now):
        MemberFactory(phone=NEW_PHONE)
        with pytest.raises(contacts.ContactTaken):
            contacts.change_phone(member=member, phone=NEW_PHONE, at=now)
        assert contacts_of(member)[1] == OLD_PHONE

    def test_the_same_contact_again_is_no_news(self, member, now):
        contacts.change_phone(member=member, phone=OLD_PHONE, at=now)
        contacts.change_email(member=member, email="old@example.com", at=now + timedelta(minutes=1))
        assert not Message.objects.exists()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_members_at_once_cannot_get_the_same_phone(now):
    members = [MemberFactory() for _ in range(8)]
    begin, refused = threading.Barrier(len(members)), []

    def change(member: User) -> None:
        begin.wait()
        try:
            contacts.change_phone(member=member, phone=NEW_PHONE, at=now)
        except contacts.ContactTaken:
            refused.append(member)
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == len(members) - 1
    assert User.objects.filter(phone=NEW_PHONE).count() == 1
