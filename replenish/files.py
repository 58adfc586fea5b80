"""Files in and out: Parquet or CSV on one side, the engine's columns on the other.

Bad input is refused with the file, the row, the column and the mend; gaps that any export has (a purchase by nobody
known, goods without a category) are left out or unknown, and told of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from replenish.packages import package_size
from replenish.types import WINDOW, Floats, Forecasts, Ints, Purchases

NOT_GOODS = (
    "FUEL",
    "MISCELLANEOUS",
    "COUPON",
    "CNTRL/STORE SUP",
    "POSTAL CENTER",
    "PHOTO & VIDEO",
    "PROD-WHS SALES",
    "GM MERCH EXP",
    "RESTAURANT",
    "TRAVEL & LEISURE",
)
"""Departments whose lines are no goods."""

KEY = ["customer_id", "product_id"]
NEEDED = [*KEY, "purchased_at", "quantity"]
BASKETS = ("basket_index", "order_number")
"""Either of them may stand for purchased_at: 1, 2, 3 ... of each customer's baskets."""

OPTIONAL = ("department", "category", "subcategory", "package_size", "price")

EPOCH = dt.date(1970, 1, 1)

LAST_BASKET = 0
"""The day that stands for every customer's latest basket where baskets are counted instead of days."""


class InputError(Exception):
    """What the command was given cannot be used; the message says what, where and how to mend it."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What the engine's numbers stand for: themselves where ``known`` is None, else the place among ``known``."""

    known: pl.Series | None

    @classmethod
    def of(cls, values: pl.Series) -> Identifiers:
        """Whole numbers keep their own value, any other identifiers are numbered in the order of their texts."""
        return cls(None if values.dtype == pl.Int64 else values.unique().sort())

    def codes(self, values: pl.Series) -> Ints:
        """-1 for whatever is not known."""
        values = _identifiers(values)
        if self.known is None:
            return values.cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
        index = pl.DataFrame({"value": self.known}).with_row_index("code")
        asked = pl.DataFrame({"value": values.cast(pl.String)})
        found = asked.join(index, on="value", how="left", maintain_order="left")
        return found["code"].cast(pl.Int64).fill_null(-1).to_numpy()


@dataclass(frozen=True, slots=True)
class History:
    """Lines of goods as the engine reads them. ``in_baskets``: days are baskets, see ``LAST_BASKET``.

    ``categories``: names by category number. ``left_out``: how many lines were left out, by reason.
    """

    purchases: Purchases
    customers: Identifiers
    products: Identifiers
    categories: list[str]
    in_baskets: bool
    left_out: dict[str, int]


def read_history(path: Path) -> History:
    """Purchase lines: customer_id, product_id, quantity, and purchased_at (a date, or a local time) or one of
    ``BASKETS``; price (paid for the whole line) and the other ``OPTIONAL`` columns are used where they are there.

    Raises InputError for what cannot be read.
    """
    frame = _read(path, NEEDED, OPTIONAL)
    try:
        return history(frame)
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from None


def read_requests(path: Path) -> pl.DataFrame:
    """The distinct pairs asked for, in their order. Raises InputError for what cannot be read."""
    frame = _read(path, KEY, ()).select(KEY)
    for name in KEY:
        _refuse(frame[name], frame[name].is_null(), f"{path}: ", "has no value: fill it in or leave the row out")
    return frame.unique(maintain_order=True)


def history(frame: pl.DataFrame) -> History:
    """The same from a table with the columns of ``read_history``."""
    when = (
        "purchased_at" if "purchased_at" in frame.columns else next(name for name in BASKETS if name in frame.columns)
    )
    frame = frame.with_columns(
        *(_identifiers(frame[name]) for name in KEY),
        _days(frame[when]) if when == "purchased_at" else _baskets(frame[when]),
        _numbers(frame["quantity"]),
        *(_numbers(frame[name]) for name in ("price",) if name in frame.columns),
    )
    left_out = {}
    for reason, stays in _filters(frame, when):
        kept = frame.filter(stays)
        left_out[reason] = frame.height - kept.height
        frame = kept
    if frame.is_empty():
        raise InputError("there is no purchase in it" + told(left_out))
    if when in BASKETS:
        # Everybody's latest basket is today: what counts is how many baskets ago something was bought.
        frame = frame.with_columns(pl.col(when) - pl.col(when).max().over("customer_id") + LAST_BASKET)
    customers, products = (Identifiers.of(frame[name]) for name in KEY)
    quantity = frame["quantity"].to_numpy()
    product = products.codes(frame["product_id"])
    need, _ = _labels(frame, "subcategory")
    category, categories = _labels(frame, "category")
    purchases = Purchases.from_columns(
        customer=customers.codes(frame["customer_id"]),
        product=product,
        day=frame[when].to_numpy(),
        quantity=quantity,
        need=need,
        category=category,
        size=sizes(frame, product if need is None else np.where(need >= 0, need, -2 - product)),
        price=_prices(frame, quantity),
    )
    return History(purchases, customers, products, categories, when in BASKETS, left_out)


