"""The arrow from purchase back to prediction."""

import pytest
from kombu.exceptions import OperationalError

from mylist import tasks
from shop import orders, signals
from tests.factories import AddressFactory, OfferFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def enqueued(monkeypatch):
    """What would have gone to the broker: (task, arguments) each."""
    calls = []
    for task in (tasks.predict_members, tasks.predict_all):
        monkeypatch.setattr(
            task, "apply_async", lambda *, kwargs, retry, name=task.name: calls.append((name.split(".")[-1], kwargs))
        )
    return calls


@pytest.fixture
def errand(now, enqueued, django_capture_on_commit_callbacks):
    buyer = AddressFactory().member
    with django_capture_on_commit_callbacks(execute=True):
        return orders.place(
            member=buyer,
            wanted=[orders.Wanted(OfferFactory().pk, 1)],
            key="k",
            address=buyer.addresses.get(),
            payment_kind="invoice",
            at=now,
        )


def test_an_order_predicts_its_member_and_nobody_else(errand, enqueued):
    assert enqueued == [("predict_members", {"member_ids": [errand.member_id]})]


def test_so_does_its_undo(errand, enqueued, now, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        orders.undo(member=errand.member, errand_id=errand.pk, at=now)
    assert enqueued == [("predict_members", {"member_ids": [errand.member_id]})] * 2


def test_an_import_predicts_everybody(enqueued):
    signals.history_imported.send(sender=None, purchases=7)
    assert enqueued == [("predict_all", {})]


def test_a_broker_that_is_away_is_no_reason_to_fail(monkeypatch, caplog):
    def away(**_):
        raise OperationalError("redis://user:secret@broker is away")

    monkeypatch.setattr(tasks.predict_members, "apply_async", away)
    signals.errand_placed.send(sender=None, errand_id=1, member_id=2)
    assert "made up for tonight" in caplog.text
    assert "secret" not in caplog.text
