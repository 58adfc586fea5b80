"""A forecast in words a shopper understands, and no surer than it is (shared rule: honest dates)."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# A window wider than this share of the usual gap is no date.
NARROW = 0.5
# Below this chance in four weeks the habit has probably ended, and saying "due" would be shouting.
FADED = 0.12


def due_label(
    *,
    today: date,
    expected_on: date,
    lower_on: date,
    upper_on: date,
    interval_days: float,
    p28: float,
    times_bought: int,
    is_due: bool,
) -> str:
    """When an item is likely needed: a date only where its 80 % window is narrow against the gap.

    `expected_on`, `lower_on`, `upper_on`: median and window of the next purchase; `interval_days`: the usual gap;
    `is_due`: the group the list put it in, so that label and group never disagree.
    """
    if upper_on < today or p28 < FADED:
        return _("Bought once") if times_bought == 1 else _("Not bought for a while")
    if times_bought > 1 and (upper_on - lower_on).days <= NARROW * interval_days:
        return _dated(today, expected_on, is_due)
    if times_bought == 1:
        return _("Bought once, probably due") if is_due else _("Bought once")
    if is_due:
        return _("%(rhythm)s, probably due") % {"rhythm": rhythm(interval_days)}
    if (expected_on - today).days <= 14:
        return _("%(rhythm)s, probably soon") % {"rhythm": rhythm(interval_days)}
    return rhythm(interval_days)


def rhythm(days: float) -> str:
    """The usual gap as people say it."""
    if days < 10:
        count = max(1, round(days))
        return ngettext("About every day", "About every %(count)d days", count) % {"count": count}
    if days < 56:
        count = round(days / 7)
        return ngettext("About every week", "About every %(count)d weeks", count) % {"count": count}
    count = round(days / 30.44)
    return ngettext("About every month", "About every %(count)d months", count) % {"count": count}


def _dated(today: date, expected_on: date, is_due: bool) -> str:
    days = (expected_on - today).days
    if days <= 1 and is_due:
        return _("Runs out about now")
    if days <= 10:
        days = max(days, 1)
        return ngettext("Runs out in about a day", "Runs out in about %(days)d days", days) % {"days": days}
    return _("Runs out around %(date)s") % {"date": date_format(expected_on, "MONTH_DAY_FORMAT")}
