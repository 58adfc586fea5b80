"""The signed link in a reminder. It opens nothing by itself: it says which reminder of which member it belongs to."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.models import User
from mylist.models import Reminder

# Nothing else that is signed here passes for such a link.
_SALT = "mylist.reminders.link"


class LinkBroken(Exception):
    """Not one of our links, or its reminder is gone."""


class LinkExpired(Exception):
    """A link of ours, past settings.REMINDER_LINK_AGE."""


class Link(NamedTuple):
    reminder: Reminder
    member: User


def token_for(reminder: Reminder) -> str:
    return signing.Signer(salt=_SALT).sign_object([reminder.pk, reminder.member_id])


def link_url(token: str) -> str:
    return settings.SITE_URL + reverse("mylist:reminder_link", args=[token])


def unsubscribe_url(token: str) -> str:
    return settings.SITE_URL + reverse("mylist:unsubscribe", args=[token])


def follow(token: str) -> Link:
    """Whose reminder a link belongs to, however old: unsubscribing has to work for ever. Raises LinkBroken."""
    try:
        reminder_id, member_id = signing.Signer(salt=_SALT).unsign_object(token)
    # A tampered token fails its signature; what passes was signed by us and has this shape.
    except signing.BadSignature as error:
        raise LinkBroken from error
    reminder = Reminder.objects.select_related("member").filter(pk=reminder_id, member=member_id).first()
    if reminder is None:
        raise LinkBroken
    return Link(reminder, reminder.member)


def open_link(token: str, *, at: datetime) -> Link:
    """As follow, for a link that is still young enough. Raises LinkBroken, LinkExpired."""
    link = follow(token)
    if at - link.reminder.planned_at > settings.REMINDER_LINK_AGE:
        raise LinkExpired
    return link


def mark_opened(*, reminder: Reminder, at: datetime) -> None:
    """Somebody followed the link; the first time counts."""
    Reminder.objects.filter(pk=reminder.pk, opened_at__isnull=True).update(opened_at=at)
