"""The arrow back to prediction: what was bought or taken back is predicted again, within seconds.

The shop announces after commit. A message lost on the way (a broker that is down) is made up for by the nightly round.
"""

import logging

from celery import Task
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from accounts.signals import members_merged
from mylist import tasks
from shop import signals

logger = logging.getLogger(__name__)


@receiver(signals.errand_placed)
@receiver(signals.errand_undone)
@receiver(signals.order_settled)
def predict_again(member_id: int, **_: object) -> None:
    _enqueue(tasks.predict_members, member_ids=[member_id])


@receiver(members_merged)
def predict_both(member_ids: list[int], **_: object) -> None:
    """Their lists are made of what is theirs now, after a merge and after it was taken back."""
    _enqueue(tasks.predict_members, member_ids=member_ids)


@receiver(signals.history_imported)
def predict_everybody(**_: object) -> None:
    _enqueue(tasks.predict_all)


def _enqueue(task: Task, **arguments: object) -> None:
    try:
        # Once and not for ever: somebody waits for the answer.
        task.apply_async(kwargs=arguments, retry=False)
    except OperationalError:
        logger.warning("The broker is away; %s is made up for tonight.", task.name)
