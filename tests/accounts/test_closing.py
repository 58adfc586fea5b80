import threading
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import closing, consents, erasure, tasks
from accounts.models import ConsentEntry, ErasedMember, User
from mylist import reminders
from notify.gates import Deny
from notify.models import Message
from tests.factories import ErrandFactory, ListItemFactory, MemberFactory, OrderFactory

pytestmark = pytest.mark.django_db


def willing(**fields) -> User:
    """A member who wants everything, by e-mail and by SMS."""
    return MemberFactory(email_consent=True, sms_consent=True, reminder_channel="email", **fields)


def signed_in(client: Client, member: User) -> str:
    """Sign in, noted as a device as allauth notes it; the key of the session, which is an app's token."""
    client.cookies.clear()
    client.force_login(member)
    key = client.session.session_key
    UserSession.objects.create(user=member, session_key=key, ip="127.0.0.1", user_agent="a browser")
    return key


def wishes(member: User) -> tuple:
    member.refresh_from_db()
    return member.reminder_channel, member.email_consent, member.sms_consent


def test_closing_sets_a_day_and_ends_reminders_and_offers_at_once(now):
    member = willing()
    closing.close(member=member, at=now)
    assert wishes(member) == ("none", False, False)
    assert member.closing_at == now + timedelta(days=7)
    assert consents.recorded(member) == {("orders", "email")}
    assert set(ConsentEntry.objects.filter(given=False).values_list("source", flat=True)) == {"closing"}


def test_closing_tells_the_way_back(now):
    member = willing()
    closing.close(member=member, at=now)
    message = Message.objects.get()
    assert (message.recipient, message.whose) == (member.email, str(member.pk))
    assert reverse("accounts:closing") in message.text
    assert "Nov. 25, 2026" in message.subject


def test_closing_a_second_time_changes_nothing(now):
    member = willing()
    closing.close(member=member, at=now)
    again = closing.close(member=member, at=now + timedelta(days=3))
    assert again.closing_at == now + timedelta(days=7)
    assert Message.objects.count() == 1


def test_who_comes_back_has_everything_as_it_was(now):
    member = willing()
    closing.close(member=member, at=now)
    closing.keep(member=member, at=now + timedelta(days=6))
    assert wishes(member) == ("email", True, True)
    assert member.closing_at is None
    assert consents.recorded(member) == consents.granted(member)
    assert closing.keep(member=member, at=now + timedelta(days=6)).closing_at is None
    assert Message.objects.count() == 2


def test_who_wanted_nothing_comes_back_to_nothing(now):
    member = MemberFactory(reminder_channel="none")
    closing.close(member=member, at=now)
    closing.keep(member=member, at=now)
    assert wishes(member) == ("none", False, False)


def test_what_was_said_meanwhile_holds(now):
    member = willing()
    closing.close(member=member, at=now)
    at = now + timedelta(days=1)
    for wanted in (True, False):
        consents.choose(member=member, at=at, source="member", email_consent=wanted)
    closing.keep(member=member, at=now + timedelta(days=2))
    assert wishes(member) == ("email", False, True)


def test_an_earlier_closing_is_not_restored_by_a_later_one(now):
    member = willing()
    closing.close(member=member, at=now)
    closing.keep(member=member, at=now)
    later = now + timedelta(days=30)
    consents.choose(member=member, at=later, source="member", sms_consent=False)
    closing.close(member=member, at=later)
    closing.keep(member=member, at=later)
    assert wishes(member) == ("email", True, False)


def test_staff_do_not_close_their_own_account(now, client):
    for staff in (MemberFactory(is_staff=True), MemberFactory(is_superuser=True)):
        with pytest.raises(closing.StaffStay):
            closing.close(member=staff, at=now)
        client.force_login(staff)
        assert "works for the shop" in client.get(reverse("accounts:closing")).text
        assert "works for the shop" in client.post(reverse("accounts:closing"), follow=True).text
        assert client.post("/api/v1/me/closing/").json()["type"] == "/problems/staff"
    assert not User.objects.exclude(closing_at=None).exists()


def test_whoever_became_staff_meanwhile_is_not_erased(now):
    member = MemberFactory()
    closing.close(member=member, at=now)
    User.objects.update(is_staff=True)
    assert closing.erase_due(at=now + timedelta(days=8)) == 0


def test_every_device_is_signed_out(client, now):
    member, stranger = MemberFactory(), MemberFactory()
    strangers = signed_in(client, stranger)
    signed_in(client, member)
    signed_in(client, member)
    client.post(reverse("accounts:closing"))
    assert [session.session_key for session in Session.objects.all()] == [strangers]
    assert UserSession.objects.get().user == stranger


