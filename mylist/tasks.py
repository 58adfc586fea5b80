"""What the list does off the request. Tasks carry ids and call steps.

The engine's numeric stack must not be loaded by web processes, which import this module to enqueue: hence the imports
of predictions inside the tasks, the only deferred imports of the project.
"""

from datetime import timedelta

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from mylist import checks, reminders
from mylist.models import FittedModel

# A night's fit is used until the next one; the beat asks more often, so that a missed night is made up for.
_FIT_EVERY = timedelta(hours=20)
_ROUND_SECONDS = 900
# A back-test fits every kind of model several times over.
_FIT_SECONDS = 3600


@shared_task
def predict_members(*, member_ids: list[int], fitted_id: int | None = None) -> int:
    """Predict a shard, or one member after an order."""
    from mylist import predictions

    fitted = FittedModel.objects.filter(pk=fitted_id).first() if fitted_id else None
    return predictions.predict_members(member_ids=member_ids, at=timezone.now(), fitted=fitted)


@shared_task(time_limit=_ROUND_SECONDS, soft_time_limit=_ROUND_SECONDS - 10)
def predict_all() -> int:
    """Fit on everybody and hand out a task a shard; returns the number of shards, 0 while another round is at work.

    A large shop's fit takes longer than the broker waits for a task, which then hands it out again: the second one
    finds the first at work and leaves it alone. The claim ends with the time limit, should a worker die over it.
    """
    from mylist import predictions

    if not cache.add("mylist.predict_all", 1, _ROUND_SECONDS):
        return 0
    try:
        at = timezone.now()
        fitted = predictions.fit(at=at)
        shards = predictions.shards(at=at)
        for shard in shards:
            predict_members.delay(member_ids=shard, fitted_id=fitted.pk)
        return len(shards)
    finally:
        cache.delete("mylist.predict_all")


@shared_task
def predict_all_when_due() -> bool:
    """Once a night, at the first chance: whether a new round was asked for."""
    newest = FittedModel.objects.order_by("-fitted_at").values_list("fitted_at", flat=True).first()
    if newest and timezone.now() - newest < _FIT_EVERY:
        return False
    predict_all.delay()
    return True


@shared_task(time_limit=_FIT_SECONDS, soft_time_limit=_FIT_SECONDS - 10)
def fit_model() -> str:
    """Try the kinds of model on the shop's past and switch on what does better; what became of it, "" while another
    is at work (see predict_all).
    """
    from mylist import predictions

    if not cache.add("mylist.fit_model", 1, _FIT_SECONDS):
        return ""
    try:
        return predictions.fit_candidates(at=timezone.now()).status
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
