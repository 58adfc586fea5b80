"""How good are the forecasts? What the list said beside what happened: charts, each with its table, and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from mylist import checks
from mylist.checks import Choice, Quality
from mylist.models import ChanceScore
from notify.admin import ReadOnly
from shop import charts
from shop.charts import Axis, Mark, Series

PERIODS = (8, 13, 26, 53)
"""Weeks that can be looked at."""

# No sentence is made of fewer forecasts.
_ENOUGH = 30


@dataclass(frozen=True, slots=True)
class Report:
    """A part of the page: charts and the table that says the same in numbers."""

    title: str
    told: str
    charts: Sequence[SafeString]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class ChoiceForm(forms.Form):
    """What the page is about."""

    horizon = forms.ChoiceField(label=gettext_lazy("Bought within"))
    weeks = forms.ChoiceField(label=gettext_lazy("Period"))
    model = forms.ChoiceField(label=gettext_lazy("Model"))
    segment = forms.ChoiceField(label=gettext_lazy("Items"))

    def __init__(self, asked: Mapping[str, str], offered: checks.Offered) -> None:
        """An address that asks for what there is not is answered with the usual."""
        usual = Choice()
        wanted = {"horizon": str(usual.horizon), "weeks": str(usual.weeks), "model": "", "segment": usual.segment}
        choices = {
            "horizon": {str(days): _days(days) for days in checks.HORIZONS},
            "weeks": {str(weeks): _period(weeks) for weeks in PERIODS},
            "model": {"": _("All models"), **{version: version for version in offered.model_versions}},
            "segment": offered.segments,
        }
        for name, found in choices.items():
            if asked.get(name) in found:
                wanted[name] = asked[name]
        super().__init__(initial=wanted)
        for name, found in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
            field.choices = list(found.items())
        self.choice = Choice(
            horizon=int(wanted["horizon"]),
            weeks=int(wanted["weeks"]),
            model_version=wanted["model"] or None,
            segment=wanted["segment"],
        )


@admin.register(ChanceScore)
class QualityAdmin(ReadOnly, admin.ModelAdmin):
    """One page instead of the rows, whose sums say nothing one by one."""

    def get_urls(self) -> list[URLPattern]:
        return [path("", self.admin_site.admin_view(self.page), name="mylist_chancescore_changelist")]

    def page(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        at = timezone.now()
        form = ChoiceForm(request.GET, checks.offered())
        quality = checks.quality(form.choice, at=at)
        context = {
            **self.admin_site.each_context(request),
            "title": _("How good are the forecasts?"),
            "opts": self.opts,
            "form": form,
            "sentences": _sentences(quality, form.choice),
            "reports": _reports(quality, form.choice),
            "waiting": checks.waiting(at=at) if not quality.chances.tenths else None,
        }
        return TemplateResponse(request, "admin/mylist/quality.html", context)


def _sentences(quality: Quality, choice: Choice) -> list[str]:
    """The page in a few plain words."""
    told = []
    many = {tenth: one for tenth, one in quality.chances.tenths.items() if one.count >= _ENOUGH}
    # Most forecasts are of a small chance and easily right; the fullest of the other tenths is more telling.
    tenth = max(many, key=lambda tenth: (tenth > 0, many[tenth].count), default=None)
    if tenth is not None:
        told.append(
            _("Of %(count)s items said to be bought within %(days)s with a chance of %(chance)s, %(seen)s were.")
            % {
                "count": f"{many[tenth].count:,}",
                "days": _days(choice.horizon),
                "chance": _tenth(tenth),
                "seen": _share(many[tenth].seen),
            }
        )
    if many:
        told.append(
            _("On average a chance was %(gap)s percentage points away from what was seen.")
            % {"gap": _points(quality.chances.gap)}
        )
    if quality.dates.count >= _ENOUGH:
        told.append(
            _(
                "Of %(count)s items that were bought within 56 days, %(within)s came within the days expected "
                "(eight in ten are meant to); the expected date was %(days)s days off on average."
            )
            % {
                "count": f"{quality.dates.count:,}",
                "within": _share(quality.dates.within),
                "days": f"{quality.dates.days_off:.1f}",
            }
        )
    return told


def _reports(quality: Quality, choice: Choice) -> list[Report]:
    reports = []
    if quality.chances.tenths:
        reports += [_chances(quality, choice), _chances_by_week(quality, choice)]
    if quality.dates.count:
        reports.append(_dates_by_week(quality))
    if quality.chances.tenths:
        reports.append(_models(quality))
    return reports


def _chances(quality: Quality, choice: Choice) -> Report:
    title = _("Chances said and seen")
    found = sorted(quality.chances.tenths.items())
    most = max(one.count for _tenth, one in found)
    chart = charts.draw(
        "chances",
        title=title,
        description=_("Each dot is a tenth of the chances; on the dashed line it came as often as it was said."),
        x=Axis(_("said"), 0, 1, _shares(1)),
        y=Axis(_("seen"), 0, 1, _shares(1)),
        series=[
            Series(
                _("bought within %(days)s") % {"days": _days(choice.horizon)},
                [(one.said, one.seen) for _tenth, one in found],
                Mark.DOTS,
                [round(3 + 5 * (one.count / most) ** 0.5, 1) for _tenth, one in found],
            ),
            Series(_("as said"), [(0, 0), (1, 1)], Mark.GUIDE),
        ],
    )
    return Report(
        title,
        _(
            "Of all forecasts that say three in ten, three in ten should come true. A dot above the line: it was "
            "bought more often than said; below: less often. The larger a dot, the more forecasts."
        ),
        [chart],
        [_("Chance said"), _("Forecasts"), _("Said on average"), _("Seen"), _("Points off")],
        [
            [_tenth(tenth), f"{one.count:,}", _share(one.said), _share(one.seen), _signed(one.seen - one.said)]
            for tenth, one in found
        ],
    )


def _chances_by_week(quality: Quality, choice: Choice) -> Report:
    title = _("Chances by week")
    weeks = quality.chances_by_week
    totals = {week: tenths.all for week, tenths in weeks.items()}
    ticks = _shares(max(max(one.said, one.seen) for one in totals.values()))
    chart = charts.draw(
        "weeks",
        title=title,
        description=_("The share said and the share seen, of the forecasts of each week."),
        x=_weeks(list(weeks)),
        y=Axis(_("bought within %(days)s") % {"days": _days(choice.horizon)}, 0, ticks[-1][0], ticks),
        series=[
            Series(_("said"), [(week.toordinal(), one.said) for week, one in totals.items()]),
            Series(_("seen"), [(week.toordinal(), one.seen) for week, one in totals.items()]),
        ],
    )
    return Report(
        title,
        _("The two lines should lie on each other. A gap that stays tells that habits have changed or the model has."),
        [chart],
        [_("Week from"), _("Forecasts"), _("Said"), _("Seen"), _("Points off, tenth by tenth")],
        [
            [_day(week), f"{one.count:,}", _share(one.said), _share(one.seen), _points(weeks[week].gap)]
            for week, one in totals.items()
        ],
    )


def _dates_by_week(quality: Quality) -> Report:
    weeks = quality.dates_by_week
    x = _weeks(list(weeks))
    within = charts.draw(
        "within",
        title=_("Bought within the days expected"),
        description=_("The share of each week's forecasts; eight in ten are meant to."),
        x=x,
        y=Axis(_("share of purchases"), 0, 1, _shares(1)),
        series=[
            Series(_("within the window"), [(week.toordinal(), one.within) for week, one in weeks.items()]),
            Series(_("as meant"), [(x.low, 0.8), (x.high, 0.8)], Mark.GUIDE),
        ],
    )
    days = charts.steps(max(one.days_off for one in weeks.values()))
    off = charts.draw(
        "off",
        title=_("Days between the expected date and the purchase"),
        description=_("On average over each week's forecasts, earlier or later alike."),
        x=x,
        y=Axis(_("days"), 0, days[-1], [(day, f"{day:g}") for day in days]),
        series=[Series(_("days off"), [(week.toordinal(), one.days_off) for week, one in weeks.items()], Mark.BARS)],
    )
    return Report(
        _("Dates by week"),
        _("Of what was bought within 56 days: the window of dates is meant to hold eight in ten."),
        [within, off],
        [_("Week from"), _("Bought"), _("Within the window"), _("Before it"), _("After it"), _("Days off")],
        [
            [
                _day(week),
                f"{one.count:,}",
                _share(one.within),
                _share(one.early_share),
                _share(one.late_share),
                f"{one.days_off:.1f}",
            ]
            for week, one in weeks.items()
        ],
    )


def _models(quality: Quality) -> Report:
    rows = []
    for version, tenths in sorted(quality.chances_by_model.items()):
        dates = quality.dates_by_model.get(version)
        rows.append(
            [
                version,
                f"{tenths.all.count:,}",
                _share(tenths.all.said),
                _share(tenths.all.seen),
                _points(tenths.gap),
                _share(dates.within) if dates else "–",
                f"{dates.days_off:.1f}" if dates else "–",
            ]
        )
    return Report(
        _("By model"),
        _("Models that ran at different times met different weeks; compare them with that in mind."),
        [],
        [
            _("Model"),
            _("Forecasts"),
            _("Said"),
            _("Seen"),
            _("Points off, tenth by tenth"),
            _("Within the window"),
            _("Days off"),
        ],
        rows,
    )


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _period(weeks: int) -> str:
    if weeks > 52:
        return _("the last year")
    return ngettext("the last week", "the last %(count)d weeks", weeks) % {"count": weeks}


def _tenth(tenth: int) -> str:
    return _("%(low)d to %(high)d%%") % {"low": tenth * 10, "high": tenth * 10 + 10}


def _share(share: float) -> str:
    return f"{share:.1%}"


def _points(share: float) -> str:
    return f"{share * 100:.1f}"


def _signed(share: float) -> str:
    # Plus zero, as a float knows a zero below zero, too.
    return f"{round(share * 100, 1) + 0.0:+.1f}"


def _day(week: date) -> str:
    return date_format(week, "SHORT_DATE_FORMAT")


def _shares(most: float) -> list[tuple[float, str]]:
    """Ticks of a percentage, up to at least `most`."""
    return [(value, f"{value * 100:g}%") for value in charts.steps(most)]


def _weeks(weeks: list[date]) -> Axis:
    """An axis from the first to the last Monday, with room beside them and up to five of them named."""
    every = -(-len(weeks) // 5)
    ticks = [
        (float(week.toordinal()), date_format(week, pgettext("day of this year", "M j"))) for week in weeks[::every]
    ]
    return Axis(_("week from"), min(weeks).toordinal() - 4, max(weeks).toordinal() + 4, ticks)
