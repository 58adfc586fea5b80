"""Closing an account: seven days in which the member can come back, then the person is erased."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import QuerySet

from accounts import belongings, consents, erasure, notices
from accounts.models import ConsentEntry, User

logger = logging.getLogger(__name__)

WAY_BACK = timedelta(days=7)

# Told of a member about to be erased and the moment: True, and it waits until another time.
Hindrance = Callable[[User, datetime], bool]
_hindrances: list[Hindrance] = []


class StaffStay(Exception):
    """The account works in the admin; whoever gave it that right has to take it away first."""


def register_hindrance(hindrance: Hindrance) -> None:
    """From now on `hindrance(member, at)` is asked before a member is erased."""
    _hindrances.append(hindrance)


@transaction.atomic
def close(*, member: User, at: datetime) -> User:
    """Set the account to be erased in seven days; reminders and offers end now, and every device is signed out.

    A second time changes nothing. Raises StaffStay.
    """
    member = User.objects.select_for_update().get(pk=member.pk)
    if member.is_staff or member.is_superuser:
        raise StaffStay
    if member.closing_at or member.erased_at:
        return member
    member.closing_at = at + WAY_BACK
    member.save(update_fields=["closing_at"])
    # First what held until now, for the way back is read from the ledger.
    consents.choose(member=member, at=at, source=consents.Source.CLOSING)
    consents.choose(
        member=member,
        at=at,
        source=consents.Source.CLOSING,
        reminder_channel=User.ReminderChannel.NONE,
        email_consent=False,
        sms_consent=False,
    )
    belongings.sessions([member.pk]).delete()
    UserSession.objects.filter(user=member).delete()
    notices.tell(
        member=member,
        template="closing",
        key=f"closing-{member.pk}-{at:%Y%m%d%H%M%S}",
        at=at,
        context={"closing_at": member.closing_at},
    )
    return member


@transaction.atomic
def keep(*, member: User, at: datetime) -> User:
    """The member came back: the account stays, and what was agreed to before holds again; a second time is once."""
    member = User.objects.select_for_update().get(pk=member.pk)
    if member.closing_at is None or member.erased_at:
        return member
    ended = _ended(member, member.closing_at - WAY_BACK)
    member.closing_at = None
    member.save(update_fields=["closing_at"])
    wishes: dict[str, Any] = {}
    for purpose, channel in ended:
        if purpose == consents.Purpose.REMINDERS:
            wishes["reminder_channel"] = channel
        elif purpose == consents.Purpose.OFFERS:
            wishes["email_consent" if channel == consents.Channel.EMAIL else "sms_consent"] = True
    consents.choose(member=member, at=at, source=consents.Source.CLOSING, **wishes)
    notices.tell(member=member, template="kept", key=f"kept-{member.pk}-{at:%Y%m%d%H%M%S}", at=at)
    return member


def _ended(member: User, closed_at: datetime) -> set[consents.Grant]:
    """What the closing ended and nobody has spoken of since."""
    newest: dict[consents.Grant, ConsentEntry] = {}
    for entry in ConsentEntry.objects.filter(member=member).order_by("pk"):
        newest[entry.purpose, entry.channel] = entry
    return {
        grant
        for grant, entry in newest.items()
        if not entry.given and entry.source == consents.Source.CLOSING and entry.at == closed_at
    }


def due(*, at: datetime) -> list[int]:
    """The members whose seven days are over."""
    return list(_due(at).order_by("closing_at").values_list("pk", flat=True))


def _due(at: datetime) -> QuerySet[User]:
    # Who was made staff meanwhile stays.
    return User.objects.filter(closing_at__lte=at, is_staff=False, is_superuser=False)


def erase_due(*, at: datetime) -> int:
    """Erase everybody whose seven days are over, each in a transaction of its own; returns how many.

    Safe to run twice at once and after a crash: whoever comes second finds the member erased. One that fails does not
    keep the others from being erased; it is tried again next time.
    """
    return sum(_erase_if_due(member_id, at) for member_id in due(at=at))


def _erase_if_due(member_id: int, at: datetime) -> bool:
    try:
        with transaction.atomic():
            # Locked: who comes back in this very moment either is in time or finds the account closed.
            member = _due(at).select_for_update().filter(pk=member_id).first()
            if member is None or any(hinders(member, at) for hinders in _hindrances):
                return False
            erasure.erase(member=member, at=at)
    except Exception as error:
        # The class alone: what the database says of a row may repeat what stands in it.
        logger.error("member %s could not be erased: %s", member_id, type(error).__name__)
        return False
    return True
