"""What is written on a package -> how much is in it: "16 OZ", "6 PK/12 OZ", "1 1/2 LB", "4 x 330 ml", "12入".

An ounce that is not called fluid is one of weight: catalogues write it for both.
"""

from __future__ import annotations

import re
from math import gcd

GRAMS, MILLILITRES, PIECES = "g", "ml", "pieces"

UNITS = {
    (GRAMS, 0.001): "mg",
    (GRAMS, 1.0): "g gm gr gram grams 公克 克",
    (GRAMS, 1000.0): "kg kgs 公斤",
    (GRAMS, 28.349523125): "oz ozs o z ounce ounces",
    (GRAMS, 453.59237): "lb lbs pound pounds",
    (MILLILITRES, 1.0): "ml 毫升",
    (MILLILITRES, 10.0): "cl",
    (MILLILITRES, 100.0): "dl",
    (MILLILITRES, 1000.0): "l lt ltr liter liters litre litres 公升",
    (MILLILITRES, 29.5735295625): "floz",
    (MILLILITRES, 473.176473): "pt pint pints",
    (MILLILITRES, 946.352946): "qt quart quarts",
    (MILLILITRES, 3785.411784): "gal ga gallon gallons",
    (
        PIECES,
        1.0,
    ): "ct count pc pcs piece pieces pk pks pack packs p ea each bar bars bag bags can cans roll rolls"
    " sheet sheets tablet tablets capsule capsules pod pods wipe wipes stem stems ld lds load loads"
    " 入 片 包 抽 枚 顆 罐 瓶 個 粒 條 捲 盒",
    (PIECES, 12.0): "dz doz dozen 打",
}
"""Names of units, as they are written in lower case, by dimension and by what one of them is in its common unit."""

EACH = frozenset([*("pk", "pks", "pack", "packs", "p", "bar", "bars", "bag", "bags", "can", "cans"), *"包罐瓶盒"])
"""A size written beside so many of these is that of each; beside any other count it is that of all."""

MOST = 100_000
"""From here on a number is an article number that got into the text."""

_UNIT = {name: unit for unit, names in UNITS.items() for name in names.split()}
_NUMBER = r"(?:\d+(?:[.,]\d+)?|\.\d+)"
_MEASURE = re.compile(
    rf"""(?<![\d.,])
    (?: (?:(?P<whole>\d+)[\s-]+)? (?P<over>\d+) / (?P<under>2|3|4|8|16)      # 1/2 and 1 1/2
      | (?:(?P<times>{_NUMBER}) \s* (?P<sign>[x×*/-]) \s*)? (?P<number>{_NUMBER})   # 16, 6/12, 4 x 330 and 30-39
    )
    [\s-]* (?P<unit>{"|".join(sorted(_UNIT, key=len, reverse=True))}) (?![a-z])""",
    re.VERBOSE,
)


def package_size(text: str) -> tuple[float, str] | None:
    """Contents and their dimension: grams, millilitres or pieces; None where the text does not tell."""
    text = re.sub(r"\bfl(uid|\.)?\s*o(z|unces?)\b", "floz", text.strip().lower())
    if text in _UNIT:
        text = f"1 {text}"
    packs, counted = 1.0, None
    for found in _MEASURE.finditer(text):
        amount = _amount(found)
        dimension, factor = _UNIT[found["unit"]]
        if amount is None or not 0 < amount < MOST:
            continue
        if dimension != PIECES and not (found["unit"] == "mg" and counted):
            return packs * amount * factor, dimension
        if dimension == PIECES and counted is None:
            counted = amount * factor, dimension
            packs = amount if found["unit"] in EACH else 1.0
    return counted


def _amount(found: re.Match[str]) -> float | None:
    if found["over"]:
        over, under = int(found["over"]), int(found["under"])
        if over < under and gcd(over, under) == 1:
            return int(found["whole"] or 0) + over / under
        return float(over * under)
    number = _number(found["number"])
    # "30-39 CT" and "80/88 CT" are grades: from so many to so many.
    if found["sign"] == "-" or (found["sign"] == "/" and _UNIT[found["unit"]][0] == PIECES):
        return None
    return number * _number(found["times"]) if found["times"] else number


def _number(text: str) -> float:
    """A comma before exactly three digits parts thousands, any other one fractions."""
    return float(re.sub(r",(?=\d{3}$)", "", text).replace(",", "."))
