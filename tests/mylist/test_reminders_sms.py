"""Reminders of members who want them by SMS."""

from datetime import timedelta

import pytest

from accounts.models import User
from mylist import reminders
from mylist.models import Prediction, Reminder
from notify import dispatch
from notify.channels import sms
from notify.gates import Allow, Deny
from notify.models import Message
from tests.factories import ListItemFactory, MemberFactory

pytestmark = pytest.mark.django_db

MEI = "+886912345678"


@pytest.fixture
def member() -> User:
    return MemberFactory(reminder_channel=User.ReminderChannel.SMS, phone=MEI)


def _named(member: User, *names: str) -> None:
    """Due items of these names, the first the most urgent."""
    for days, name in enumerate(names):
        item = ListItemFactory(member=member, due=True, offer__product__name_en=name, offer__product__name_zh=name)
        day = item.prediction.as_of.date() + timedelta(days=days)
        Prediction.objects.filter(item=item).update(expected_on=day, upper_on=day + timedelta(days=9))


def _planned(now) -> Message:
    assert reminders.plan(at=now) == 1
    return Message.objects.get()


def test_plan_writes_two_names_the_count_and_the_link(member, now, settings):
    settings.SITE_URL = "https://shop.example"
    _named(member, "Diapers", "Wipes", "Soap", "Tea")
    message = _planned(now)
    words, link = message.text.split("\n")
    assert words == "Diapers, Wipes and 2 more may be running out"
    assert link.startswith("https://shop.example/my-list/r/")
    assert (message.channel, message.recipient, message.html, message.headers) == ("sms", MEI, "", {})


def test_plan_speaks_the_member_s_language_and_keeps_it_short(member, now):
    User.objects.update(language="zh-hant")
    _named(member, "幼" * 60, "濕紙巾")
    words = _planned(now).text.split("\n")[0]
    assert words == "幼" * 15 + "…、濕紙巾可能快用完了"
    assert len(words) <= 70


def test_the_link_opens_the_reminder(client, member, now):
    _named(member, "Diapers")
    link = _planned(now).text.split("\n")[1]
    response = client.get(link[link.index("/my-list/") :])
    assert response.status_code in {302, 410}


def test_it_goes_out_by_sms_and_the_reminder_is_sent(member, now, mailoutbox):
    _named(member, "Diapers")
    message = _planned(now)
    dispatch.send(message_id=message.pk, at=now)
    ((recipient, text, key),) = sms.outbox
    assert (recipient, text, key) == (MEI, message.text, message.key)
    assert mailoutbox == []
    assert Reminder.objects.get().status == "sent"


def test_who_has_no_phone_or_where_there_are_no_sms_nothing_is_planned(member, now, settings):
    _named(member, "Diapers")
    User.objects.update(phone="")
    assert reminders.plan(at=now) == 0
    User.objects.update(phone=MEI)
    settings.SMS_URL = ""
    assert reminders.plan(at=now) == 0
    assert reminders.plan_member(member_id=member.pk, at=now) is None


def test_without_sms_mails_go_on(now, settings):
    settings.SMS_URL = ""
    ListItemFactory(due=True)
    assert reminders.plan(at=now) == 1


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({}, Allow()),
        ({"email": "new@example.com"}, Allow()),
        ({"phone": "+886922222222"}, Deny("address changed")),
        ({"reminder_channel": "email"}, Deny("address changed")),
        ({"reminder_channel": "none"}, Deny("reminders turned off")),
    ],
)
def test_gate_compares_the_phone(member, now, change, answer):
    _named(member, "Diapers")
    message = _planned(now)
    User.objects.update(**change)
    assert reminders.gate(message, now) == answer


def test_who_changes_to_e_mail_meanwhile_gets_the_reminder_there(member, now):
    _named(member, "Diapers")
    message = _planned(now)
    User.objects.update(reminder_channel="email")
    dispatch.send(message_id=message.pk, at=now)
    assert sms.outbox == []
    assert reminders.plan(at=now) == 1
    assert Message.objects.latest("pk").channel == "email"
