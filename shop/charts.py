"""Small charts drawn on the server as SVG: no script, the page's own colours (static/css/charts.css), read aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from math import ceil

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Point = tuple[float, float]

# In units of the drawing, about a pixel each on a phone. The plot is what the margins leave.
_WIDTH, _HEIGHT = 360, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 20, 44, 40
_BAR = 32


class Mark(StrEnum):
    """How a series is drawn. A guide is what the others are compared with: a thin dashed line."""

    LINE = "line"
    DOTS = "dots"
    BARS = "bars"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class Series:
    """Points in the units of the axes; `sizes` gives each dot its radius in pixels."""

    name: str
    points: Sequence[Point]
    mark: Mark = Mark.LINE
    sizes: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with a tick and its words wherever one is wanted."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]

    def share(self, value: float) -> float:
        """Where on the axis a value lies, 0..1; what lies outside is drawn at the edge."""
        return min(1.0, max(0.0, (value - self.low) / ((self.high - self.low) or 1)))


def steps(high: float, *, most: int = 5) -> list[float]:
    """Round values from 0 to at least `high`, at most `most` steps apart of 1, 2 or 5 times a power of ten."""
    for step in (factor * 10.0**power for power in count(-3) for factor in (1, 2, 5)):
        # A hair less: .1 is five steps of .02, though as floats a little more.
        needed = max(1, ceil(high / step - 1e-9))
        if needed <= most:
            return [round(step * number, 6) for number in range(needed + 1)]
    raise AssertionError("powers of ten grow beyond any number")


def draw(name: str, *, title: str, description: str, x: Axis, y: Axis, series: Sequence[Series]) -> SafeString:
    """An <svg>. `name` tells it from others on the page; `title` and `description` are what a screen reader says."""
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}{}{}</svg>',
        _WIDTH,
        _HEIGHT,
        name,
        name,
        name,
        title,
        name,
        description,
        _axes(x, y),
        format_html_join("", "{}", ((_drawn(number, one, x, y),) for number, one in enumerate(series, 1))),
        _legend(series),
    )


def _across(x: Axis, value: float) -> float:
    return round(_LEFT + x.share(value) * (_WIDTH - _LEFT - _RIGHT), 1)


def _down(y: Axis, value: float) -> float:
    return round(_HEIGHT - _BOTTOM - y.share(value) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _axes(x: Axis, y: Axis) -> SafeString:
    rows = format_html_join(
        "",
        '<line class="chart-grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (_LEFT, _WIDTH - _RIGHT, _down(y, value), _down(y, value), _LEFT - 6, _down(y, value) + 4, words)
            for value, words in y.ticks
        ),
    )
    columns = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        ((_across(x, value), _HEIGHT - _BOTTOM + 15, words) for value, words in x.ticks),
    )
    labels = format_html(
        '<text class="chart-label" x="2" y="12">{}</text>'
        '<text class="chart-label" x="{}" y="{}" text-anchor="end">{}</text>',
        y.label,
        _WIDTH - _RIGHT,
        _HEIGHT - 6,
        x.label,
    )
    return rows + columns + labels


def _drawn(number: int, one: Series, x: Axis, y: Axis) -> SafeString:
    places = [(_across(x, across), _down(y, up)) for across, up in one.points]
    line = " ".join(f"{left},{top}" for left, top in places)
    match one.mark:
        case Mark.GUIDE:
            return format_html('<polyline class="chart-guide" points="{}"/>', line)
        case Mark.BARS:
            width = round(min(_BAR, 0.7 * (_WIDTH - _LEFT - _RIGHT) / max(1, len(places))), 1)
            floor = _HEIGHT - _BOTTOM
            shapes = ((left - width / 2, top, width, round(floor - top, 1)) for left, top in places)
            inside = format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}"/>', shapes)
        case Mark.DOTS:
            sizes = one.sizes or [3.5] * len(places)
            circles = ((left, top, size) for (left, top), size in zip(places, sizes, strict=True))
            inside = format_html_join("", '<circle cx="{}" cy="{}" r="{}"/>', circles)
        case Mark.LINE:
            dots = format_html_join("", '<circle cx="{}" cy="{}" r="2"/>', places)
            inside = format_html('<polyline points="{}"/>', line) + dots
    return format_html('<g class="chart-{} chart-colour-{}">{}</g>', one.mark, number, inside)


def _legend(series: Sequence[Series]) -> SafeString:
    """A row of samples with names; each takes its share of the width."""
    width = (_WIDTH - _LEFT - _RIGHT) / max(1, len(series))
    parts = []
    for number, one in enumerate(series, 1):
        left = round(_LEFT + (number - 1) * width, 1)
        kind = "chart-guide" if one.mark == Mark.GUIDE else f"chart-{one.mark} chart-colour-{number}"
        sample = (
            format_html('<circle class="{}" cx="{}" cy="26" r="3.5"/>', kind, left + 8)
            if one.mark == Mark.DOTS
            else format_html('<polyline class="{}" points="{},26 {},26"/>', kind, left, left + 16)
        )
        parts.append(sample + format_html('<text x="{}" y="30">{}</text>', left + 21, one.name))
    return format_html_join("", "{}", ((part,) for part in parts))
