"""The words of a reminder in the member's language and time zone: a mail with text and HTML, or a short SMS."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.models import User
from mylist import lists
from mylist.models import ListItem, Reminder
from mylist.reminders.links import link_url, token_for, unsubscribe_url
from mylist.words import due_label, reason
from notify.markup import render_html
from shop.money import format_money

# Named in the subject; the rest are counted.
_IN_SUBJECT = 2
# A long name is cut, so that the second one is still read on a phone; an SMS in Chinese holds 70 characters.
_NAME_LENGTH, _NAME_LENGTH_SMS = 40, 16
# Shown in the mail; the rest are counted and wait on the list.
_IN_MAIL = 10


class Words(TypedDict):
    subject: str
    text: str
    html: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    store: str
    accent: str
    due: str
    reason: str
    price: str


def render(*, reminder: Reminder, member: User, items: list[ListItem], at: datetime) -> Words:
    """The message about these items, most urgent first, as it is on the day of `at` where the member lives."""
    token = token_for(reminder)
    zone = ZoneInfo(member.time_zone)
    with translation.override(member.language), timezone.override(zone):
        if member.reminder_channel == User.ReminderChannel.SMS:
            subject = _subject(items, _NAME_LENGTH_SMS)
            return {"subject": subject, "text": f"{subject}\n{link_url(token)}", "html": "", "headers": {}}
        return _mail(items, member.language, token, at, zone)


def _subject(items: list[ListItem], name_length: int) -> str:
    names = [_short(_name(item), name_length) for item in items[:_IN_SUBJECT]]
    context = {
        "first": names[0],
        "second": names[1] if len(names) > 1 else "",
        "others": len(items) - len(names),
    }
    # A header is one line, whatever a template or a product's name holds.
    return " ".join(render_to_string("emails/reminder.subject.txt", context).split())


def _mail(items: list[ListItem], language: str, token: str, at: datetime, zone: ZoneInfo) -> Words:
    unsubscribe = unsubscribe_url(token)
    lines = [_line(item, language, at, zone) for item in items[:_IN_MAIL]]
    context: dict[str, Any] = {
        "site_name": settings.SITE_NAME,
        "html_language": "en" if language == "en" else "zh-Hant",
        "lines": lines,
        "more": len(items) - len(lines),
        "at": at,
        "link": link_url(token),
        "unsubscribe": unsubscribe,
    }
    return {
        "subject": _subject(items, _NAME_LENGTH),
        "text": render_to_string("emails/reminder.txt", context),
        "html": render_html("emails/reminder.html", context),
        "headers": {
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    }


def _line(item: ListItem, language: str, at: datetime, zone: ZoneInfo) -> Line:
    offer = item.offer
    assert offer is not None  # noqa: S101  due_items() gives only items that are on sale
    facts = lists.facts_of(item, today=at.astimezone(zone).date(), zone=zone)
    return Line(
        name=_name(item),
        store=offer.store.name,
        accent=offer.store.accent_light,
        due=due_label(facts),
        reason=reason(facts, below_label=True),
        price=format_money(offer.price, offer.currency, language),
    )


def _name(item: ListItem) -> str:
    return " ".join(item.product.name.split())


def _short(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"
