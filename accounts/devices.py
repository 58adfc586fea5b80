"""Where a member is signed in: browsers and apps, each with a session that can be ended."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts.models import User

# In this order: Edge calls itself Chrome, too, Chrome Safari, and Android Linux.
_BROWSERS = [
    (r"\bLine/", "LINE"),
    (r"FBAN|FBAV", "Facebook"),
    (r"Edg(e|A|iOS)?/", "Edge"),
    (r"OPR/", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/", "Chrome"),
    (r"Safari/", "Safari"),
]
_SYSTEMS = [
    (r"Android", "Android"),
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Windows", "Windows"),
    (r"CrOS", "ChromeOS"),
    (r"Macintosh|Mac OS X", "Mac"),
    (r"Linux", "Linux"),
]
# A device is noted as seen at most so often: what a page costs does not grow by a write.
SEEN_EVERY = timedelta(hours=1)
_SEEN_KEY = "seen_at"


@dataclass(frozen=True, slots=True)
class Device:
    """`name` in words ("Chrome on Android"); `is_this` is the one that asks."""

    pk: int
    name: str
    since: datetime
    seen_at: datetime
    is_this: bool


def describe(user_agent: str) -> str:
    """A browser's or app's header in words a shopper knows."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or (_("App on %(system)s") % {"system": system} if system else _("App or unknown browser"))


def _first(names: list[tuple[str, str]], user_agent: str) -> str:
    return next((name for pattern, name in names if re.search(pattern, user_agent)), "")


def of(member: User, *, current_key: str | None, at: datetime) -> list[Device]:
    """Where the member is signed in now, this one first, then the last seen first; what has expired is left out."""
    rows = UserSession.objects.filter(user=member).order_by("-last_seen_at", "-pk")
    alive = {
        session.session_key
        for session in Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=at)
        if _still_lets_in(session, member)
    }
    devices = [
        Device(row.pk, describe(row.user_agent), row.created_at, row.last_seen_at, row.session_key == current_key)
        for row in rows
        if row.session_key in alive
    ]
    return sorted(devices, key=lambda device: not device.is_this)


def _still_lets_in(session: Session, member: User) -> bool:
    """A changed password leaves sessions behind that nobody gets in with any more."""
    return constant_time_compare(session.get_decoded().get(HASH_SESSION_KEY, ""), member.get_session_auth_hash())


def begin(session: SessionBase, *, at: datetime) -> None:
    """Somebody has just signed in: the hour until the next note begins."""
    session[_SEEN_KEY] = at.timestamp()


def note_seen(session: SessionBase, *, at: datetime) -> bool:
    """Write down that the device was here, if that is an hour ago; whether it was. The caller saves the session."""
    if at.timestamp() - session.get(_SEEN_KEY, 0) < SEEN_EVERY.total_seconds():
        return False
    UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=at)
    session[_SEEN_KEY] = at.timestamp()
    return True


def forget_gone(*, at: datetime) -> int:
    """Delete the sessions that are over at `at`, and the devices whose session is gone; how many devices."""
    Session.objects.filter(expire_date__lte=at).delete()
    gone = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key"))
    return gone.delete()[0]
