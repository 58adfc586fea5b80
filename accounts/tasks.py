"""What accounts does off the request. Tasks carry ids and call steps."""

import logging

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts import closing, devices, exports
from accounts.models import DataExport

logger = logging.getLogger(__name__)


@shared_task
def make_export(*, export_id: int) -> bool:
    """Make the copy of a member's data; whether it was this call that did."""
    return exports.make(export_id=export_id, now=timezone.now)


@shared_task
def make_lost_exports() -> int:
    """Hand out again the copies whose task was lost; how many."""
    export_ids = exports.waiting(at=timezone.now())
    for export_id in export_ids:
        make_export.delay(export_id=export_id)
    return len(export_ids)


@shared_task
def expire_exports() -> int:
    """Delete the copies whose time is over; how many."""
    return exports.expire(at=timezone.now())


@shared_task
def erase_closed_members() -> int:
    """Erase the members whose seven days are over; how many."""
    return closing.erase_due(at=timezone.now())


@shared_task
def forget_gone_devices() -> int:
    """Keep no address and no browser of a session that is over; how many were forgotten."""
    return devices.forget_gone(at=timezone.now())


def hand_out(export: DataExport) -> None:
    """Have a copy made once the transaction is committed; with the broker away, make_lost_exports finds it."""
    transaction.on_commit(lambda: _enqueue(export.pk))


def _enqueue(export_id: int) -> None:
    try:
        # Once and not for ever: somebody waits for the answer.
        make_export.apply_async(kwargs={"export_id": export_id}, retry=False)
    except OperationalError:
        logger.warning("The broker is away; copy %s is made later.", export_id)
