"""Product drawings: small flat SVGs, made from a shape name and one tint.

Every drawing is self-contained and carries no ids, so any number of them can be put inline in one page.
"""

import re
from collections.abc import Callable
from html import escape

CREAM = "#fffaf2"
WHITE = "#fff"
INK = "#2a211b"
LABEL_LIMIT = 60

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def _mix(one: str, other: str, share: float) -> str:
    """The colour `share` of the way from `one` to `other`; both are #rrggbb."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


class _Palette:
    def __init__(self, tint: str) -> None:
        self.body = tint
        self.light = _mix(tint, CREAM, 0.4)
        self.pale = _mix(tint, CREAM, 0.68)
        self.ground = _mix(tint, "#fffcf8", 0.8)
        self.deep = _mix(tint, INK, 0.28)
        self.dark = _mix(tint, INK, 0.55)


def _paint(fill: str, opacity: float) -> str:
    return f'fill="{fill}"' + ("" if opacity == 1 else f' opacity="{opacity:g}"')


def _rect(x: float, y: float, w: float, h: float, r: float, fill: str, opacity: float = 1) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}" {_paint(fill, opacity)}/>'


def _oval(cx: float, cy: float, rx: float, ry: float, fill: str, opacity: float = 1) -> str:
    return f'<ellipse cx="{cx:g}" cy="{cy:g}" rx="{rx:g}" ry="{ry:g}" {_paint(fill, opacity)}/>'


def _dot(cx: float, cy: float, r: float, fill: str, opacity: float = 1) -> str:
    return f'<circle cx="{cx:g}" cy="{cy:g}" r="{r:g}" {_paint(fill, opacity)}/>'


def _path(d: str, fill: str, opacity: float = 1) -> str:
    return f'<path d="{d}" {_paint(fill, opacity)}/>'


def _line(d: str, stroke: str, width: float, opacity: float = 1) -> str:
    seen = "" if opacity == 1 else f' opacity="{opacity:g}"'
    return (
        f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{width:g}" '
        f'stroke-linecap="round" stroke-linejoin="round"{seen}/>'
    )


def _turn(degrees: float, inner: str) -> str:
    return f'<g transform="rotate({degrees:g} 80 80)">{inner}</g>'


def _leaf(cx: float, cy: float, size: float, fill: str) -> str:
    s = size
    return _path(f"M{cx:g} {cy + s:g}q{-s:g} {-s:g} 0 {-2 * s:g}q{s:g} {s:g} 0 {2 * s:g}z", fill)


def _drop(cx: float, cy: float, s: float, fill: str) -> str:
    return _path(
        f"M{cx:g} {cy - s:g}q{s:g} {s * 1.1:g} {s * 0.75:g} {s * 1.5:g}"
        f"a{s * 0.85:g} {s * 0.85:g} 0 0 1{-s * 1.5:g} 0q{-s * 0.25:g}{-s * 0.4:g} {s * 0.75:g}{-s * 1.5:g}z",
        fill,
    )


def _diaper_pack(p: _Palette) -> str:
    return (
        _rect(64, 22, 32, 18, 9, p.deep)
        + _rect(71, 29, 18, 14, 5, p.ground)
        + _rect(32, 36, 96, 96, 18, p.body)
        + _path("M110 36q18 0 18 18v60q0 18-18 18q6-8 6-18V54q0-10-6-18z", INK, 0.14)
        + _rect(32, 36, 96, 14, 7, WHITE, 0.22)
        + _path("M32 68q46-14 96 0v46q0 18-18 18H50q-18 0-18-18z", p.pale)
        + _path("M120 66l8 2v46q0 18-18 18q6-8 6-18V66z", INK, 0.08)
        + _path("M44 78q0-4 4-4h60q4 0 4 4v12q-17 5-21 26q-1 6-6 6H71q-5 0-6-6q-4-21-21-26z", CREAM)
        + _line("M50 94q12 8 15 24M106 94q-12 8-15 24", p.light, 3)
        + _path("M44 78q0-4 4-4h60q4 0 4 4v6H44z", p.deep)
        + _rect(58, 72, 40, 15, 5, p.light)
        + "".join(_dot(x, 79.5, 2.6, CREAM) for x in (68, 78, 88))
    )


def _wipes(p: _Palette) -> str:
    return (
        _path("M66 60q-4-18 8-30q4 8 12 4q10 8 8 26z", CREAM)
        + _path("M84 35q8 8 6 25h4q3-18-8-26z", INK, 0.08)
        + _rect(24, 58, 112, 70, 20, p.body)
        + _path("M24 104q56 14 112 0v4q0 20-20 20H44q-20 0-20-20z", INK, 0.13)
        + _rect(48, 54, 64, 30, 12, p.pale)
        + _oval(80, 66, 22, 7, p.deep)
        + _path("M62 66q4-10 8-10h20q6 2 8 10q-8 4-18 4t-18-4z", CREAM)
        + _drop(80, 102, 8, CREAM)
        + _rect(32, 74, 6, 24, 3, WHITE, 0.4)
    )


def _bottle(p: _Palette) -> str:
    return (
        _rect(62, 24, 36, 24, 6, p.deep)
        + _rect(62, 38, 36, 4, 2, INK, 0.16)
        + _rect(48, 44, 64, 90, 22, p.body)
        + _path("M92 44q20 2 20 22v46q0 20-20 22q8-10 8-22V66q0-12-8-22z", INK, 0.14)
        + _rect(48, 74, 64, 38, 0, CREAM)
        + _rect(100, 74, 12, 38, 0, INK, 0.07)
        + _leaf(74, 90, 11, p.body)
        + _rect(64, 104, 22, 3, 1.5, p.light)
        + _rect(55, 54, 6, 16, 3, WHITE, 0.45)
    )


def _bottle_pump(p: _Palette) -> str:
    return (
        _path("M62 22h34q14 0 14 14h-9q0-5-6-5H68q-6 0-6-5z", p.deep)
        + _rect(76, 30, 9, 16, 2, p.dark)
        + _rect(62, 42, 37, 13, 5, p.deep)
        + _rect(44, 52, 72, 82, 20, p.body)
        + _path("M98 52q18 2 18 20v42q0 18-18 20q7-9 7-20V72q0-12-7-20z", INK, 0.14)
        + _rect(54, 74, 46, 42, 10, CREAM)
        + _drop(77, 90, 10, p.body)
        + _rect(66, 107, 22, 3, 1.5, p.light)
        + _rect(50, 68, 5, 30, 2.5, WHITE, 0.4)
    )


def _tube(p: _Palette) -> str:
    return (
        _path("M46 30h68l-10 82H56z", p.body)
        + _path("M96 30h18l-10 82h-13z", INK, 0.13)
        + _rect(44, 22, 72, 13, 4, p.deep)
        + _rect(56, 108, 48, 26, 7, p.deep)
        + _rect(56, 112, 48, 4, 2, WHITE, 0.25)
        + _dot(78, 68, 17, CREAM)
        + _leaf(78, 68, 10, p.body)
        + _rect(66, 92, 24, 3, 1.5, CREAM, 0.8)
        + _path("M53 40h6l5 40h-5z", WHITE, 0.35)
    )


def _jar(p: _Palette) -> str:
    return (
        _rect(40, 64, 80, 68, 22, p.body)
        + _path("M98 64h22v46q0 22-22 22q8-10 8-22z", INK, 0.14)
        + _rect(34, 44, 92, 26, 9, p.deep)
        + _rect(34, 60, 92, 10, 5, INK, 0.14)
        + _rect(42, 49, 34, 4, 2, WHITE, 0.4)
        + _rect(52, 82, 52, 32, 10, CREAM)
        + _dot(70, 98, 7, p.body)
        + _rect(82, 92, 14, 3, 1.5, p.light)
        + _rect(82, 100, 10, 3, 1.5, p.pale)
    )


def _box(p: _Palette) -> str:
    return (
        _path("M42 44l10-16h66l-8 16z", p.light)
        + _path("M110 44l8-16q6 2 6 8v82q0 6-6 9l-8 5z", p.deep)
        + _rect(38, 42, 74, 90, 8, p.body)
        + _rect(38, 62, 74, 44, 0, CREAM)
        + _dot(62, 84, 13, p.light)
        + _leaf(62, 84, 9, p.deep)
        + _rect(82, 76, 22, 4, 2, p.body)
        + _rect(82, 85, 16, 4, 2, p.pale)
        + _rect(82, 94, 19, 4, 2, p.pale)
        + _rect(46, 115, 32, 5, 2.5, WHITE, 0.4)
    )


def _carton(p: _Palette) -> str:
    return (
        _rect(56, 22, 48, 14, 4, p.deep)
        + _path("M48 60l12-28h40l12 28z", p.light)
        + _path("M100 32l12 28H92z", INK, 0.1)
        + _dot(76, 48, 8, CREAM)
        + _dot(76, 48, 4.5, p.deep)
        + _path("M48 58h64v68q0 8-8 8H56q-8 0-8-8z", p.body)
        + _path("M94 58h18v68q0 8-8 8H94z", INK, 0.13)
        + _path("M48 98q12-10 24 0t22-2v30q0 8-8 8H56q-8 0-8-8z", CREAM)
        + _path("M94 96q9-7 18 2v28q0 8-8 8H90q4-2 4-8z", p.pale)
        + _leaf(66, 80, 10, CREAM)
        + _leaf(76, 82, 7, p.pale)
    )


def _roll(p: _Palette) -> str:
    return (
        _path("M38 52v66q0 16 42 16t42-16V52z", CREAM)
        + _path("M100 54h22v64q0 11-22 14z", INK, 0.09)
        + _oval(80, 52, 42, 18, WHITE)
        + _oval(80, 52, 30, 12.5, p.pale, 0.6)
        + _oval(80, 52, 17, 7, p.deep)
        + _oval(80, 54, 13, 4.5, p.dark)
        + _path("M38 52v60q8 8 22 8V70q-16-4-22-18z", p.pale)
        + _line("M40 92q10 6 19 6", p.deep, 2, 0.4)
        + "".join(_leaf(x, y, 6, p.body) for x, y in ((78, 92), (102, 86), (90, 114)))
    )


def _roll_pack(p: _Palette) -> str:
    rolls = "".join(
        _dot(x, y, 16, CREAM) + _dot(x, y, 10.5, p.pale) + _dot(x, y, 6, p.dark)
        for y in (66, 102)
        for x in (46, 80, 114)
    )
    return (
        _rect(62, 22, 36, 24, 10, p.deep)
        + _rect(70, 30, 20, 16, 6, p.ground)
        + _rect(24, 40, 112, 92, 20, p.body)
        + rolls
        + _path("M118 40q18 2 18 20v52q0 18-18 20q6-8 6-20V60q0-12-6-20z", INK, 0.13)
        + _path("M40 40h18L24 84V60q0-16 16-20z", WHITE, 0.28)
    )


def _bean(cx: float, cy: float, p: _Palette) -> str:
    return (
        f'<g transform="rotate(28 {cx:g} {cy:g})">'
        + _oval(cx, cy, 8, 11, p.dark)
        + _line(f"M{cx:g} {cy - 9:g}q-5 9 0 9t0 9", p.pale, 2)
        + "</g>"
    )


def _coffee_bag(p: _Palette) -> str:
    return (
        _path("M46 40h68q2 20 6 36v48q0 10-10 10H50q-10 0-10-10V76q4-16 6-36z", p.body)
        + _path("M98 40h16q2 20 6 36v48q0 10-10 10h-8q6-4 6-12V78q-6-18-10-38z", INK, 0.15)
        + _rect(42, 22, 76, 22, 5, p.deep)
        + _rect(42, 36, 76, 4, 2, INK, 0.2)
        + _rect(37, 24, 10, 16, 4, p.dark)
        + _rect(113, 24, 10, 16, 4, p.dark)
        + _dot(78, 58, 4, p.deep)
        + _dot(78, 94, 23, CREAM)
        + _bean(78, 94, p)
        + _rect(48, 60, 5, 30, 2.5, WHITE, 0.28)
    )


def _drip_bag(p: _Palette) -> str:
    return (
        _path("M104 82h12q16 2 16 17t-18 17h-12v-8h11q10 0 10-9t-9-9h-10z", p.deep)
        + _path("M34 76h72v30q0 28-26 28H60q-26 0-26-28z", p.body)
        + _path("M88 76h18v30q0 28-26 28h-6q14-6 14-28z", INK, 0.13)
        + _oval(70, 76, 36, 9, p.deep)
        + _path("M50 30h40l6 48q-26 10-52 0z", CREAM)
        + _path("M78 30h12l6 48q-7 3-14 4z", INK, 0.08)
        + _path("M52 36h36l2 12q-20 6-40 0z", p.dark)
        + _path("M50 52l-20 4q-6 10 2 22h8q-6-8-4-16l13-2z", p.pale)
        + _path("M90 52l20 4q6 10-2 22h-8q6-8 4-16l-13-2z", p.pale)
        + _drop(70, 64, 6, p.light)
        + _rect(42, 92, 5, 20, 2.5, WHITE, 0.35)
    )


def _capsule_box(p: _Palette) -> str:
    return (
        _path("M30 52l10-18h86l-8 18z", p.light)
        + _path("M118 52l8-18q5 2 5 8v64q0 6-5 9l-8 5z", p.deep)
        + _rect(28, 50, 92, 72, 8, p.body)
        + _rect(28, 62, 92, 8, 0, CREAM, 0.75)
        + _bean(54, 94, p)
        + _path("M76 100h56l-9 30q-2 6-8 6H93q-6 0-8-6z", p.dark)
        + _path("M112 100h20l-9 30q-2 6-8 6h-6q4-12 3-36z", INK, 0.25)
        + _rect(70, 92, 68, 10, 5, CREAM)
        + _rect(80, 94.5, 26, 3, 1.5, p.pale)
        + _path("M84 106h5l6 22h-4z", WHITE, 0.3)
    )


def _tissue_box(p: _Palette) -> str:
    return (
        _path("M54 72q-4-26 12-46q6 12 16 6q14 8 10 22q14-2 14 18z", WHITE)
        + _path("M82 32q14 8 10 22q14-2 14 18H92q-10-18-10-40z", p.pale)
        + _path("M24 84l16-18h80l16 18z", p.light)
        + _oval(80, 75, 32, 6, p.deep)
        + _path("M56 74q-2-10 0-18h46q5 8 3 18q-24 6-49 0z", WHITE)
        + _rect(24, 80, 112, 52, 10, p.body)
        + _path("M24 112q56 12 112 0v10q0 10-10 10H34q-10 0-10-10z", INK, 0.12)
        + "".join(_leaf(x, y, 8, CREAM) for x, y in ((48, 104), (80, 98), (112, 104)))
        + _rect(34, 86, 40, 4, 2, WHITE, 0.35)
    )


def _trash_roll(p: _Palette) -> str:
    return (
        _path("M58 68h70v52q0 6-6 5l-9-5-10 7-10-7-10 7-9-7-16 2z", p.light)
        + _line("M66 104h56", p.deep, 2, 0.35)
        + _rect(34, 34, 100, 52, 22, p.body)
        + _path("M34 70q50 12 100 0q-3 16-22 16H56q-18 0-22-16z", INK, 0.16)
        + _rect(74, 34, 34, 52, 0, CREAM)
        + _rect(74, 74, 34, 12, 0, INK, 0.09)
        + _leaf(91, 58, 11, p.body)
        + _oval(46, 60, 20, 26, p.deep)
        + _oval(46, 60, 12, 16, p.light)
        + _oval(46, 60, 6, 8, p.dark)
    )


def _sheet_mask(p: _Palette) -> str:
    return (
        _turn(
            9,
            _rect(52, 26, 76, 102, 8, p.body) + _rect(52, 26, 76, 12, 6, p.deep) + _leaf(112, 110, 9, CREAM),
        )
        + _path("M28 66q0-32 36-32t36 32q0 66-36 66T28 66z", INK, 0.1)
        + _path("M26 64q0-32 36-32t36 32q0 66-36 66T26 64z", CREAM)
        + _path("M78 34q20 6 20 30q0 60-32 66q22-20 22-62q0-22-10-34z", p.pale)
        + _oval(48, 70, 9, 5.5, p.body)
        + _oval(76, 70, 9, 5.5, p.body)
        + _line("M57 94q5 4 10 0", p.light, 3)
        + _oval(62, 108, 11, 5, p.body)
        + _oval(46, 48, 10, 4, WHITE)
    )


def _lens_box(p: _Palette) -> str:
    return (
        _path("M34 40l10-14h78l-8 14z", p.light)
        + _path("M114 40l8-14q5 2 5 7v72l-13 10z", p.deep)
        + _rect(32, 38, 84, 80, 8, p.body)
        + _rect(32, 52, 84, 6, 0, CREAM, 0.8)
        + _path("M44 78q22-20 44 0q-22 20-44 0z", CREAM)
        + _dot(66, 78, 8, p.deep)
        + _dot(69, 75, 2.5, CREAM)
        + _rect(66, 92, 68, 44, 14, CREAM)
        + _rect(66, 124, 68, 12, 6, INK, 0.08)
        + _dot(98, 113, 16, p.light)
        + _dot(98, 113, 11, p.pale)
        + _line("M89 108q4-6 10-6", WHITE, 3)
        + _rect(120, 106, 8, 3, 1.5, p.light)
        + _rect(120, 113, 8, 3, 1.5, p.pale)
    )


def _dropper(p: _Palette) -> str:
    return (
        _path("M70 40V28q0-10 10-10t10 10v12z", p.dark)
        + _rect(64, 38, 32, 18, 5, p.deep)
        + _path("M66 56h28v8q22 6 22 26v28q0 16-16 16H60q-16 0-16-16V90q0-20 22-26z", p.light)
        + _path("M44 92h72v26q0 16-16 16H60q-16 0-16-16z", p.body)
        + _path("M94 56v8q22 6 22 26v28q0 16-16 16h-6q8-6 8-16V92q0-18-12-26V56z", INK, 0.13)
        + _rect(77, 56, 6, 48, 3, CREAM, 0.75)
        + _rect(54, 98, 46, 22, 7, CREAM)
        + _drop(77, 108, 7, p.body)
        + _rect(50, 82, 5, 18, 2.5, WHITE, 0.5)
    )


def _can_of_formula(p: _Palette) -> str:
    return (
        _path("M38 48v72q0 14 42 14t42-14V48z", p.body)
        + _path("M100 50h22v70q0 10-22 13z", INK, 0.14)
        + _path("M38 70q42 14 84 0v36q-42 14-84 0z", CREAM)
        + _path("M100 74q14-1 22-4v36q-8 3-22 5z", INK, 0.06)
        + _path("M36 40q44 14 88 0v10q0 12-44 12T36 50z", p.deep)
        + _oval(80, 38, 44, 13, p.light)
        + _oval(80, 37, 34, 8.5, p.pale)
        + _dot(64, 88, 5, p.body)
        + _dot(88, 88, 5, p.body)
        + _dot(76, 93, 13, p.light)
        + _dot(72, 91, 1.8, p.dark)
        + _dot(80, 91, 1.8, p.dark)
        + _line("M73 96q3 3 6 0", p.dark, 2)
    )


def _razor(p: _Palette) -> str:
    return _turn(
        24,
        _path("M72 62h16l4 66q0 12-12 12t-12-12z", p.body)
        + _path("M82 62h6l4 66q0 12-12 12q6-4 5-12z", INK, 0.15)
        + _rect(74, 84, 5, 30, 2.5, WHITE, 0.35)
        + _path("M66 50h28l-5 16H71z", p.dark)
        + _rect(38, 20, 84, 34, 10, p.deep)
        + _rect(43, 24, 74, 7, 3.5, p.light)
        + "".join(_rect(46, y, 68, 3.5, 1.5, CREAM) for y in (34, 39.5, 45)),
    )


def _toothpaste(p: _Palette) -> str:
    tube = (
        _rect(14, 46, 13, 72, 4, p.deep)
        + _path("M25 48l80 12q9 2 9 10v24q0 8-9 10l-80 12z", p.body)
        + _path("M42 50.5l34 5q-12 27 0 53l-34 5q-14-31 0-63z", CREAM)
        + _leaf(55, 82, 14, p.body)
        + _path("M25 94l89-6v6q0 8-9 10l-80 12z", INK, 0.12)
        + _rect(84, 70, 18, 5, 2.5, CREAM, 0.9)
        + _rect(84, 80, 12, 5, 2.5, CREAM, 0.6)
        + _rect(112, 66, 9, 32, 3, p.pale)
        + _rect(119, 60, 26, 44, 8, p.deep)
        + _rect(123, 66, 4, 32, 2, WHITE, 0.3)
    )
    return '<g transform="translate(9 9) scale(.9)">' + _turn(-20, tube) + "</g>"


def _cotton_pads(p: _Palette) -> str:
    stack = "".join(_rect(66, y, 68, 15, 7.5, CREAM) + _rect(66, y + 10, 68, 5, 2.5, INK, 0.09) for y in (118, 104, 90))
    return (
        _line("M50 38q8-20 18-8t18 8", p.deep, 4)
        + _rect(30, 38, 66, 96, 16, p.body)
        + _rect(30, 38, 66, 16, 8, p.deep)
        + _rect(40, 66, 5, 48, 2.5, WHITE, 0.4)
        + _dot(66, 76, 13, CREAM)
        + _leaf(66, 76, 8, p.body)
        + stack
        + _dot(112, 68, 24, INK, 0.08)
        + _dot(111, 66, 24, CREAM)
        + _dot(111, 66, 16.5, p.pale)
        + _dot(111, 66, 14, CREAM)
    )


def _vitamin_bottle(p: _Palette) -> str:
    return (
        _rect(46, 22, 68, 28, 7, CREAM)
        + "".join(_rect(x, 27, 3, 18, 1.5, p.pale) for x in range(53, 108, 8))
        + _path("M54 48h52v6q12 4 12 16v50q0 14-14 14H56q-14 0-14-14V70q0-12 12-16z", p.body)
        + _path("M98 48h8v6q12 4 12 16v50q0 14-14 14h-6q8-6 8-14V72q0-12-8-16z", INK, 0.14)
        + _rect(42, 74, 76, 36, 0, CREAM)
        + _rect(106, 74, 12, 36, 0, INK, 0.07)
        + _dot(66, 92, 12, p.light)
        + _rect(64.5, 86, 3, 12, 1.5, CREAM)
        + _rect(60, 90.5, 12, 3, 1.5, CREAM)
        + _rect(84, 86, 18, 4, 2, p.body)
        + _rect(84, 95, 12, 4, 2, p.pale)
        + _rect(98, 122, 38, 16, 8, p.pale)
        + _path("M117 122h11q8 0 8 8t-8 8h-11z", p.deep)
    )


def _pouch(p: _Palette) -> str:
    return (
        _rect(88, 18, 22, 14, 4, p.dark)
        + _rect(92, 30, 14, 12, 2, p.deep)
        + _path("M50 40h52q8 0 9 8q3 36 11 72q2 14-12 14H48q-14 0-12-14q8-36 5-72q1-8 9-8z", p.body)
        + _path("M98 40h4q8 0 9 8q3 36 11 72q2 14-12 14h-8q8-4 6-14q-10-40-10-80z", INK, 0.13)
        + _path("M38 116q42 14 82 0q6 18-10 18H48q-14 0-10-18z", p.deep, 0.55)
        + _rect(44, 40, 64, 7, 3.5, WHITE, 0.3)
        + _oval(78, 84, 24, 22, CREAM)
        + _drop(78, 83, 11, p.body)
        + _path("M52 56h6q0 20-4 40h-6q4-20 4-40z", WHITE, 0.35)
    )


def _pods(p: _Palette) -> str:
    return (
        _rect(30, 38, 82, 90, 16, p.body)
        + _path("M96 38q16 0 16 16v58q0 16-16 16q6-6 6-16V54q0-10-6-16z", INK, 0.13)
        + _rect(24, 28, 94, 22, 9, p.deep)
        + _rect(34, 32, 34, 4, 2, WHITE, 0.35)
        + _dot(64, 78, 18, CREAM)
        + _drop(64, 77, 9, p.light)
        + _rect(76, 86, 62, 52, 20, CREAM)
        + _rect(81, 91, 52, 42, 16, p.light)
        + _path("M107 91h10q16 0 16 16v10q0 16-16 16h-10q-14-12 0-21t0-21z", p.deep)
        + _line("M88 103q2-5 8-5", WHITE, 3.5)
    )


def _spray(p: _Palette) -> str:
    return (
        _path("M46 24h48q16 2 18 18h-30v8H64V38H46q-4-7 0-14z", p.deep)
        + _rect(38, 25, 9, 12, 3, p.dark)
        + _line("M60 42q0 12-8 16", p.dark, 5)
        + _rect(62, 48, 26, 12, 4, p.dark)
        + _path("M62 58h26q22 10 22 34v28q0 14-14 14H58q-14 0-14-14V92q2-20 18-34z", p.body)
        + _path("M84 58h4q22 10 22 34v28q0 14-14 14h-6q8-4 8-14V92q0-22-14-34z", INK, 0.13)
        + _rect(44, 90, 54, 30, 0, CREAM)
        + _rect(98, 90, 12, 30, 0, p.pale)
        + _drop(71, 104, 9, p.body)
        + _dot(30, 30, 2.5, p.body)
        + _dot(24, 38, 2, p.body)
        + _dot(24, 24, 2, p.body)
    )


def _soap_bar(p: _Palette) -> str:
    return (
        _rect(26, 70, 108, 58, 26, p.deep)
        + _rect(26, 62, 108, 56, 26, p.body)
        + _rect(38, 70, 84, 40, 18, p.light)
        + _rect(40, 73, 84, 38, 18, p.body)
        + _leaf(76, 92, 13, CREAM)
        + _leaf(90, 94, 9, p.pale)
        + _line("M40 78q5-8 14-9", WHITE, 4, 0.6)
        + _dot(104, 54, 16, CREAM)
        + _dot(82, 50, 10, CREAM)
        + _dot(118, 34, 8, CREAM)
        + _dot(94, 30, 5, CREAM)
        + _line("M95 50q3-6 9-6", p.light, 2.5)
        + _line("M77 47q2-3 5-3", p.light, 2)
    )


def _sponge(p: _Palette) -> str:
    def one(x: float, y: float, fill: str) -> str:
        holes = "".join(
            _oval(x + dx, y + dy, r, r * 0.8, INK, 0.14)
            for dx, dy, r in ((14, 13, 4), (36, 9, 3), (54, 15, 4.5), (70, 9, 3))
        )
        return _rect(x, y, 84, 34, 10, fill) + holes + _path(f"M{x:g} {y + 22:g}h84v6q0 8-8 8h-68q-8 0-8-8z", p.dark)

    return (
        one(34, 92, p.light)
        + _turn(-7, one(44, 48, p.body))
        + _dot(40, 52, 9, CREAM)
        + _dot(56, 40, 6, CREAM)
        + _dot(38, 36, 4, CREAM)
        + _line("M35 50q1-4 5-4", p.light, 2)
    )


def _pad_pack(p: _Palette) -> str:
    return (
        _path("M40 36q40-14 80 0l6 84q0 14-14 14H48q-14 0-14-14z", p.body)
        + _path("M106 32l14 4 6 84q0 14-14 14h-8q8-4 8-14z", INK, 0.13)
        + _path("M40 36q40-14 80 0v10q-40-12-80 0z", p.deep)
        + _rect(59, 54, 36, 68, 18, INK, 0.1)
        + _rect(56, 52, 40, 68, 18, CREAM)
        + _path("M56 76q-14 2-14 10t14 10h40q14-2 14-10t-14-10z", CREAM)
        + _rect(65, 60, 22, 52, 11, p.pale)
        + _line("M76 70v32", p.light, 3)
        + _path("M44 52h6l-3 18h-5z", WHITE, 0.4)
    )


def _swab_box(p: _Palette) -> str:
    swabs = "".join(
        _line(f"M{80 + (x - 80) * 0.6:g} 90L{x} {y}", p.pale, 3.5) + _oval(x, y, 5, 8, WHITE)
        for x, y in ((50, 46), (110, 46), (66, 36), (94, 36), (80, 42))
    )
    return (
        _oval(80, 72, 40, 10, p.deep)
        + swabs
        + _path("M40 72q40 14 80 0v48q0 14-40 14t-40-14z", p.body)
        + _path("M100 77q12-1 20-5v48q0 10-20 13z", INK, 0.13)
        + _rect(54, 92, 40, 28, 9, CREAM)
        + _leaf(74, 106, 9, p.body)
        + _rect(46, 84, 4, 30, 2, WHITE, 0.4)
    )


def _gloves(p: _Palette) -> str:
    def glove(fill: str) -> str:
        return _path(
            "M56 136V92q-18-10-20-26q0-7 6-7q4 0 7 6l9 9V38q0-6 6-6t6 6v24h2V32q0-6 6-6t6 6v30h2V36"
            "q0-6 6-6t6 6v28h1V46q0-5 5-5t5 5v34q0 10-7 16v40z",
            fill,
        ) + _path("M94 136V98q8-8 8-24l7-2v8q0 10-7 16v40z", INK, 0.13)

    return (
        '<g transform="translate(26 4) rotate(10 80 80)">'
        + glove(p.deep)
        + "</g>"
        + '<g transform="translate(-10 0) rotate(-4 80 80)">'
        + glove(p.body)
        + _rect(51, 118, 56, 19, 7, p.light)
        + _line("M66 76q6 8 16 6", WHITE, 3, 0.4)
        + "</g>"
    )


def _tub(p: _Palette) -> str:
    return (
        _path("M36 62h88l-7 62q-1 10-11 10H54q-10 0-11-10z", p.light)
        + _path("M40 98h80l-3 26q-1 10-11 10H54q-10 0-11-10z", p.body)
        + _path("M40 98q13-8 27 0t27 0t26 0v8H41z", p.body)
        + _path("M106 62h18l-7 62q-1 10-11 10h-8q6-4 6-10z", INK, 0.12)
        + _rect(30, 44, 100, 24, 9, CREAM)
        + _rect(30, 60, 100, 8, 4, p.pale)
        + "".join(_rect(x, 50, 4, 8, 2, p.deep) for x in range(54, 105, 8))
        + _path("M52 76h6l2 30h-5z", WHITE, 0.5)
        + _drop(82, 114, 8, CREAM)
    )


def _stick(p: _Palette) -> str:
    return (
        _path("M66 66V42q0-16 22-20q8-2 8 6v38z", p.light)
        + _path("M86 23q10-3 10 5v38H86z", INK, 0.09)
        + _rect(60, 60, 42, 20, 5, CREAM)
        + _rect(92, 60, 10, 20, 4, p.pale)
        + _rect(54, 76, 54, 58, 10, p.body)
        + _path("M94 76h4q10 0 10 10v38q0 10-10 10h-4q4-4 4-10V86q0-6-4-10z", INK, 0.14)
        + _leaf(78, 106, 12, CREAM)
        + _rect(60, 86, 4, 34, 2, WHITE, 0.4)
    )


_SHAPES: dict[str, Callable[[_Palette], str]] = {
    "bottle": _bottle,
    "bottle-pump": _bottle_pump,
    "box": _box,
    "can-of-formula": _can_of_formula,
    "capsule-box": _capsule_box,
    "carton": _carton,
    "coffee-bag": _coffee_bag,
    "cotton-pads": _cotton_pads,
    "diaper-pack": _diaper_pack,
    "drip-bag": _drip_bag,
    "dropper": _dropper,
    "gloves": _gloves,
    "jar": _jar,
    "lens-box": _lens_box,
    "pad-pack": _pad_pack,
    "pods": _pods,
    "pouch": _pouch,
    "razor": _razor,
    "roll": _roll,
    "roll-pack": _roll_pack,
    "sheet-mask": _sheet_mask,
    "soap-bar": _soap_bar,
    "sponge": _sponge,
    "spray": _spray,
    "stick": _stick,
    "swab-box": _swab_box,
    "tissue-box": _tissue_box,
    "toothpaste": _toothpaste,
    "trash-roll": _trash_roll,
    "tub": _tub,
    "tube": _tube,
    "vitamin-bottle": _vitamin_bottle,
    "wipes": _wipes,
}

SHAPES = tuple(_SHAPES)


def draw(shape: str, tint: str, label: str = "") -> str:
    """One drawing as SVG text. Screen readers say the label; without one the drawing is decoration."""
    if shape not in _SHAPES:
        raise ValueError(f"no picture of shape {shape!r}")
    if not _HEX.fullmatch(tint):
        raise ValueError(f"tint {tint!r} is not a #rrggbb colour")
    p = _Palette(tint)
    named = f'role="img" aria-label="{escape(label[:LABEL_LIMIT])}"' if label else 'aria-hidden="true"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 160" {named}>'
        + _rect(0, 0, 160, 160, 38, p.ground)
        + _dot(80, 78, 62, WHITE, 0.4)
        + _oval(80, 136, 54, 7, p.dark, 0.2)
        + _SHAPES[shape](p)
        + "</svg>"
    )
