"""Forecasts for requested pairs, and how good they would have been: files in, files out.

A history is Parquet or CSV (.csv, .csv.gz) with one line for each article bought: customer_id, product_id,
purchased_at (a date or a local time), quantity (below zero: given back); used where they are there: price (paid for the
whole line), department, category, subcategory (what the product is for), package_size ("16 OZ", "6 x 330 ml"). Lines
of one day and pair are one purchase. A history that knows no dates may have order_number or basket_index (1, 2, 3 ...
for each customer) instead of purchased_at: then every basket counts as a day, and all answers are in baskets.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from tqdm import tqdm

from replenish import KINDS, bulk, fit, forecast
from replenish.backtest import contenders, cutoffs_for, follow_up_for, replay
from replenish.files import (
    EPOCH,
    KEY,
    LAST_BASKET,
    History,
    InputError,
    answers,
    read_history,
    read_requests,
    told,
    write,
)
from replenish.picture import picture
from replenish.report import records, table, winner
from replenish.types import WINDOW

SHARD = 500
"""Customers forecast at a time: keeps memory flat and progress visible."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when its answers are written, 2 with a message on stderr when the input is wrong."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (InputError, OSError) as problem:
        sys.stderr.write(f"replenish: {problem}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m replenish", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "forecast",
        help="forecast requested pairs at the end of a day",
        description="Gives customer_id, product_id, cutoff, expected_at, lower_at, upper_at (50, 10 and 90 % "
        "quantile of the next purchase given that it comes within 56 days), p7, p14, p28 (chance of buying within so "
        "many days), score (higher first on the list). Where the history counts baskets: expected_in, lower_in and "
        "upper_in (numbers of baskets) instead of dates, p7 within 7 baskets ..., no cutoff.",
    )
    command.add_argument("--history", type=Path, required=True, help="purchase lines (Parquet or CSV)")
    command.add_argument("--requests", type=Path, required=True, help="customer_id, product_id (Parquet or CSV)")
    command.add_argument("--cutoff", type=_date, help="last day that may be seen, YYYY-MM-DD; not where baskets count")
    command.add_argument("--out", type=Path, required=True, help="where the forecasts go (Parquet, or CSV by its name)")
    command.add_argument("--kind", choices=KINDS, default=KINDS[-1], help=f"kind of model ({KINDS[-1]})")
    command.set_defaults(run=_forecast)

    command = commands.add_parser(
        "fit",
        help="fit a model and store it",
        description="Stores a model and the names its numbers stand for; score uses it until the next one is fitted.",
    )
    command.add_argument("--history", type=Path, required=True, help="purchase lines (Parquet)")
    command.add_argument("--cutoff", type=_date, required=True, help="last day that may be seen, YYYY-MM-DD")
    command.add_argument("--kind", choices=KINDS, default=KINDS[-1], help=f"kind of model ({KINDS[-1]})")
    command.add_argument("--out", type=Path, required=True, help="where the model goes")
    command.set_defaults(run=_fit)

    command = commands.add_parser(
        "score",
        help="forecast every pair of a shop with a stored model",
        description="Writes the columns of forecast for every pair bought by the cut-off, by customer and best first. "
        "The memory it takes hardly grows with the history.",
    )
    command.add_argument("--history", type=Path, required=True, help="purchase lines (Parquet)")
    command.add_argument("--model", type=Path, required=True, help="a model that fit has stored")
    command.add_argument("--cutoff", type=_date, required=True, help="last day that may be seen, YYYY-MM-DD")
    command.add_argument("--out", type=Path, required=True, help="where the forecasts go (Parquet)")
    command.set_defaults(run=_score)

    command = commands.add_parser(
        "backtest",
        help="replay past days and judge what the models would have said",
        description="Fits every model on what was known at each cut-off and judges it by what happened then: dates "
        "(mae_days ... width80_days), chances within 7, 14 and 28 days, reminders, and the first ten of the list.",
    )
    command.add_argument("history", type=Path, help="purchase lines (Parquet or CSV)")
    command.add_argument("--cutoffs", type=_dates, help="days to look ahead from, such as 2026-01-31,2026-02-28")
    command.add_argument("--count", type=_positive, default=3, help="how many cut-offs, where they are not given (3)")
    command.add_argument("--follow-up", type=_positive, help="days seen after a cut-off (56, fewer in a short history)")
    command.add_argument("--models", type=_names, help="such as light,full,atd (all there are)")
    command.add_argument("--out", type=Path, help="the whole table with cut-offs and segments, .csv or .json")
    command.add_argument("--picture", type=Path, help="what was said against what was seen, .svg")
    command.set_defaults(run=_backtest)
    return parser


def _forecast(options: argparse.Namespace) -> None:
    history = _history(options.history)
    if history.in_baskets and options.cutoff:
        raise InputError(f"{options.history} counts baskets, which have no date: leave out --cutoff")
    if not history.in_baskets and not options.cutoff:
        raise InputError("--cutoff is needed: the last day that may be seen, such as 2026-01-31")
    found = predict(history, read_requests(options.requests), options.cutoff, kind=options.kind)
    write(found, options.out)
    sys.stderr.write(f"{found.height} forecasts written to {options.out}\n")


