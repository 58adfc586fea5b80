"""Which fitted model makes the forecasts: switched on, turned back, and remembered who wanted it.

At most one is running; the database sees to that. Knows nothing of the engine, so that web processes may call it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from mylist.models import FittedModel, ModelSwitch

_BY_HAND = (ModelSwitch.Reason.BY_HAND, ModelSwitch.Reason.TURNED_BACK)
_STATUS = FittedModel.Status


class CannotSwitch(Exception):
    """That model cannot be switched on: it runs already, or this program could not read it."""


class NothingBefore(Exception):
    """There is no model to turn back to."""


def running() -> FittedModel | None:
    """The model that makes the forecasts, without its data."""
    return FittedModel.objects.defer("data").filter(status=_STATUS.RUNNING).first()


def before() -> FittedModel | None:
    """The model that ran last and was neither turned back nor found unreadable: where turning back leads to."""
    return FittedModel.objects.defer("data").filter(status=_STATUS.RETIRED).order_by("retired_at", "pk").last()


def can_switch_on(fitted: FittedModel) -> bool:
    return fitted.status not in {_STATUS.RUNNING, _STATUS.UNREADABLE}


def switch_on(
    fitted: FittedModel,
    *,
    by: User | None,
    at: datetime,
    reason: str = ModelSwitch.Reason.BY_HAND,
    leaving: str = _STATUS.RETIRED,
) -> ModelSwitch:
    """From `at` on `fitted` makes the forecasts; what ran until then is left with the status `leaving`.

    Raises CannotSwitch where it runs already or cannot be read.
    """
    with transaction.atomic():
        # Few rows, so all are locked: whoever else is switching waits, and then sees what we did.
        found = _locked()
        chosen = found.get(fitted.pk)
        if chosen is None or not can_switch_on(chosen):
            raise CannotSwitch(fitted)
        old = next((row for row in found.values() if row.status == _STATUS.RUNNING), None)
        if old:
            old.status, old.retired_at = leaving, at
            old.save(update_fields=["status", "retired_at"])
        chosen.status, chosen.running_since, chosen.retired_at = _STATUS.RUNNING, at, None
        chosen.save(update_fields=["status", "running_since", "retired_at"])
        return ModelSwitch.objects.create(fitted=chosen, instead_of=old, reason=reason, by=by, at=at)


def turn_back(fitted: FittedModel | None = None, *, by: User | None, at: datetime) -> ModelSwitch:
    """Let the model that ran before run again instead of `fitted` (default: whichever runs).

    Raises CannotSwitch where `fitted` does not run any more, NothingBefore where there is nothing to turn back to.
    """
    with transaction.atomic():
        _locked()
        current, target = running(), before()
        if fitted and current != fitted:
            raise CannotSwitch(fitted)
        if current is None or target is None:
            raise NothingBefore
        reason = ModelSwitch.Reason.TURNED_BACK
        return switch_on(target, by=by, at=at, reason=reason, leaving=_STATUS.TURNED_BACK)


def barred() -> set[tuple[str, str]]:
    """Kinds with their version that staff took off for another and that nobody switched on since.

    A fit does not bring them back by itself; a newer version of the kind, or staff, does.
    """
    found: set[tuple[str, str]] = set()
    for switch in _with_both(ModelSwitch.objects.order_by("pk")):
        new, old = switch.fitted, switch.instead_of
        if old and switch.reason in _BY_HAND and (old.kind, old.version) != (new.kind, new.version):
            found.add((old.kind, old.version))
        found.discard((new.kind, new.version))
    return found


def last_wish() -> ModelSwitch | None:
    """The last switch that was made by hand."""
    return ModelSwitch.objects.filter(reason__in=_BY_HAND).first()


def prune(*, fitted_before: datetime, keep: int) -> int:
    """Delete models fitted before a moment; returns how many.

    Kept are the newest few, what runs, what turning back leads to, and what staff took off (see `barred`).
    """
    every = FittedModel.objects.defer("data")
    needed = set(every.order_by("-fitted_at", "-pk").values_list("pk", flat=True)[:keep])
    needed |= set(ModelSwitch.objects.filter(reason__in=_BY_HAND).values_list("instead_of", flat=True)) - {None}
    if back := before():
        needed.add(back.pk)
    old = every.filter(fitted_at__lt=fitted_before).exclude(status=_STATUS.RUNNING).exclude(pk__in=needed)
    return old.delete()[1].get(FittedModel._meta.label, 0)


def _locked() -> dict[int, FittedModel]:
    return {row.pk: row for row in FittedModel.objects.select_for_update().defer("data").order_by("pk")}


def _with_both(switches: QuerySet[ModelSwitch]) -> Iterable[ModelSwitch]:
    return switches.select_related("fitted", "instead_of").defer("fitted__data", "instead_of__data")
