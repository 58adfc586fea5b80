"""``python -m replenish forecast``: forecasts for requested pairs, from Parquet to Parquet."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tqdm import tqdm

from replenish import Forecasts, Purchases, fit, forecast
from replenish.types import WINDOW

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
EPOCH = dt.date(1970, 1, 1)

SHARD = 500
"""Customers forecast at a time: keeps memory flat and progress visible."""


class InputError(Exception):
    """What the command was given cannot be used; the message says what and why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when the forecasts are written, 2 with a message on stderr when the input is wrong."""
    parser = argparse.ArgumentParser(prog="python -m replenish", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("forecast", help="forecast requested pairs at the end of a day")
    command.add_argument("--history", type=Path, required=True, help="purchase lines (Parquet)")
    command.add_argument("--requests", type=Path, required=True, help="customer_id, product_id (Parquet)")
    command.add_argument("--cutoff", type=_date, required=True, help="last day that may be seen, YYYY-MM-DD")
    command.add_argument("--out", type=Path, required=True, help="where the forecasts go (Parquet)")
    options = parser.parse_args(arguments)
    try:
        history = _read(options.history, NEEDED)
        requests = _read(options.requests, KEY)
        answers = predict(history, requests, options.cutoff)
        answers.write_parquet(options.out)
    except (InputError, OSError) as problem:
        sys.stderr.write(f"replenish: {problem}\n")
        return 2
    sys.stderr.write(f"{answers.height} forecasts written to {options.out}\n")
    return 0


def predict(history: pl.DataFrame, requests: pl.DataFrame, cutoff: dt.date) -> pl.DataFrame:
    """One row for each distinct requested pair: customer_id, product_id, cutoff, expected_at, lower_at,
    upper_at, p7, p14, p28, score.

    ``history`` needs customer_id, product_id, purchased_at (local date or time) and quantity; department,
    category and subcategory are used where they are there. Lines of no goods do not count. Raises InputError for
    a wanted pair that was never bought until ``cutoff``.
    """
    as_of = (cutoff - EPOCH).days
    lines, customers, products = _purchases(history)
    model = fit(lines, as_of=as_of)
    wanted = requests.select(KEY).unique(maintain_order=True)
    asked = np.unique(_codes(wanted["customer_id"], customers))
    shards = np.array_split(asked, max(1, -(-len(asked) // SHARD)))
    by_customer = np.argsort(lines.customer, kind="stable")
    sorted_customer = lines.customer[by_customer]
    found = []
    for shard in tqdm(shards, desc="forecast", unit="shard", disable=not sys.stderr.isatty()):
        start, stop = np.searchsorted(sorted_customer, [shard[0], shard[-1] + 1]) if len(shard) else (0, 0)
        mine = by_customer[start:stop]
        found.append(_frame(forecast(model, lines.take(mine), as_of=as_of), customers, products, cutoff))
    answers = wanted.join(pl.concat(found), on=KEY, how="left", maintain_order="left")
    missing = answers.filter(pl.col("score").is_null())
    if missing.height:
        first = missing.row(0, named=True)
        raise InputError(
            f"{missing.height} requested pairs were never bought until {cutoff}, the first of them: "
            f"customer {first['customer_id']}, product {first['product_id']}"
        )
    return answers


def _purchases(history: pl.DataFrame) -> tuple[Purchases, pl.Series, pl.Series]:
    """Lines of goods as the engine reads them, and the identifiers its customers and products stand for."""
    if "department" in history.columns:
        goods = pl.col("department").is_not_null() & ~pl.col("department").is_in(NOT_GOODS)
        history = history.filter(goods)
    history = history.drop_nulls(NEEDED)
    customers, products = (history[name].unique().sort() for name in KEY)
    lines = Purchases.from_columns(
        customer=_codes(history["customer_id"], customers),
        product=_codes(history["product_id"], products),
        day=history["purchased_at"].cast(pl.Date).cast(pl.Int32).to_numpy(),
        quantity=history["quantity"].to_numpy(),
        need=_labels(history, "subcategory"),
        category=_labels(history, "category"),
    )
    return lines, customers, products


def _codes(values: pl.Series, known: pl.Series) -> np.ndarray[Any, Any]:
    """The place of each value among ``known`` (sorted); -1 where it is not one of them."""
    index = pl.DataFrame({"value": known}).with_row_index("code")
    found = pl.DataFrame({"value": values.cast(known.dtype)}).join(index, on="value", how="left", maintain_order="left")
    return found["code"].cast(pl.Int64).fill_null(-1).to_numpy()


def _labels(history: pl.DataFrame, column: str) -> np.ndarray[Any, Any] | None:
    if column not in history.columns:
        return None
    return _codes(history[column], history[column].drop_nulls().unique().sort())


def _frame(found: Forecasts, customers: pl.Series, products: pl.Series, cutoff: dt.date) -> pl.DataFrame:
    columns = {
        "customer_id": customers.gather(found.customer),
        "product_id": products.gather(found.product),
        "cutoff": pl.repeat(cutoff, len(found), eager=True),
        "expected_at": _moments(found.median_days, cutoff),
        "lower_at": _moments(found.lower_days, cutoff),
        "upper_at": _moments(found.upper_days, cutoff),
        "p7": found.p7,
        "p14": found.p14,
        "p28": found.p28,
        "score": found.score,
    }
    return pl.DataFrame(columns)


def _moments(days: np.ndarray[Any, Any], cutoff: dt.date) -> np.ndarray[Any, Any]:
    """``days`` after the cut-off, no further than the window they are given for."""
    micros = np.rint(np.clip(days, 0.0, WINDOW) * 86_400_000_000).astype("timedelta64[us]")
    moments: np.ndarray[Any, Any] = np.datetime64(cutoff, "us") + micros
    return moments


def _read(path: Path, needed: list[str]) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(f"{path} is not there")
    try:
        frame = pl.read_parquet(path)
    except pl.exceptions.PolarsError as problem:
        raise InputError(f"{path} is not a Parquet file: {problem}") from problem
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}")
    return frame


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-01-31") from None


if __name__ == "__main__":
    sys.exit(main())
