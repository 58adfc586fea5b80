"""What the list does off the request. Tasks carry ids and call steps.

The engine's numeric stack must not be loaded by web processes, which import this module to enqueue: hence the imports
of predictions inside the tasks, the only deferred imports of the project.
"""

import logging
from collections.abc import Iterable

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from mylist import checks, reminders, rounds
from mylist.models import Shard

logger = logging.getLogger(__name__)

_ROUND_SECONDS = 900
# A back-test fits every kind of model several times over.
_FIT_SECONDS = 3600


@shared_task
def predict_members(*, member_ids: list[int]) -> int:
    """Predict members after an order; how many items they have."""
    from mylist import predictions

    return predictions.predict_members(member_ids=member_ids, at=timezone.now())


@shared_task
def predict_shard(*, shard_id: int) -> int:
    """Predict a shard of the round; how many items its members have. In a queue of its own, see CELERY_TASK_ROUTES."""
    from mylist import predictions

    return predictions.predict_shard(shard_id=shard_id, at=timezone.now())


@shared_task(time_limit=_ROUND_SECONDS, soft_time_limit=_ROUND_SECONDS - 10)
def predict_all() -> int:
    """Begin a round and hand out a task a shard; returns the number of shards, 0 while another is being begun.

    Where no model is running yet, one is fitted first. With a large shop that takes longer than the broker waits for a
    task, which then hands it out again: the second one finds the first at work and leaves it alone. The claim ends with
    the time limit, should a worker die over it.
    """
    from mylist import predictions

    if not cache.add("mylist.predict_all", 1, _ROUND_SECONDS):
        return 0
    try:
        predictions.running_model(at=timezone.now())
        return _hand_out(rounds.begin(at=timezone.now()))
    finally:
        cache.delete("mylist.predict_all")


@shared_task
def predict_all_when_due() -> int:
    """Once a night, at the first chance: ask for a round. Until then, hand out again what is left of one that stalled.

    Returns how many shards were handed out again.
    """
    at = timezone.now()
    if rounds.is_due(at=at):
        predict_all.delay()
        return 0
    again = _hand_out(rounds.stalled(at=at))
    if again:
        logger.warning("The round has come to a halt; %s shards are handed out again.", again)
    return again


@shared_task(time_limit=_FIT_SECONDS, soft_time_limit=_FIT_SECONDS - 10)
def fit_model() -> str:
    """Try the kinds of model on the shop's past and switch on what does better; what became of it.

    "" while another is at work (see predict_all), or where one that was handed out before has done it meanwhile.
    """
    from mylist import predictions

    if not cache.add("mylist.fit_model", 1, _FIT_SECONDS):
        return ""
    try:
        at = timezone.now()
        return predictions.fit_candidates(at=at).status if predictions.is_due(at=at) else ""
    finally:
        cache.delete("mylist.fit_model")


@shared_task
def fit_model_when_due() -> bool:
    """Once a week, at the first chance: whether a fit was asked for."""
    from mylist import predictions

    if not predictions.is_due(at=timezone.now()):
        return False
    fit_model.delay()
    return True


@shared_task(time_limit=_ROUND_SECONDS, soft_time_limit=_ROUND_SECONDS - 10)
def check_forecasts() -> int:
    """Once a day, at the first chance: keep a sample of what is said, judge what was said before; how many are kept."""
    at = timezone.now()
    kept = checks.keep(at=at)
    if kept:
        checks.judge(at=at)
    return kept


@shared_task
def plan_reminders() -> int:
    """Plan reminders for everybody who has something due."""
    return reminders.plan(at=timezone.now())


def _hand_out(shards: Iterable[Shard]) -> int:
    with predict_shard.app.producer_pool.acquire(block=True) as producer:
        return sum(1 for shard in shards if predict_shard.apply_async(kwargs={"shard_id": shard.pk}, producer=producer))
