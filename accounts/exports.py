"""A copy of all that is kept about a member: asked for, made by a task, fetched by the member, gone after three days.

What is in it: accounts.copies.
"""

import secrets
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import IO

from django.core.files import File
from django.core.files.storage import Storage
from django.db import transaction

from accounts import copies, notices
from accounts.models import DataExport, User

KEPT_FOR = timedelta(days=3)
A_DAY = 3
# What has waited for so long was lost with its worker: longer than a task may run (CELERY_TASK_TIME_LIMIT).
LOST_AFTER = timedelta(minutes=5)
# A file that no row names is the leaving of a worker that died; younger ones may still be on their way.
_ORPHAN_AFTER = timedelta(hours=1)
_FOLDER = "exports"


class TooMany(Exception):
    """The member has asked often enough today; `until` is when the next copy can be asked for."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class Gone(Exception):
    """There is no file to fetch: it is not ready yet, or no longer there."""


def _storage() -> Storage:
    return DataExport._meta.get_field("file").storage


def ask(*, member: User, at: datetime) -> DataExport:
    """Ask for a copy; the one that is being made already, if there is one. Raises TooMany.

    The caller sees to it that make() is called after the commit; what is lost on the way is found by waiting().
    """
    with transaction.atomic():
        User.objects.select_for_update().only("pk").get(pk=member.pk)
        mine = DataExport.objects.filter(member=member)
        if being_made := mine.filter(status=DataExport.Status.WAITING).first():
            return being_made
        lately = list(mine.filter(asked_at__gt=at - timedelta(days=1)).order_by("-asked_at")[:A_DAY])
        if len(lately) == A_DAY:
            raise TooMany(lately[-1].asked_at + timedelta(days=1))
        return DataExport.objects.create(member=member, asked_at=at)


def of(member: User) -> list[DataExport]:
    """The member's copies, the newest first."""
    return list(DataExport.objects.filter(member=member).order_by("-pk")[:10])


def fetch(*, member: User, export_id: int, at: datetime) -> IO[bytes]:
    """The file, opened. Raises DataExport.DoesNotExist (also for another's) and Gone."""
    export = DataExport.objects.get(pk=export_id, member=member)
    if export.status != DataExport.Status.READY or export.expires_at is None or export.expires_at <= at:
        raise Gone
    try:
        return export.file.open("rb")
    except FileNotFoundError as error:
        raise Gone from error


def waiting(*, at: datetime) -> list[int]:
    """The copies that were asked for and should long be there."""
    lost = DataExport.objects.filter(status=DataExport.Status.WAITING, asked_at__lte=at - LOST_AFTER)
    return list(lost.order_by("pk").values_list("pk", flat=True))


def make(*, export_id: int, now: Callable[[], datetime]) -> bool:
    """Make the file and tell the member; whether this call did it. Twice at once, or after a crash, is once.

    `now` is asked before and after: making takes its time, and three days begin when the file is there.
    """
    name = _claim(export_id)
    if name is None:
        return False
    storage = _storage()
    with tempfile.TemporaryFile() as file:
        export = DataExport.objects.select_related("member").get(pk=export_id)
        copies.write(file, member=export.member, at=now())
        file.seek(0)
        storage.save(name, File(file))
    at = now()
    with transaction.atomic():
        # Only under the name of this attempt: another one may have taken over meanwhile, or the member is erased.
        mine = DataExport.objects.filter(pk=export_id, status=DataExport.Status.WAITING, file=name)
        ready = mine.update(status=DataExport.Status.READY, ready_at=at, expires_at=at + KEPT_FOR)
        if ready:
            context = {"expires_at": at + KEPT_FOR}
            notices.tell(
                member=export.member, template="export_ready", key=f"export-{export_id}", at=at, context=context
            )
    if not ready:
        storage.delete(name)
    return bool(ready)


def _claim(export_id: int) -> str | None:
    """Give the file of this attempt a name nobody can guess, and remove what an earlier attempt left."""
    name = f"{_FOLDER}/{export_id}-{secrets.token_urlsafe(16)}.zip"
    with transaction.atomic():
        export = DataExport.objects.select_for_update().filter(pk=export_id, status=DataExport.Status.WAITING).first()
        if export is None:
            return None
        before = export.file.name
        DataExport.objects.filter(pk=export_id).update(file=name)
    if before:
        _storage().delete(before)
    return name


def expire(*, at: datetime) -> int:
    """Delete the files whose time is over, and what dead workers left; returns how many copies expired."""
    storage, expired = _storage(), 0
    over = DataExport.objects.filter(status=DataExport.Status.READY, expires_at__lte=at)
    for export in over.order_by("pk"):
        # The file first: should we die between the two, the next time deletes a file that is not there.
        storage.delete(str(export.file.name))
        expired += DataExport.objects.filter(pk=export.pk, status=DataExport.Status.READY).update(
            status=DataExport.Status.EXPIRED, file=""
        )
    for name in _files():
        path = f"{_FOLDER}/{name}"
        if not DataExport.objects.filter(file=path).exists() and _is_orphan(path, at):
            storage.delete(path)
    return expired


def _files() -> list[str]:
    try:
        return _storage().listdir(_FOLDER)[1]
    except FileNotFoundError:
        return []


def _is_orphan(path: str, at: datetime) -> bool:
    try:
        return _storage().get_modified_time(path) <= at - _ORPHAN_AFTER
    except FileNotFoundError:  # somebody was quicker
        return False