def predict(history: History, requests: pl.DataFrame, cutoff: dt.date | None, *, kind: str = KINDS[-1]) -> pl.DataFrame:
    """One row for each distinct requested pair, as the command's help says; ``cutoff`` is None where baskets count.

    Raises InputError for a wanted pair that was never bought until then.
    """
    as_of = LAST_BASKET if cutoff is None else (cutoff - EPOCH).days
    lines = history.purchases
    model = fit(lines, as_of=as_of, kind=kind)
    wanted = requests.select(
        *KEY,
        customer=history.customers.codes(requests["customer_id"]),
        product=history.products.codes(requests["product_id"]),
    )
    asked = wanted["customer"].unique().sort().to_numpy()
    shards = np.array_split(asked, max(1, -(-len(asked) // SHARD)))
    by_customer = np.argsort(lines.customer, kind="stable")
    sorted_customer = lines.customer[by_customer]
    found = []
    for shard in tqdm(shards, desc="forecast", unit="shard", disable=not sys.stderr.isatty()):
        start, stop = np.searchsorted(sorted_customer, [shard[0], shard[-1] + 1]) if len(shard) else (0, 0)
        found.append(answers(forecast(model, lines.take(by_customer[start:stop]), as_of=as_of), cutoff))
    paired = wanted.join(pl.concat(found), on=["customer", "product"], how="left", maintain_order="left")
    missing = paired.filter(pl.col("score").is_null())
    if missing.height:
        first = missing.row(0, named=True)
        raise InputError(
            f"{missing.height} requested pairs were never bought until {cutoff or 'now'}, the first of them: "
            f"customer {first['customer_id']}, product {first['product_id']}"
        )
    return paired.drop("customer", "product")


def _fit(options: argparse.Namespace) -> None:
    stored = bulk.fit(options.history, cutoff=options.cutoff, kind=options.kind)
    options.out.write_bytes(stored)
    sys.stderr.write(f"{options.kind} model of {len(stored):,} bytes written to {options.out}\n")


def _score(options: argparse.Namespace) -> None:
    try:
        fitted = bulk.load(options.model.read_bytes())
    except ValueError as problem:
        raise InputError(f"{options.model}: {problem}") from None
    count = bulk.score(fitted, options.history, options.out, cutoff=options.cutoff)
    sys.stderr.write(f"{count} forecasts written to {options.out}\n")


def _backtest(options: argparse.Namespace) -> None:
    history = _history(options.history)
    try:
        models = contenders(options.models)
    except ValueError as problem:
        raise InputError(f"--models: {problem}") from None
    lines = history.purchases
    follow_up = options.follow_up or _follow_up(history)
    if options.cutoffs and history.in_baskets:
        raise InputError(f"{options.history} counts baskets, which have no date: give --count instead of --cutoffs")
    if options.cutoffs:
        cutoffs = tuple((day - EPOCH).days for day in options.cutoffs)
        room = int(lines.day.max()) - max(cutoffs)
        if room < 1:
            raise InputError(f"nothing in {options.history} comes after {max(options.cutoffs)}: take an earlier day")
        if options.follow_up is None:
            follow_up = min(room, WINDOW)
        elif room < follow_up:
            raise InputError(
                f"only {room} days follow {max(options.cutoffs)}: take an earlier day, or --follow-up {room}"
            )
    else:
        cutoffs = cutoffs_for(lines, count=options.count, follow_up=follow_up)
    with tqdm(total=len(models) * len(cutoffs), desc="backtest", disable=not sys.stderr.isatty()) as bar:

        def done(contender: str, cutoff: int) -> None:
            bar.update()
            bar.set_postfix_str(f"{contender} at {_day(cutoff, history)}")

        rows = replay(
            models, lines, cutoffs=cutoffs, follow_up=follow_up, category_names=history.categories, progress=done
        )
    if not rows:
        raise InputError(
            f"{options.history} cannot judge anything yet: no pair was bought on two days before a cut-off"
        )
    name = partial(_day, history=history)
    sys.stdout.write(f"{table(rows, name)}\n{winner(rows)}")
    if options.out:
        write(records(rows, name), options.out)
    if options.picture:
        options.picture.write_text(picture(rows), encoding="utf-8")


def _follow_up(history: History) -> int:
    lines = history.purchases
    if history.in_baskets:
        # What the usual customer's history has room for: some have many more baskets than all others.
        customers, customer = np.unique(lines.customer, return_inverse=True)
        first = np.zeros(len(customers))
        np.minimum.at(first, customer, lines.day)
        lines = lines.take(lines.day >= np.median(first))
    return follow_up_for(lines)


def _history(path: Path) -> History:
    found = read_history(path)
    sys.stderr.write(f"{len(found.purchases)} lines read from {path}{told(found.left_out)}\n")
    return found


def _day(number: int, history: History) -> str:
    if history.in_baskets:
        return f"{LAST_BASKET - number} baskets ago"
    return (EPOCH + dt.timedelta(days=number)).isoformat()


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-01-31") from None


def _dates(text: str) -> list[dt.date]:
    return [_date(one) for one in text.split(",")]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
