"""The groups of forecasts that are summed up apart: a model may be right on the whole and wrong of some."""

from collections.abc import Collection

from django.db.models import Case, CharField, Value, When
from django.utils.translation import gettext as _

from shop.models import Category

ALL = "all"
NEWCOMERS, REGULARS = "customers:new", "customers:regular"
_CATEGORY = "category:"

TIMES = Case(
    When(times_bought__lte=1, then=Value("times:1")),
    When(times_bought__lte=3, then=Value("times:2-3")),
    When(times_bought__lte=9, then=Value("times:4-9")),
    default=Value("times:10"),
    output_field=CharField(),
)
"""The segment of a kept forecast by how often its item had been bought."""


def segments_of(*, times: str, is_newcomer: bool, category_id: int | None) -> list[str]:
    """Every segment that a kept forecast belongs to; `times` as TIMES says."""
    found = [ALL, times, NEWCOMERS if is_newcomer else REGULARS]
    return found if category_id is None else [*found, f"{_CATEGORY}{category_id}"]


def labels(found: Collection[str]) -> dict[str, str]:
    """The segments among those found, in the order in which they are offered, with what they are called."""
    told = {
        ALL: _("All forecasts"),
        "times:1": _("Bought once so far"),
        "times:2-3": _("Bought 2 or 3 times so far"),
        "times:4-9": _("Bought 4 to 9 times so far"),
        "times:10": _("Bought 10 times or more so far"),
        NEWCOMERS: _("Customers whose first purchase was less than 90 days ago"),
        REGULARS: _("All other customers"),
    }
    ids = [segment.removeprefix(_CATEGORY) for segment in found if segment.startswith(_CATEGORY)]
    for category in sorted(Category.objects.filter(pk__in=ids), key=str):
        told[f"{_CATEGORY}{category.pk}"] = str(category)
    return {segment: label for segment, label in told.items() if segment in found}
