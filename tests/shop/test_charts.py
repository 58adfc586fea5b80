"""Charts are drawn where the numbers are, and say what they show to whoever cannot see them."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop import charts
from shop.charts import Axis, Mark, Series

X = Axis("week", 0, 10, [(0, "0"), (10, "10")])
Y = Axis("share", 0, 1, [(0, "0%"), (1, "100%")])


def drawn(*series: Series) -> ElementTree.Element:
    return ElementTree.fromstring(charts.draw("c", title="T", description="D", x=X, y=Y, series=series))


def test_draw_names_and_describes_the_picture():
    svg = drawn()
    assert svg.attrib["role"] == "img"
    named = svg.attrib["aria-labelledby"].split()
    assert [element.text for element in svg if element.attrib.get("id") in named] == ["T", "D"]


def test_draw_puts_the_ends_of_the_axes_at_the_edges_of_the_plot():
    svg = drawn(Series("s", [(0, 0), (10, 1), (5, 0.5)], Mark.DOTS))
    places = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in svg.findall("g/circle")]
    assert places == [(44.0, 220.0), (340.0, 44.0), (192.0, 132.0)]


def test_draw_keeps_what_is_off_the_axes_at_the_edge():
    svg = drawn(Series("s", [(-5, 2)], Mark.DOTS))
    (dot,) = svg.findall("g/circle")
    assert (dot.attrib["cx"], dot.attrib["cy"]) == ("44.0", "44.0")


def test_draw_gives_dots_their_sizes_and_bars_their_height():
    svg = drawn(Series("s", [(1, 0.2), (2, 0.4)], Mark.DOTS, [3, 6]), Series("b", [(5, 0.5)], Mark.BARS))
    assert [dot.attrib["r"] for dot in svg.findall("g/circle")] == ["3", "6"]
    assert [bar.attrib["height"] for bar in svg.findall("g/rect")] == ["88.0"]


@pytest.mark.parametrize("mark", list(Mark))
def test_draw_copes_with_a_single_point_and_with_none(mark):
    drawn(Series("s", [(3, 0.3)], mark))
    drawn(Series("s", [], mark))


def test_draw_copes_with_an_axis_of_no_length():
    charts.draw("c", title="T", description="D", x=Axis("x", 3, 3, []), y=Y, series=[Series("s", [(3, 0.3)])])


def test_draw_escapes_every_word():
    svg = charts.draw(
        "c",
        title="<b>",
        description="<i>",
        x=Axis("<u>", 0, 1, [(0, "<s>")]),
        y=Y,
        series=[Series("<a>", [(0, 0)])],
    )
    assert not re.search(r"<(b|i|u|s|a)>", svg)


def test_draw_needs_no_style_that_the_content_policy_forbids():
    assert "style=" not in charts.draw("c", title="T", description="D", x=X, y=Y, series=[Series("s", [(0, 0)])])


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.17, [0, 0.05, 0.1, 0.15, 0.2]),
        (7.4, [0, 2, 4, 6, 8]),
        (0, [0, 0.001]),
    ],
)
def test_steps_are_round(high, expected):
    assert charts.steps(high) == expected


@given(st.floats(0, 1e6))
def test_steps_reach_the_highest_value_in_a_few(high):
    found = charts.steps(high)
    assert found[-1] >= high - 1e-6
    assert 2 <= len(found) <= 6
