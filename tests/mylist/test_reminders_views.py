from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts import consents
from accounts.models import ConsentEntry, User
from mylist import reminders
from mylist.models import Reminder
from mylist.reminders.links import token_for
from tests.factories import ListItemFactory, MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def item():
    return ListItemFactory(
        due=True, member=MemberFactory(name="Lin Mei", email="mei@example.com"), offer__product__name_en="Diapers"
    )


@pytest.fixture
def reminder(item, now) -> Reminder:
    reminder = reminders.plan_member(member_id=item.member_id, at=now)
    assert reminder is not None
    return reminder


@pytest.fixture
def link(reminder) -> str:
    return reverse("mylist:reminder_link", args=[token_for(reminder)])


@pytest.fixture
def off(reminder) -> str:
    return reverse("mylist:unsubscribe", args=[token_for(reminder)])


@pytest.fixture
def mail_program(link) -> Client:
    """Neither cookie nor token, and Django's CSRF check awake."""
    return Client(enforce_csrf_checks=True)


def _opened() -> object:
    return Reminder.objects.get().opened_at


# ------------------------------------------------------------------ the link


def test_reminder_link_leads_its_member_to_the_list(client, item, reminder, link, now):
    client.force_login(item.member)
    response = client.get(link)
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('mylist:list')}?reminder={reminder.pk}"
    assert _opened() == now


def test_reminder_link_leads_a_visitor_through_signing_in_by_code(client, reminder, link, now):
    response = client.get(link)
    to = urlsplit(response["Location"])
    assert (response.status_code, to.path) == (302, reverse("account_request_login_code"))
    assert parse_qs(to.query) == {"next": [f"{reverse('mylist:list')}?reminder={reminder.pk}"]}
    assert _opened() == now


def test_reminder_link_says_nothing_about_its_member_to_a_visitor(client, link):
    pages = client.get(link, follow=True)
    for told in (pages.content.decode(), *(url for url, _status in pages.redirect_chain)):
        assert "mei@example.com" not in told
        assert "Lin Mei" not in told
        assert "Diapers" not in told


def test_reminder_link_says_nothing_about_its_member_to_another(client, link):
    client.force_login(MemberFactory())
    response = client.get(link)
    page = response.content.decode()
    assert response.status_code == 403
    assert "This reminder is for somebody else" in page
    assert not any(secret in page for secret in ("mei@example.com", "Lin Mei", "Diapers"))
    assert _opened() is None


def test_reminder_link_counts_the_first_opening_only(client, link, now):
    client.get(link)
    with time_machine.travel(now + timedelta(hours=1)):
        client.get(link)
    assert _opened() == now


def test_reminder_link_changes_nothing_for_a_scanner_s_head(client, link):
    assert client.head(link).status_code == 302
    assert _opened() is None


@pytest.mark.parametrize(
    "header", [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}]
)
def test_reminder_link_changes_nothing_when_fetched_ahead(client, link, header):
    assert client.get(link, headers=header).status_code == 302
    assert _opened() is None


def test_reminder_link_takes_no_post(client, link):
    assert client.post(link).status_code == 405


def test_reminder_link_is_not_kept_by_caches(client, link):
    assert "no-store" in client.get(link)["Cache-Control"]


def test_reminder_link_expires(client, link, now, settings):
    with time_machine.travel(now + settings.REMINDER_LINK_AGE):
        assert client.get(link).status_code == 302
    Reminder.objects.update(opened_at=None)
    with time_machine.travel(now + settings.REMINDER_LINK_AGE + timedelta(seconds=1)):
        response = client.get(link)
    assert response.status_code == 410
    assert reverse("mylist:list") in response.content.decode()
    assert _opened() is None


def _tampered(token: str) -> list[str]:
    body, _colon, signature = token.rpartition(":")
    return [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "A" + token[1:],
        body,
        signature,
        "x",
        signing.Signer(salt="mylist.something-else").sign_object([1, 1]),
        signing.Signer(salt="mylist.reminders.link", key="guessed").sign_object([1, 1]),
    ]


