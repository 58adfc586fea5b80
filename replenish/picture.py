"""Are chances honest? A reliability diagram (Murphy and Winkler 1977) as SVG, drawn with nothing but text.

Where a model says 20 %, it should happen to 20 %: a line on the diagonal is honest, above it too shy, below it too
bold. Both axes go with the square root, for most chances are small. Bars below show how many pairs were given such a
chance. Lines differ in colour, dashes and marks; the colours follow the reader's light or dark setting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from replenish.backtest import ALL, Bin, Row, days_judged

LEFT, TOP, SIDE = 70, 60, 440
"""Where the square of the diagram begins, and its side, in pixels."""

BARS = 90
"""Height of the bars."""

GAP = 44
"""Between diagram and bars: the labels of the axis."""

FEW = 30
"""Fewer pairs than these say little: their marks are hollow."""

TICKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)

LIGHT = ("#0b61a4", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#be123c", "#0e7490", "#525252")
DARK = ("#6cb6ff", "#ff9d5c", "#6fdd8b", "#cf9bff", "#f0c94a", "#ff8fa3", "#5fd3e8", "#b8b8b8")
DASHES = ("", "7 4", "2 3", "10 3 2 3", "", "7 4", "2 3", "10 3 2 3")

STYLE = """
.reliability { color: #1c1c1c; background: #ffffff; font: 13px system-ui, sans-serif }
.reliability text { fill: currentColor }
.reliability .frame { fill: none; stroke: currentColor; stroke-opacity: .45 }
.reliability .grid { stroke: currentColor; stroke-opacity: .12 }
.reliability .honest { stroke: currentColor; stroke-opacity: .55; stroke-dasharray: 3 5 }
.reliability .line { fill: none; stroke-width: 2; stroke-linejoin: round }
"""


def picture(rows: Sequence[Row]) -> str:
    """The pooled rows of a back-test as an SVG document, one line a model."""
    drawn = [row for row in rows if row.cutoff is None and row.segment == ALL]
    days = days_judged(drawn[0].follow_up) if drawn else 14
    limit = _limit([one for row in drawn for one in row.bins])
    title = f"Chance of buying within {days} days: said against seen"
    legend = LEFT + SIDE + 30
    width = legend + 50 + 8 * max((len(row.contender) for row in drawn), default=0)
    width = max(width, LEFT + 9 * len(title))
    height = TOP + SIDE + GAP + BARS + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="reliability" role="img" aria-labelledby="title about" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="about">{escape(" ".join(map(_said, drawn)))}</desc>',
        f"<style>{STYLE}{_colours(len(drawn))}</style>",
        f'<text x="{LEFT}" y="28" font-size="17" font-weight="600">{escape(title)}</text>',
        *_axes(limit),
        *_bars(drawn, limit),
    ]
    for number, row in enumerate(drawn):
        parts += _line(number, row.bins, limit)
        y = TOP + 12 + 24 * number
        parts += [
            f'<path class="line m{number}" d="M{legend} {y}h30"/>',
            _mark(number, legend + 15, y, hollow=False),
            f'<text x="{legend + 40}" y="{y + 4.5}">{escape(row.contender)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _axes(limit: float) -> Iterator[str]:
    for tick in (one for one in TICKS if one <= limit):
        x, y = LEFT + _along(tick, limit), TOP + SIDE - _along(tick, limit)
        label = f"{tick:.0%}"
        yield f'<path class="grid" d="M{x:.1f} {TOP}v{SIDE}M{LEFT} {y:.1f}h{SIDE}"/>'
        yield f'<text x="{x:.1f}" y="{TOP + SIDE + 18}" text-anchor="middle">{label}</text>'
        yield f'<text x="{LEFT - 8}" y="{y + 4.5:.1f}" text-anchor="end">{label}</text>'
    yield f'<path class="honest" d="M{LEFT} {TOP + SIDE}L{LEFT + SIDE} {TOP}"/>'
    yield f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}"/>'
    yield f'<text x="{LEFT + SIDE / 2}" y="{TOP + SIDE + 36}" text-anchor="middle">said</text>'
    middle = TOP + SIDE / 2
    yield f'<text x="20" y="{middle}" text-anchor="middle" transform="rotate(-90 20 {middle})">seen</text>'


def _bars(rows: Sequence[Row], limit: float) -> Iterator[str]:
    most = max((one.count for row in rows for one in row.bins), default=1)
    foot = TOP + SIDE + GAP + BARS
    for number, row in enumerate(rows):
        for one in row.bins:
            start, stop = _along(one.lower, limit), _along(min(one.upper, limit), limit)
            wide = (stop - start - 2) / len(rows)
            x, tall = LEFT + start + 1 + number * wide, BARS * one.count / most
            yield f'<rect class="b{number}" x="{x:.1f}" y="{foot - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>'
    yield f'<path class="frame" d="M{LEFT} {foot}h{SIDE}"/>'
    yield f'<text x="{LEFT - 8}" y="{foot - BARS + 10}" text-anchor="end">{_short(most)}</text>'
    yield f'<text x="{LEFT - 8}" y="{foot}" text-anchor="end">0</text>'
    yield f'<text x="{LEFT + SIDE / 2}" y="{foot + 20}" text-anchor="middle">pairs that were given such a chance</text>'


def _line(number: int, bins: Sequence[Bin], limit: float) -> Iterator[str]:
    points = [(LEFT + _along(one.said, limit), TOP + SIDE - _along(one.seen, limit), one) for one in bins]
    yield f'<path class="line m{number}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)}"/>'
    for x, y, one in points:
        yield _mark(number, x, y, hollow=one.count < FEW)


def _mark(number: int, x: float, y: float, *, hollow: bool) -> str:
    shape = (
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
        "m-4-4h8v8h-8z",
        "m0-5l5 9h-10z",
        "m0-5l5 5l-5 5l-5-5z",
    )[number % 4]
    return f'<path class="{"h" if hollow else "b"}{number}" d="M{x:.1f} {y:.1f}{shape}"/>'


def _colours(count: int) -> str:
    def rules(colours: Sequence[str]) -> str:
        return "".join(
            f".reliability .m{i}, .reliability .h{i} {{ stroke: {colours[i % len(colours)]} }} "
            f".reliability .b{i} {{ fill: {colours[i % len(colours)]} }}\n"
            for i in range(count)
        )

    dashes = "".join(
        f".reliability .m{i} {{ stroke-dasharray: {DASHES[i % len(DASHES)]} }} "
        for i in range(count)
        if DASHES[i % len(DASHES)]
    )
    hollow = "".join(f".reliability .h{i} {{ fill: none; stroke-width: 1.5 }} " for i in range(count))
    dark = f".reliability {{ color: #e8e8e8; background: #17191c }}\n{rules(DARK)}"
    return f"{rules(LIGHT)}{dashes}{hollow}\n@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _said(row: Row) -> str:
    count = sum(one.count for one in row.bins)
    if not count:
        return f"{row.contender}: nothing judged."
    said = sum(one.said * one.count for one in row.bins) / count
    seen = sum(one.seen * one.count for one in row.bins) / count
    sure = [one for one in row.bins if one.count >= FEW] or row.bins
    apart = max(sure, key=lambda one: abs(one.said - one.seen))
    return (
        f"{row.contender}: {said:.1%} said and {seen:.1%} seen of {count} pairs; furthest apart where it says "
        f"{apart.said:.1%}, seen {apart.seen:.1%}."
    )


def _limit(bins: Sequence[Bin]) -> float:
    """The tick that holds every point."""
    most = max((max(one.said, one.seen) for one in bins), default=1.0)
    return next(tick for tick in (*TICKS[3:], math.inf) if tick >= min(most, 1.0))


def _along(chance: float, limit: float) -> float:
    return SIDE * math.sqrt(max(chance, 0.0) / limit)


def _short(count: int) -> str:
    return f"{count / 1000:.0f} k" if count >= 10_000 else str(count)
