"""Wishes are kept, are kept once, have their way back, and are the member's own."""

import pytest

from mylist import wishes
from mylist.models import ListItem
from tests.factories import ListItemFactory, MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shopper():
    return MemberFactory()


@pytest.mark.parametrize(
    ("wish", "column"),
    [
        (lambda **who: wishes.pin(at=who.pop("now"), **who), "pinned_at"),
        (lambda **who: wishes.hide(at=who.pop("now"), **who), "hidden_at"),
        (lambda **who: wishes.snooze(until=who.pop("now"), **who), "snoozed_until"),
    ],
)
def test_a_wish_is_kept_and_kept_once(shopper, now, wish, column):
    item = ListItemFactory(member=shopper)
    for _ in range(2):
        wish(member=shopper, item_id=item.pk, now=now)
    assert getattr(ListItem.objects.get(pk=item.pk), column) == now


def test_every_wish_has_its_way_back(shopper, now):
    item = ListItemFactory(member=shopper, pinned_at=now, hidden_at=now, snoozed_until=now, quantity=4)
    who = {"member": shopper, "item_id": item.pk}
    wishes.unpin(**who)
    wishes.unhide(**who)
    wishes.wake(**who)
    wishes.set_quantity(quantity=None, **who)
    item.refresh_from_db()
    assert (item.pinned_at, item.hidden_at, item.snoozed_until, item.quantity) == (None, None, None, None)


@pytest.mark.parametrize(
    "wish", [wishes.unpin, wishes.unhide, wishes.wake, lambda **who: wishes.set_quantity(quantity=2, **who)]
)
def test_nobody_touches_anothers_item(shopper, wish):
    with pytest.raises(ListItem.DoesNotExist):
        wish(member=shopper, item_id=ListItemFactory().pk)


@pytest.mark.parametrize("quantity", [0, -3, 100])
def test_a_quantity_nobody_means_is_refused(shopper, quantity):
    item = ListItemFactory(member=shopper)
    with pytest.raises(ValueError, match="1 to 99"):
        wishes.set_quantity(member=shopper, item_id=item.pk, quantity=quantity)
