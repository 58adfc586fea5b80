"""Looking at the shop as a member sees it: for a reason, for a quarter of an hour, without changing anything.

The session stays the staff's own; which look is on stands in it, and accounts.middleware shows the pages as the member
meanwhile. The member finds every look on the own page.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import Impersonation, User

logger = logging.getLogger(__name__)

PERMISSION = "accounts.look_as_member"
LONGEST = timedelta(minutes=15)
SESSION_KEY = "looking"

_READS = re.compile(r"\s*(SELECT|WITH|EXPLAIN|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
_WRITES_INSIDE = re.compile(r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\S+\s+SET|INTO\s+TEMP)\b", re.IGNORECASE)


class LookOnly(PermissionDenied):
    """Something would have been written while staff look at the shop as a member."""


def may_look(staff: User | AnonymousUser, member: User) -> bool:
    """Whether this member of staff may look as this member; as other staff nobody may, that would lend their rights."""
    able = staff.is_active and staff.is_staff and staff.has_perm(PERMISSION)
    return able and member.is_active and not (member.is_staff or member.is_superuser or member.erased_at)


@transaction.atomic
def begin(*, staff: User, member: User, reason: str, session: SessionBase, at: datetime) -> Impersonation:
    """From now on this session shows the shop as `member`; a look that is on ends. Raises PermissionDenied."""
    if not may_look(staff, member):
        raise PermissionDenied
    end(session=session, at=at)
    look = Impersonation.objects.create(staff=staff, member=member, reason=reason, began_at=at, ends_at=at + LONGEST)
    session[SESSION_KEY] = look.pk
    logger.info("Look %s began.", look.pk)
    return look


def current(*, session: SessionBase, staff: User | AnonymousUser, at: datetime) -> Impersonation | None:
    """The look that is on in this session of `staff`; None when its time is over or one of the two may no longer."""
    look = (
        Impersonation.objects.select_related("member", "staff")
        .filter(pk=session.get(SESSION_KEY, 0), ended_at=None, ends_at__gt=at)
        .first()
    )
    return look if look and look.staff == staff and may_look(staff, look.member) else None


def end(*, session: SessionBase, at: datetime) -> Impersonation | None:
    """This session shows the shop as its own member again; the look that was on, None if none was."""
    look = Impersonation.objects.select_related("member").filter(pk=session.pop(SESSION_KEY, None)).first()
    if look and look.ended_at is None:
        look.ended_at = min(at, look.ends_at)
        look.save(update_fields=["ended_at"])
        logger.info("Look %s ended.", look.pk)
    return look


def refuse_writes(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """For connection.execute_wrapper: the database is read only meanwhile, whatever a page would like to note."""
    said = str(sql)
    if not _READS.match(said) or _WRITES_INSIDE.search(said):
        raise LookOnly
    return execute(sql, params, many, context)