def test_a_member_closes_signs_in_again_and_keeps_the_account(client):
    member = MemberFactory()
    client.force_login(member)
    page = client.get(reverse("accounts:closing"))
    assert "After 7 days we erase" in page.text
    closed = client.post(reverse("accounts:closing"), follow=True)
    assert closed.redirect_chain[-1][0] == reverse("account_login")
    assert "Your account will be closed on" in closed.text
    assert client.get(reverse("accounts:me")).status_code == 302
    client.force_login(member)
    for url in (reverse("accounts:me"), reverse("mylist:list"), reverse("accounts:closing")):
        assert "Keep my account" in client.get(url).text
    kept = client.post(reverse("accounts:closing_undo"), {"next": reverse("mylist:list")}, follow=True)
    assert kept.redirect_chain[-1][0] == reverse("mylist:list")
    assert "Keep my account" not in kept.text
    member.refresh_from_db()
    assert member.closing_at is None


def test_an_app_closes_and_comes_back(client):
    member = MemberFactory()
    token = {"X-Session-Token": signed_in(client, member)}
    client.cookies.clear()
    assert client.get("/api/v1/me/closing/", headers=token).json() == {"closing_at": None}
    assert client.post("/api/v1/me/closing/", headers=token).json()["closing_at"] is not None
    assert client.get("/api/v1/me/closing/", headers=token).status_code == 401
    client.force_login(member)
    assert client.delete("/api/v1/me/closing/").status_code == 204
    assert client.get("/api/v1/me/closing/").json() == {"closing_at": None}


def test_a_browser_session_that_closes_by_rest_ends_too(client):
    client.force_login(MemberFactory())
    assert client.post("/api/v1/me/closing/").status_code == 200
    assert client.get("/api/v1/me/").status_code == 401


# ---------------------------------------------------------------- after seven days


def test_after_seven_days_and_not_before_the_member_is_erased(now):
    member, other = MemberFactory(), MemberFactory()
    closing.close(member=member, at=now)
    assert closing.erase_due(at=now + timedelta(days=7) - timedelta(seconds=1)) == 0
    assert closing.erase_due(at=now + timedelta(days=7)) == 1
    assert closing.erase_due(at=now + timedelta(days=8)) == 0
    assert set(User.objects.values_list("name", flat=True)) == {"", other.name}
    assert ErasedMember.objects.count() == 1


def test_who_came_back_is_not_erased(now):
    member = MemberFactory()
    closing.close(member=member, at=now)
    closing.keep(member=member, at=now)
    assert closing.erase_due(at=now + timedelta(days=8)) == 0


def test_the_task_erases_what_is_due(now):
    member = MemberFactory()
    closing.close(member=member, at=timezone.now() - timedelta(days=30))
    assert tasks.erase_closed_members() == 1


def test_an_order_on_its_way_keeps_its_address_until_it_is_there(now):
    member = MemberFactory()
    closing.close(member=member, at=now)
    placed_at = now + timedelta(days=5)
    order = OrderFactory(errand=ErrandFactory(member=member, placed_at=placed_at))
    assert closing.erase_due(at=now + timedelta(days=7)) == 0
    assert closing.erase_due(at=placed_at + timedelta(days=7)) == 1
    order.refresh_from_db()
    assert order.recipient == ""


def test_an_order_taken_back_keeps_nobody(now):
    member = MemberFactory()
    closing.close(member=member, at=now)
    at = now + timedelta(days=6)
    OrderFactory(errand=ErrandFactory(member=member, placed_at=at), status="undone", undone_at=at)
    assert closing.erase_due(at=now + timedelta(days=7)) == 1


def test_one_that_fails_does_not_keep_the_others(now, monkeypatch, caplog):
    first, second = MemberFactory(name="First"), MemberFactory(name="Second")
    for member in (first, second):
        closing.close(member=member, at=now)
    erase = erasure.erase

    def fail_for_the_first(*, member, at):
        erase(member=member, at=at)
        if member.pk == first.pk:
            raise ValueError("First lives at Heping E. Rd. 1")

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "erase", fail_for_the_first)
        assert closing.erase_due(at=now + timedelta(days=7)) == 1
    first.refresh_from_db()
    assert (first.name, first.erased_at) == ("First", None)
    assert "Heping" not in caplog.text
    assert closing.erase_due(at=now + timedelta(days=7)) == 1


def test_no_reminder_is_planned_or_sent_once_the_account_is_being_closed(now):
    item = ListItemFactory(due=True)
    assert reminders.plan(at=now) == 1
    message = Message.objects.get()
    closing.close(member=item.member, at=now)
    assert reminders.gate(message, now) == Deny("reminders turned off")
    other = ListItemFactory(due=True)
    closing.close(member=other.member, at=now)
    assert reminders.plan(at=now) == 0


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_coming_back_and_being_erased_at_the_same_moment_end_in_one_or_the_other(now):
    at = now + timedelta(days=7)
    for _ in range(10):
        member = willing()
        closing.close(member=member, at=now)
        start = threading.Barrier(3)

        def at_once(act, start=start):
            start.wait()
            try:
                act()
            finally:
                connection.close()

        acts = (
            lambda: closing.erase_due(at=at),
            lambda: closing.erase_due(at=at),
            lambda member=member: closing.keep(member=member, at=at),
        )
        threads = [threading.Thread(target=at_once, args=[act]) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        member.refresh_from_db()
        if member.erased_at:
            assert (member.name, member.email, member.email_consent, member.closing_at) == ("", "", False, None)
        else:
            assert (member.email_consent, member.closing_at) == (True, None)
