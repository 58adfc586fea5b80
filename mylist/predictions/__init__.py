"""History rows -> engine -> list items and their predictions. The only caller of replenish.

A model is fitted on everybody's history, tried on its past and kept as a row of parameters; forecasts then need nothing
but a member's own history and those parameters, so that a shard, or one member just after an order, is done alone with
the same result. Only worker processes and commands import this package: it brings the numeric stack along.
"""

from mylist.predictions.fitting import KINDS, fit, fit_candidates, is_due, is_stale, running_model
from mylist.predictions.scoring import predict_all, predict_members, predict_shard

__all__ = [
    "KINDS",
    "fit",
    "fit_candidates",
    "is_due",
    "is_stale",
    "predict_all",
    "predict_members",
    "predict_shard",
    "running_model",
]
