"""The nightly look at birthdays, with what the shop knows of first purchases."""

from datetime import UTC, date, datetime

import pytest

from accounts.birthdays import may_congratulate
from accounts.models import User
from config.settings import CELERY_BEAT_SCHEDULE
from shop import signals, tasks
from tests.factories import ErrandFactory, MemberFactory, OrderFactory, PurchaseFactory

pytestmark = pytest.mark.django_db

# Old enough on the day of joining, so that nothing but the first purchase speaks against it.
DAY = datetime(2009, 3, 2, 4, 0, tzinfo=UTC)


def test_the_day_of_the_first_purchase_is_doubted_wherever_it_was_made():
    by_import, by_order, later = MemberFactory.create_batch(3, birthday=date(2009, 3, 2))
    PurchaseFactory(member=by_import, purchased_at=DAY)
    OrderFactory(errand=ErrandFactory(member=by_order, placed_at=DAY))
    PurchaseFactory(member=later, purchased_at=datetime(2010, 3, 2, 4, 0, tzinfo=UTC))
    assert tasks.flag_birthdays() == 2
    assert set(User.objects.exclude(birthday_doubts=[])) == {by_import, by_order}
    assert set(may_congratulate(User.objects.all())) == {later}


def test_it_is_asked_for_daily_and_after_an_import(monkeypatch):
    assert CELERY_BEAT_SCHEDULE["flag-birthdays"]["task"] == tasks.flag_birthdays.name
    asked = []
    monkeypatch.setattr(tasks.flag_birthdays, "apply_async", lambda **options: asked.append(options))
    signals.history_imported.send(sender=None, purchases=0)
    assert asked == [{"retry": False}]