@pytest.mark.parametrize("name", ["mylist:reminder_link", "mylist:unsubscribe"])
def test_links_that_were_tampered_with_lead_nowhere(client, reminder, name):
    for token in _tampered(token_for(reminder)):
        url = reverse(name, args=[token])
        response = client.get(url)
        assert response.status_code == 404, token
        assert reverse("mylist:list") in response.content.decode()
    User.objects.get().refresh_from_db()
    assert User.objects.get().reminder_channel == "email"


def test_links_of_an_erased_reminder_lead_nowhere(client, reminder, link, off):
    Reminder.objects.all().delete()
    assert client.get(link).status_code == 404
    assert client.post(off).status_code == 404


# ------------------------------------------------------------------ unsubscribing


def _channel() -> str:
    return User.objects.get().reminder_channel


def test_unsubscribe_asks_before_it_acts(client, off):
    response = client.get(off)
    assert response.status_code == 200
    assert "Turn reminders off" in response.content.decode()
    assert _channel() == "email"


def test_unsubscribe_page_needs_one_tap_and_no_signing_in(mail_program, off):
    response = mail_program.post(off)
    assert response.status_code == 200
    assert "Reminders are off" in response.content.decode()
    assert _channel() == "none"


def test_unsubscribe_stands_in_the_ledger_as_done_by_the_link(mail_program, off):
    mail_program.post(off)
    mail_program.post(off)
    assert not ConsentEntry.objects.filter(purpose="reminders", given=True).exists()
    mail_program.post(off, {"resubscribe": "1"})
    entries = ConsentEntry.objects.filter(purpose="reminders").order_by("pk")
    assert [(entry.channel, entry.given, entry.source) for entry in entries][-1:] == [("email", True, "link")]
    assert consents.granted(User.objects.get()) == consents.recorded(User.objects.get())


def test_unsubscribe_from_an_old_mail_ends_reminders_by_sms_as_well(mail_program, client, off):
    User.objects.update(reminder_channel="sms")
    assert "Turn reminders off" in client.get(off).content.decode()
    mail_program.post(off)
    assert _channel() == "none"


def test_unsubscribe_by_a_mail_program_in_one_click(mail_program, off):
    response = mail_program.post(off, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200
    assert _channel() == "none"


def test_unsubscribe_by_a_mail_program_as_form_data(mail_program, off):
    assert mail_program.post(off, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert _channel() == "none"


def test_unsubscribe_twice_is_once(mail_program, off):
    mail_program.post(off)
    assert mail_program.post(off).status_code == 200
    assert _channel() == "none"


def test_unsubscribe_can_be_taken_back(mail_program, off):
    page = mail_program.post(off).content.decode()
    assert 'name="resubscribe"' in page
    page = mail_program.post(off, {"resubscribe": "1"}).content.decode()
    assert "Reminders are on again" in page
    assert _channel() == "email"


@pytest.mark.parametrize("method", ["get", "head"])
def test_unsubscribe_is_not_done_by_looking(client, off, method):
    getattr(client, method)(off)
    assert _channel() == "email"


def test_unsubscribe_works_after_the_link_expired(mail_program, off, now, settings):
    with time_machine.travel(now + 10 * settings.REMINDER_LINK_AGE):
        assert mail_program.post(off).status_code == 200
    assert _channel() == "none"


def test_unsubscribe_says_nothing_about_its_member(client, off):
    for page in (client.get(off), client.post(off)):
        assert not any(secret in page.content.decode() for secret in ("mei@example.com", "Lin Mei", "Diapers"))


def test_unsubscribe_is_obeyed_by_a_message_already_queued(mail_program, off, now, mailoutbox):
    from notify import dispatch
    from notify.models import Message

    mail_program.post(off)
    dispatch.send(message_id=Message.objects.get().pk, at=now)
    assert mailoutbox == []
    assert Reminder.objects.get().dropped_because == "reminders turned off"


def test_unsubscribe_leaves_others_alone(mail_program, off):
    other = MemberFactory()
    mail_program.post(off)
    other.refresh_from_db()
    assert other.reminder_channel == "email"