def told(left_out: dict[str, int]) -> str:
    """How many lines were left out and why, in brackets; nothing where none was."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    return f" (left out: {reasons})" if reasons else ""


def answers(found: Forecasts, cutoff: dt.date | None) -> pl.DataFrame:
    """Forecasts as a table, by the engine's numbers ``customer`` and ``product``; in baskets where there is no
    ``cutoff``."""
    near = {"expected": found.median_days, "lower": found.lower_days, "upper": found.upper_days}
    if cutoff is None:
        dates = {f"{name}_in": pl.Series(days) for name, days in near.items()}
    else:
        dates = {"cutoff": pl.repeat(cutoff, len(found), eager=True)}
        dates |= {f"{name}_at": pl.Series(_moments(days, cutoff)) for name, days in near.items()}
    chances = {"p7": found.p7, "p14": found.p14, "p28": found.p28, "score": found.score}
    return pl.DataFrame({"customer": found.customer, "product": found.product, **dates, **chances})


def sizes(frame: pl.DataFrame, need: Ints) -> Floats | None:
    """Contents of one pack by line of ``frame``, in the dimension most lines of its ``need`` are told in; nan where
    it is not told in that one. None without a column package_size."""
    if "package_size" not in frame.columns:
        return None
    values = frame["package_size"]
    if values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    texts = values.cast(pl.String).unique().drop_nulls()
    read = [(text, *(package_size(text) or (None, None))) for text in texts]
    sizes = pl.DataFrame(read, schema={"text": pl.String, "size": pl.Float64, "dimension": pl.String}, orient="row")
    lines = pl.DataFrame({"need": need, "text": values.cast(pl.String)}).join(
        sizes, on="text", how="left", maintain_order="left"
    )
    usual = lines.drop_nulls("dimension").group_by("need", "dimension").len()
    usual = usual.sort("need", "len", "dimension", descending=[False, True, False]).unique(
        "need", keep="first", maintain_order=True
    )
    lines = lines.join(usual.select("need", usual="dimension"), on="need", how="left", maintain_order="left")
    alike = pl.when(pl.col("dimension") == pl.col("usual")).then("size")
    return lines.select(alike.fill_null(np.nan)).to_series().to_numpy()


def write(frame: pl.DataFrame, path: Path) -> None:
    """As CSV, JSON or Parquet, whatever the name ends in."""
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".json":
        frame.write_json(path)
    else:
        frame.write_parquet(path)


# ---------------------------------------------------------------- columns
def _read(path: Path, needed: Sequence[str], optional: Sequence[str]) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(f"{path} is not there")
    # Texts of a CSV stay texts until we look at them: a guess would eat the zeros of 00123.
    csv = path.name.endswith((".csv", ".csv.gz"))
    try:
        table = pl.scan_csv(path, infer_schema=False) if csv else pl.scan_parquet(path)
        names = table.collect_schema().names()
        _complain(path, names, needed, optional)
        wanted = [*needed, *optional, *(BASKETS if "purchased_at" in needed else ())]
        return table.select(name for name in wanted if name in names).collect()
    except pl.exceptions.PolarsError as problem:
        kind = "CSV" if csv else "Parquet"
        raise InputError(f"{path} is not a {kind} file (one that ends in .csv is read as CSV): {problem}") from problem


def _complain(path: Path, names: list[str], needed: Sequence[str], optional: Sequence[str]) -> None:
    instead = dict.fromkeys(BASKETS, "purchased_at")
    missing = set(needed) - set(names) - {instead.get(name) for name in names}
    if not missing:
        return
    wanted = ", ".join(needed).replace("purchased_at", f"purchased_at (or {' or '.join(BASKETS)})")
    if optional:
        wanted += f"; {', '.join(optional)} are used where they are there"
    raise InputError(
        f"{path} has no column {', '.join(name for name in needed if name in missing)}. It has: {', '.join(names)}. "
        f"Wanted are {wanted}: rename yours"
    )


def _filters(frame: pl.DataFrame, when: str) -> Iterator[tuple[str, pl.Expr]]:
    """Why a line is left out, and which ones stay."""
    for name in (one for one in (*KEY, when, "quantity") if frame[one].null_count()):
        yield f"without {name}", pl.col(name).is_not_null()
    if "department" in frame.columns and frame["department"].null_count() < frame.height:
        yield "of no goods", pl.col("department").is_not_null() & ~pl.col("department").is_in(NOT_GOODS)


def _identifiers(values: pl.Series) -> pl.Series:
    """Whole numbers as such, anything else as text; what a spreadsheet made of whole numbers, too."""
    if values.dtype.is_float():
        whole = values.fill_nan(None)
        _refuse(values, whole != whole.round(), "", "is no identifier: write a whole number or a text")
        values = whole.cast(pl.Int64)
    if values.dtype.is_integer():
        numbers = values.cast(pl.Int64, strict=False)
        if numbers.null_count() == values.null_count():
            return numbers
    return values.cast(pl.String).replace("", None)


def _days(values: pl.Series) -> pl.Series:
    """Local calendar days since 1970-01-01."""
    if values.dtype == pl.String:
        found = values.str.slice(0, 10).str.replace_all("/", "-").str.to_date("%Y-%m-%d", strict=False)
        bad = found.is_null() & values.is_not_null() & (values != "")
        _refuse(values, bad, "", "is no date: write it as 2017-01-31, or 2017-01-31 18:05")
    elif values.dtype in (pl.Date, pl.Datetime):
        found = values.cast(pl.Date) if values.dtype == pl.Date else values.dt.date()
    else:
        raise InputError(f"purchased_at holds {values.dtype}: write dates as 2017-01-31, or 2017-01-31 18:05")
    return found.cast(pl.Int32).alias(values.name)


def _baskets(values: pl.Series) -> pl.Series:
    found = _numbers(values)
    bad = (found < 0) | (found != found.round()) | (found >= 2**31)
    _refuse(values, bad, "", "is no place in a row of baskets: number each customer's baskets 1, 2, 3 ...")
    return found.cast(pl.Int32)


def _numbers(values: pl.Series) -> pl.Series:
    found = (values.replace("", None) if values.dtype == pl.String else values).cast(pl.Float64, strict=False)
    bad = (found.is_null() & values.is_not_null() & (values.cast(pl.String) != "")) | found.is_infinite()
    _refuse(values, bad, "", "is no number: write it with digits and a point, such as 1.5")
    return found.fill_nan(None)


def _refuse(values: pl.Series, bad: pl.Series, before: str, mend: str) -> None:
    row = bad.fill_null(False).arg_true()
    if len(row):
        more = f" (and {len(row) - 1} rows more)" if len(row) > 1 else ""
        said = values[row[0]]
        what = "" if said is None else f" {said!r}"
        raise InputError(f"{before}row {row[0] + 1}, {values.name}{what} {mend}{more}")


def _labels(frame: pl.DataFrame, column: str) -> tuple[Ints | None, list[str]]:
    """A number for every line, -1 where there is none, and the names they stand for."""
    if column not in frame.columns:
        return None, []
    values = frame[column].cast(pl.String).replace("", None)
    known = values.drop_nulls().unique().sort()
    return Identifiers(known).codes(values), known.to_list()


def _prices(frame: pl.DataFrame, quantity: Floats) -> Floats | None:
    """Paid for one pack; the file tells what was paid for the line. Unknown where nothing was bought."""
    if "price" not in frame.columns:
        return None
    paid = frame["price"].fill_null(np.nan).to_numpy()
    return np.divide(paid, quantity, out=np.full(len(paid), np.nan), where=quantity != 0)


def _moments(days: Floats, cutoff: dt.date) -> NDArray[np.datetime64]:
    """``days`` after the cut-off, no further than the window they are given for."""
    micros = np.rint(np.clip(days, 0.0, WINDOW) * 86_400_000_000).astype("timedelta64[us]")
    moments: NDArray[np.datetime64] = np.datetime64(cutoff, "us") + micros
    return moments
