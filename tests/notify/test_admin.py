from datetime import timedelta

import pytest

from notify.models import Message
from tests.admin_contract import (
    assert_found_by,
    assert_only_for_staff,
    assert_opens,
    assert_queries_stay_the_same,
    assert_read_only,
    change,
    changelist,
    shown,
    sign_in,
)
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db


def test_the_outbox_opens(client):
    sign_in(client, superuser=True)
    assert_opens(client, MessageFactory())


def test_a_message_shows_its_text_but_nothing_that_runs(client):
    sign_in(client, "view_message")
    message = MessageFactory(text="Diapers <script>alert(1)</script>", html="<b>Diapers</b>", headers={"X": "y"})
    page = client.get(change(message)).text
    assert "Diapers &lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "&lt;b&gt;" not in page


def test_messages_are_found_by_key_recipient_and_subject(client):
    sign_in(client, superuser=True)
    MessageFactory.create_batch(3)
    message = MessageFactory(key="reminder:77", recipient="mei@example.org", subject="Soap runs out")
    assert_found_by(client, message, ["reminder:77", "mei@example.org", "soap"])


def test_messages_are_filtered_by_what_became_of_them(client, now):
    sign_in(client, superuser=True)
    waiting = MessageFactory()
    sent = MessageFactory(status=Message.Status.SENT, sent_at=now + timedelta(seconds=5))
    assert shown(client, Message, status="waiting") == {waiting.pk}
    assert shown(client, Message, status="sent") == {sent.pk}


def test_nobody_writes_a_message_by_hand(client):
    sign_in(client, superuser=True)
    assert_read_only(client, MessageFactory())


def test_the_outbox_asks_the_same_number_of_questions_for_more_messages(client):
    sign_in(client, superuser=True)
    assert_queries_stay_the_same(client, changelist(Message), MessageFactory)


def test_the_outbox_is_for_staff_who_may_see_it(client):
    assert_only_for_staff(client, changelist(Message))
    sign_in(client, "view_message")
    assert client.get(changelist(Message)).status_code == 200
