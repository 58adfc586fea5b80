import pytest
from django.db import transaction

from notify import outbox
from notify.gates import NoGate
from notify.models import Message


def test_post_same_key_is_the_same_message(post):
    first = post(subject="Diapers")
    again = post(subject="Something else")
    assert again.pk == first.pk
    assert Message.objects.get().subject == "Diapers"


def test_post_is_due_at_once_unless_told_otherwise(post, now):
    from datetime import timedelta

    assert post(key="a").due_at == now
    assert post(key="b", due_at=now + timedelta(hours=1)).due_at == now + timedelta(hours=1)


def test_post_without_a_gate_for_the_purpose_raises(post):
    with pytest.raises(NoGate, match="no gate is registered for the purpose 'lottery'"):
        post(purpose="lottery")
    assert not Message.objects.exists()


def test_post_vanishes_with_the_transaction_that_caused_it(post):
    class Changed(Exception):
        pass

    with pytest.raises(Changed), transaction.atomic():
        post()
        raise Changed
    assert not Message.objects.exists()


def test_post_keeps_headers(post):
    headers = {"List-Unsubscribe": "<https://shop.example/u>"}
    assert outbox.Message.objects.get(pk=post(headers=headers).pk).headers == headers
