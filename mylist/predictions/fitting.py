"""The model that is running: fitted on everybody's history, kept, read back."""

from datetime import datetime
from functools import lru_cache

from django.utils import timezone

import replenish
from mylist.models import FittedModel
from mylist.predictions.columns import columns, day_number
from shop import history


def fit(*, at: datetime) -> FittedModel:
    """Fit the model on everybody's history up to `at` and keep its parameters."""
    purchases = columns(history.bought(until=at))
    model = replenish.fit(purchases, as_of=day_number(timezone.localdate(at, timezone.get_default_timezone())))
    return FittedModel.objects.create(
        version=model.version, as_of=at, fitted_at=timezone.now(), data=replenish.dump(model)
    )


def newest_model(*, at: datetime) -> FittedModel:
    """The model fitted last; fitted now where there is none yet."""
    return FittedModel.objects.order_by("-fitted_at", "-pk").first() or fit(at=at)


@lru_cache(maxsize=2)
def model_of(fitted_id: int) -> replenish.Model:
    """Parsed once a process: the parameters of a fitted model never change."""
    return replenish.load(bytes(FittedModel.objects.get(pk=fitted_id).data))
