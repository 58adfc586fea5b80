"""What a shopper sends back with the list: the whole list is one form, with a field or two an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from mylist.reorder import Line
from shop.orders import MAX_QUANTITY

# What the menu of an item offers: days, and their name.
SNOOZES = [(7, _("1 week")), (14, _("2 weeks")), (30, _("1 month"))]


class Unreadable(Exception):
    """The form is not one that our page sends."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A tap on a reorder button: the lines as they were shown, and the key that makes two taps one order."""

    lines: list[Line]
    key: str
    drawn_at: datetime


def read_reorder(post: QueryDict) -> Asked:
    """`only` names one item, `due` means all of `due_item`. Each button of a page has its own key.

    The key of the page alone would turn down a tap on a second item of a page that went stale behind the Back button.
    """
    key, drawn_at = post.get("key", ""), _moment(post.get("drawn_at", ""))
    if not 8 <= len(key) <= 100:
        raise Unreadable("key")
    only = post.get("only")
    ids = [only] if only else post.getlist("due_item") if "due" in post else []
    return Asked([_line(post, item_id) for item_id in ids], f"{key}:{only or 'due'}", drawn_at)


def typed_quantities(post: Mapping[str, str]) -> dict[int, int]:
    """Item id -> packs as typed in the steppers, leaving out what is no quantity."""
    typed = {}
    for name, value in post.items():
        item_id = name.removeprefix("quantity-")
        if item_id != name and item_id.isdecimal() and value.isdecimal() and 1 <= int(value) <= MAX_QUANTITY:
            typed[int(item_id)] = int(value)
    return typed


def read_snooze(fields: Mapping[str, str], *, at: datetime) -> datetime:
    """Until when: `days` from `at`, or the moment `until`."""
    days = fields.get("days", "")
    if days:
        if not (days.isdecimal() and 1 <= int(days) <= 366):
            raise Unreadable("days")
        return at + timedelta(days=int(days))
    return _moment(fields.get("until", ""))


def _line(post: QueryDict, item_id: str) -> Line:
    quantity, price = post.get(f"quantity-{item_id}", ""), post.get(f"price-{item_id}", "")
    try:
        line = Line(int(item_id), int(quantity), Decimal(price))
    except (ValueError, InvalidOperation) as error:
        raise Unreadable("line") from error
    if line.quantity is None or not 1 <= line.quantity <= MAX_QUANTITY:
        raise Unreadable("quantity")
    return line


def _moment(value: str) -> datetime:
    try:
        moment = parse_datetime(value)
    except ValueError as error:
        raise Unreadable("moment") from error
    if moment is None or moment.tzinfo is None:
        raise Unreadable("moment")
    return moment
