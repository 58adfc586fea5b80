import xml.etree.ElementTree as ElementTree

import pytest

from replenish.backtest import ALL, Bin, Row
from replenish.picture import FEW, SIDE, picture

SVG = "{http://www.w3.org/2000/svg}"


def row(contender: str, *bins: Bin, **more) -> Row:
    about = {"cutoff": None, "segment": ALL, "follow_up": 56, "figures": {}} | more
    return Row(contender=contender, bins=bins, **about)


HONEST = row("light", Bin(0.0, 0.01, 0.006, 0.006, 900), Bin(0.2, 0.3, 0.25, 0.25, 100))
BOLD = row("a & <b>", Bin(0.2, 0.3, 0.25, 0.1, 500), Bin(0.9, 1.0, 0.95, 0.2, FEW - 1))


def drawn(*rows: Row) -> ElementTree.Element:
    return ElementTree.fromstring(picture(rows))


def test_it_is_well_formed_and_says_in_words_what_it_shows():
    root = drawn(HONEST, BOLD)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title about"
    assert root.find(f"{SVG}title").text == "Chance of buying within 14 days: said against seen"
    assert root.find(f"{SVG}desc").text.startswith("light: 3.0% said and 3.0% seen of 1000 pairs;")
    assert "a & <b>: 28.8% said and 10.5% seen of 529 pairs; furthest apart where it says 25.0%, seen 10.0%." in (
        root.find(f"{SVG}desc").text
    )


def test_an_honest_model_is_drawn_on_the_diagonal():
    marks = [path.get("d") for path in drawn(HONEST).iter(f"{SVG}path") if path.get("class") == "b0"]
    for mark in marks[:2]:
        x, y = map(float, mark[1:].split("m")[0].split())
        assert x - 70 == pytest.approx(60 + SIDE - y, abs=0.2)


def test_few_pairs_have_a_hollow_mark():
    assert [path.get("class") for path in drawn(BOLD).iter(f"{SVG}path") if path.get("class") in ("b0", "h0")] == [
        "b0",
        "h0",
        "b0",  # in the legend
    ]


def test_the_legend_stands_beside_the_diagram_and_inside_the_picture():
    root = drawn(HONEST, row("a-model-with-a-rather-long-name", *HONEST.bins))
    names = {text.text: float(text.get("x")) for text in root.iter(f"{SVG}text")}
    assert names["light"] > 70 + SIDE
    assert names["a-model-with-a-rather-long-name"] + 8 * 31 <= float(root.get("width"))


def test_axes_end_at_the_tick_that_holds_every_point():
    ticks = {text.text for text in drawn(HONEST).iter(f"{SVG}text")}
    assert "30%" in ticks
    assert "40%" not in ticks


def test_bars_stay_inside_the_picture_and_the_tallest_fills_its_room():
    root = drawn(HONEST, BOLD)
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") != "frame"]
    assert len(bars) == 4
    assert max(float(bar.get("height")) for bar in bars) == 90
    assert all(float(bar.get("x")) + float(bar.get("width")) <= 70 + SIDE for bar in bars)


def test_colours_follow_the_readers_setting():
    style = drawn(HONEST).find(f"{SVG}style").text
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    assert "#ffffff" in light
    assert "#ffffff" not in dark
    assert "currentColor" in light


def test_only_pooled_rows_of_everything_are_drawn():
    others = [row("light", *BOLD.bins, cutoff=3), row("light", *BOLD.bins, segment="purchases 2")]
    assert picture([HONEST, *others]) == picture([HONEST])


def test_a_young_shop_is_shown_by_seven_days():
    assert "within 7 days" in picture([row("light", *HONEST.bins, follow_up=7)])
