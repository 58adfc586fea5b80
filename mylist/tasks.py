"""What the list does off the request. Tasks carry ids and call steps.

The engine's numeric stack must not be loaded by web processes, which import this module to enqueue: hence the imports
of predictions inside the tasks, the only deferred imports of the project.
"""

from datetime import timedelta

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from mylist.models import FittedModel

# A night's fit is used until the next one; the beat asks more often, so that a missed night is made up for.
_FIT_EVERY = timedelta(hours=20)
_LOCK_SECONDS = 600


@shared_task
def predict_members(*, member_ids: list[int], fitted_id: int | None = None) -> int:
    """Predict a shard, or one member after an order."""
    from mylist import predictions

    fitted = FittedModel.objects.filter(pk=fitted_id).first() if fitted_id else None
    return predictions.predict_members(member_ids=member_ids, at=timezone.now(), fitted=fitted)


@shared_task
def predict_all() -> int:
    """Fit on everybody and hand out a task a shard; returns the number of shards."""
    from mylist import predictions

    at = timezone.now()
    fitted = predictions.fit(at=at)
    shards = predictions.shards(at=at)
    for shard in shards:
        predict_members.delay(member_ids=shard, fitted_id=fitted.pk)
    return len(shards)


@shared_task
def predict_all_when_due() -> bool:
    """Once a night, at the first chance: whether a new round was started."""
    newest = FittedModel.objects.order_by("-fitted_at").values_list("fitted_at", flat=True).first()
    if newest and timezone.now() - newest < _FIT_EVERY:
        return False
    # Two beats, or a round still being fitted: one round is enough.
    if not cache.add("predict-all", 1, _LOCK_SECONDS):
        return False
    predict_all.delay()
    return True


@shared_task
def plan_reminders() -> int:
    """Plan reminders for everybody who has something due."""
    from mylist import reminders

    return reminders.plan(at=timezone.now())
