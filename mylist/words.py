"""A forecast in words that a shopper and staff understand, and no surer than it is (shared rule: honest dates).

`due_label` says when, `reason` why, `staff_reason` both with the numbers. All three are drawn from the same `Facts`.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache, wraps
from typing import NamedTuple, TypeVarTuple

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

# A window wider than this share of the usual gap is no date.
NARROW = 0.5
# Below this chance in four weeks the habit has probably ended, and saying "due" would be shouting.
FADED = 0.12
# A silence of more usual gaps than these is worth a word.
LONG = 2.0
# So many times the usual packs, or half again as many, are called twice.
TWICE, MUCH_MORE = Decimal("1.75"), Decimal("2.5")
# A date nearer than these days is said as "in ... days"; a habit that is expected within those is "probably soon".
NEAR, SOON = 10, 14
# From so many days on people count in weeks, months, years.
WEEKS_FROM, MONTHS_FROM, YEARS_FROM = 14, 56, 700

Span = tuple[int, str]
"""So many days, weeks, months or years."""

Given = TypeVarTuple("Given")


def _remembered(say: Callable[[*Given], str]) -> Callable[[*Given], str]:
    """Keeps what was said in each language: lists say the same things over and over, and to look their words up each
    time would cost more than the rest of the line."""

    @lru_cache(maxsize=5000)
    def said(language: str | None, *given: *Given) -> str:
        return say(*given)

    @wraps(say)
    def remembered(*given: *Given) -> str:
        return said(get_language(), *given)

    return remembered


class Facts(NamedTuple):
    """What history and forecast say of one list item; all days are the member's own.

    `last_on`, `last_quantity`: the last purchase; `usual_quantity`: packs usually bought at once; `interval_days`: the
    usual gap, of the item or, if it was bought once, of its like; `expected_on`, `lower_on`, `upper_on`: median and
    80 % window of the next purchase if there is one within 56 days; `p7`, `p14`, `p28`: its chance without that if;
    `supply_left`: share of what was last bought for the need, 0 to 1; `is_due`: the group the list put it in, so that
    words and group never disagree; `other_on`: when another item for the same need was bought after this one.
    """

    today: date
    last_on: date
    last_quantity: Decimal
    usual_quantity: int
    times_bought: int
    interval_days: float
    expected_on: date
    lower_on: date
    upper_on: date
    p7: float
    p14: float
    p28: float
    supply_left: float
    is_due: bool
    other_on: date | None = None
    other_brand: bool = False

    @property
    def silence(self) -> int:
        """Days since the last purchase."""
        return max((self.today - self.last_on).days, 0)

    @property
    def other_silence(self) -> int:
        """Days since another item for the same need was bought; of this one where there is no other."""
        return max((self.today - (self.other_on or self.last_on)).days, 0)

    @property
    def faded(self) -> bool:
        """Whether the forecast hardly counts on another purchase, or has been overtaken by time."""
        return self.upper_on < self.today or self.p28 < FADED

    @property
    def lapsed(self) -> bool:
        """Whether it was left out besides: what is bought once a year has little chance in four weeks, and is alive."""
        return self.faded and self.silence > self.interval_days

    @property
    def due(self) -> bool:
        return self.is_due and not self.faded

    @property
    def dated(self) -> bool:
        """Whether a date may be said: only where the window is narrow against the gap."""
        window = (self.upper_on - self.lower_on).days
        return self.times_bought > 1 and not self.faded and window <= NARROW * self.interval_days

    @property
    def met_by_other(self) -> bool:
        """Whether the need was lately met by another item."""
        if self.other_on is None or self.due:
            return False
        return self.other_silence < self.silence and self.other_silence <= LONG * self.interval_days

    @property
    def times_usual(self) -> Decimal:
        """The last quantity in usual ones."""
        return self.last_quantity / self.usual_quantity

    @property
    def stocked_up(self) -> bool:
        """Whether more than usual was bought last time, and should not be used up yet."""
        return not self.due and self.times_usual > 1 and self.silence < float(self.times_usual) * self.interval_days


def due_label(facts: Facts) -> str:
    """When an item is likely needed: a date only where its window is narrow against the gap, else the rhythm."""
    if facts.times_bought == 1:
        return _("Bought once, probably due") if facts.due else _("Bought once")
    if facts.lapsed:
        return _("Not bought for a while")
    if facts.dated:
        return _dated(facts)
    soon = not facts.faded and (facts.expected_on - facts.today).days <= SOON
    return _paced(_rounded(facts.interval_days), facts.due, soon)


def reason(facts: Facts, *, below_label: bool = False) -> str:
    """Why the label says what it says, for the shopper: a clause or two, never empty and without any date.

    Standing right below the label (`below_label`) it does not repeat what the label has just said.
    """
    if facts.times_bought == 1:
        return _once(facts, below_label)
    if facts.lapsed and facts.silence > LONG * facts.interval_days and not facts.met_by_other:
        return _("%(rhythm)s, then nothing for %(span)s: probably no longer wanted") % {
            "rhythm": rhythm(facts.interval_days),
            "span": _counted(_rounded(facts.silence)),
        }
    ago = _rounded(facts.silence, facts.dated)
    if not (facts.met_by_other or facts.stocked_up) and (not below_label or facts.dated or facts.lapsed):
        return _habit(_rounded(facts.interval_days, facts.dated), facts.last_quantity, ago)
    last = _last(facts.last_quantity, ago)
    if facts.met_by_other:
        return _and_other(last, facts)
    if facts.stocked_up:
        if TWICE <= facts.times_usual < MUCH_MORE:
            return _("%(last)s: should last about twice as long") % {"last": last}
        return _("%(last)s: more than usual, should last longer") % {"last": last}
    return last


def _and_other(last: str, facts: Facts) -> str:
    said = {"last": last, "ago": _ago(_rounded(facts.other_silence))}
    if facts.other_brand:
        return _("%(last)s; another brand %(ago)s") % said
    return _("%(last)s; something similar %(ago)s") % said


@_remembered
def _habit(gap: Span, quantity: Decimal, ago: Span) -> str:
    said = {"rhythm": _every(gap), "packs": _packs(quantity), "ago": _ago(ago)}
    return _("%(rhythm)s, last time %(packs)s, %(ago)s") % said


@_remembered
def _last(quantity: Decimal, ago: Span) -> str:
    return _("Last time %(packs)s, %(ago)s") % {"packs": _packs(quantity), "ago": _ago(ago)}


def _once(facts: Facts, below_label: bool) -> str:
    ago = _ago(_rounded(facts.silence))
    if below_label:
        bought = _("%(packs)s, %(ago)s") % {"packs": _packs(facts.last_quantity), "ago": ago}
    else:
        bought = _("Bought once, %(ago)s") % {"ago": ago}
    if facts.met_by_other:
        return _and_other(bought, facts)
    if facts.silence > LONG * facts.interval_days:
        return _("%(bought)s, not since") % {"bought": bought}
    if facts.due:
        span = _counted(_rounded(facts.interval_days))
        return _("%(bought)s; others buy such things again after about %(span)s") % {"bought": bought, "span": span}
    return _("%(bought)s: too early to say") % {"bought": bought}


def staff_reason(facts: Facts) -> str:
    """The same for staff: what the shopper reads, then the numbers it comes from."""
    bought = ngettext("Bought on %(count)d day", "Bought on %(count)d days", facts.times_bought)
    gap = _("Usual gap %(gap).1f days; supply left for the need %(supply)d %%.")
    if facts.times_bought == 1:
        gap = _("Usual gap of its like %(gap).1f days; supply left for the need %(supply)d %%.")
    window = _("narrow enough for a date") if facts.dated else _("too wide for a date")
    return "\n".join(
        [
            _("The shopper reads: %(label)s. %(reason)s.") % {"label": due_label(facts), "reason": reason(facts)},
            _("%(bought)s, last %(ago)s: %(packs)s, usually %(usual)s.")
            % {
                "bought": bought % {"count": facts.times_bought},
                "ago": _ago(_rounded(facts.silence, exact=True)),
                "packs": _packs(facts.last_quantity),
                "usual": facts.usual_quantity,
            },
            gap % {"gap": facts.interval_days, "supply": round(100 * facts.supply_left)},
            _("Chance to be bought: %(p7)d %% in 7 days, %(p14)d %% in 14, %(p28)d %% in 28.")
            % {f"p{days}": round(100 * chance) for days, chance in ((7, facts.p7), (14, facts.p14), (28, facts.p28))},
            _("If bought within 56 days: %(expected)s, with 80 %% from %(lower)s to %(upper)s, %(window)s.")
            % {
                "expected": date_format(facts.expected_on),
                "lower": date_format(facts.lower_on),
                "upper": date_format(facts.upper_on),
                "window": window,
            },
        ]
    )


def rhythm(days: float, *, exact: bool = False) -> str:
    """The usual gap as people say it: days up to 13, then weeks, then months; `exact`: days up to eight weeks."""
    return _every(_rounded(days, exact))


@_remembered
def _paced(gap: Span, due: bool, soon: bool) -> str:
    if due:
        return _("%(rhythm)s, probably due") % {"rhythm": _every(gap)}
    if soon:
        return _("%(rhythm)s, probably soon") % {"rhythm": _every(gap)}
    return _every(gap)


def _every(span: Span) -> str:
    count, unit = span
    match unit:
        case "day" if count <= 1:
            return _("About every day")
        case "day" if count == 7:
            return _("About every week")
        case "day":
            said = ngettext("About every %(count)d day", "About every %(count)d days", count)
        case "week":
            said = ngettext("About every %(count)d week", "About every %(count)d weeks", count)
        case "month":
            said = ngettext("About every %(count)d month", "About every %(count)d months", count)
        case _:
            said = ngettext("About every %(count)d year", "About every %(count)d years", count)
    return said % {"count": count}


def _counted(span: Span) -> str:
    count, unit = max(span[0], 1), span[1]
    match unit:
        case "day":
            said = ngettext("%(count)d day", "%(count)d days", count)
        case "week":
            said = ngettext("%(count)d week", "%(count)d weeks", count)
        case "month":
            said = ngettext("%(count)d month", "%(count)d months", count)
        case _:
            said = ngettext("%(count)d year", "%(count)d years", count)
    return said % {"count": count}


def _ago(span: Span) -> str:
    match span:
        case 0, "day":
            return _("today")
        case 1, "day":
            return _("yesterday")
    return _("%(span)s ago") % {"span": _counted(span)}


def _packs(quantity: Decimal) -> str:
    shown = f"{quantity.normalize():f}"
    return ngettext("%(count)s pack", "%(count)s packs", 1 if quantity == 1 else 2) % {"count": shown}


def _rounded(days: float, exact: bool = False) -> Span:
    """As people count days; `exact`: without weeks."""
    whole = round(days)
    if whole < WEEKS_FROM or (exact and whole < MONTHS_FROM):
        return whole, "day"
    if whole < MONTHS_FROM:
        return round(days / 7), "week"
    if whole < YEARS_FROM:
        return round(days / 30.44), "month"
    return round(days / 365.25), "year"


def _dated(facts: Facts) -> str:
    days = (facts.expected_on - facts.today).days
    if days <= 1 and facts.due:
        return _("Runs out about now")
    if days <= NEAR:
        days = max(days, 1)
        return ngettext("Runs out in about a day", "Runs out in about %(days)d days", days) % {"days": days}
    return _("Runs out around %(date)s") % {"date": date_format(facts.expected_on, "MONTH_DAY_FORMAT")}
