"""What a member wishes for the items of the own list: pinned, hidden, snoozed, so many of them.

Each verb raises ListItem.DoesNotExist for an item that is not the member's, and gives back the changed item.
"""

from datetime import datetime
from typing import Any

from accounts.models import User
from mylist.lists import items_of
from mylist.models import ListItem
from shop.orders import MAX_QUANTITY


def hidden(*, member: User) -> list[ListItem]:
    """What the member hid, newest first."""
    return list(items_of(member).filter(hidden_at__isnull=False).order_by("-hidden_at"))


def pin(*, member: User, item_id: int, at: datetime) -> ListItem:
    return _change(member, item_id, pinned_at=at)


def unpin(*, member: User, item_id: int) -> ListItem:
    return _change(member, item_id, pinned_at=None)


def hide(*, member: User, item_id: int, at: datetime) -> ListItem:
    return _change(member, item_id, hidden_at=at)


def unhide(*, member: User, item_id: int) -> ListItem:
    return _change(member, item_id, hidden_at=None)


def snooze(*, member: User, item_id: int, until: datetime) -> ListItem:
    return _change(member, item_id, snoozed_until=until)


def wake(*, member: User, item_id: int) -> ListItem:
    return _change(member, item_id, snoozed_until=None)


def set_quantity(*, member: User, item_id: int, quantity: int | None) -> ListItem:
    """Packs to reorder, 1 to 99; None goes back to what the forecast suggests. ValueError for anything else."""
    if quantity is not None and not 1 <= quantity <= MAX_QUANTITY:
        raise ValueError(f"quantity {quantity}: choose 1 to {MAX_QUANTITY}")
    return _change(member, item_id, quantity=quantity)


def wish(*, member: User, item_id: int, at: datetime, **wishes: Any) -> ListItem:
    """Several wishes at once, as a client sends them: pinned, hidden (booleans), snoozed_until, quantity."""
    for flag, column in (("pinned", "pinned_at"), ("hidden", "hidden_at")):
        if flag in wishes:
            wishes[column] = at if wishes.pop(flag) else None
    return _change(member, item_id, **wishes)


def _change(member: User, item_id: int, **wishes: object) -> ListItem:
    item = items_of(member).get(pk=item_id)
    for name, value in wishes.items():
        setattr(item, name, value)
    item.save(update_fields=list(wishes))
    return item
