"""How right is the engine? Every kind of model and every baseline on the same cut-offs, judged by what came after.

    python -m benchmarks.accuracy FOLDER

FOLDER holds one folder for each cut-off, named by its date:

    2026-01-31/history.parquet    what may be seen at the end of that day, as ``python -m replenish forecast`` takes it
    2026-01-31/requests.parquet   customer_id, product_id: the pairs that are asked
    2026-01-31/truth.parquet      customer_id, product_id, days (from the cut-off to the next purchase, null: not within
                                  eight weeks), in_next_basket (of the customer)

A model is fitted at each cut-off on its history alone. The figures are pooled over the cut-offs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from tqdm import tqdm

from replenish.backtest import Contender, contenders
from replenish.files import EPOCH, InputError, read_history, read_requests
from replenish.metrics import coverage, ece, log_loss, mae, ndcg_at, pinball, pr_auc, recall_at, roc_auc
from replenish.types import WINDOW

COLUMNS = ("p14", "median_days", "lower_days", "upper_days", "score")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="cut-offs with what was known and what came after")
    parser.add_argument("--models", type=lambda text: text.split(","), help="such as light,atd (all there are)")
    parser.add_argument("--json", type=Path, help="the table for machines")
    options = parser.parse_args(arguments)
    cutoffs = sorted(path.parent for path in options.folder.glob("*/truth.parquet"))
    if not cutoffs:
        parser.error(f"there is no cut-off in {options.folder}: no */truth.parquet")
    models = contenders(options.models)
    found: dict[str, list[pl.DataFrame]] = {model.name: [] for model in models}
    with tqdm(total=len(cutoffs) * len(models), disable=not sys.stderr.isatty()) as bar:
        for cutoff in cutoffs:
            for model, answered in ask(models, cutoff):
                found[model].append(answered)
                bar.update()
                bar.set_postfix_str(f"{model} at {cutoff.name}")
    table = {model: figures(pl.concat(frames)) for model, frames in found.items()}
    print(f"{'':<24}" + "".join(f"{name:>12}" for name in next(iter(table.values()))))
    for model, row in table.items():
        texts = (f"{value:,}" if isinstance(value, int) else f"{value:.4f}" for value in row.values())
        print(f"{model:<24}" + "".join(f"{text:>12}" for text in texts))
    if options.json:
        options.json.write_text(json.dumps(table, indent=1) + "\n")
    return 0


def ask(models: list[Contender], cutoff: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """For each model: the pairs of one cut-off with what was said and what happened."""
    day = dt.date.fromisoformat(cutoff.name)
    history = read_history(cutoff / "history.parquet")
    asked = read_requests(cutoff / "requests.parquet")
    truth = asked.join(pl.read_parquet(cutoff / "truth.parquet"), on=["customer_id", "product_id"], how="left")
    truth = truth.select(
        pl.lit(day).alias("cutoff"),
        pl.col("days").cast(pl.Float64).fill_null(np.inf),
        "in_next_basket",
        customer=history.customers.codes(truth["customer_id"]),
        product=history.products.codes(truth["product_id"]),
    )
    as_of = (day - EPOCH).days
    for model in models:
        fitted = model.fit(history.purchases, as_of=as_of)
        said = dict(model.forecast(fitted, history.purchases, as_of=as_of).columns())
        frame = pl.DataFrame({name: said[name] for name in ("customer", "product", *COLUMNS)})
        answered = truth.join(frame, on=["customer", "product"], how="left")
        if answered["score"].null_count():
            raise InputError(f"{model.name} has no answer for {answered['score'].null_count()} pairs of {day}")
        yield model.name, answered


def figures(judged: pl.DataFrame) -> dict[str, float]:
    """Dates by those who came back within the window, chances by everybody, the list by the next basket."""
    back = judged.filter(pl.col("days") <= WINDOW)
    days, median, lower, upper = (back[name].to_numpy() for name in ("days", "median_days", "lower_days", "upper_days"))
    losses = [pinball(days, said, level) for level, said in ((0.1, lower), (0.5, median), (0.9, upper))]
    soon, chance = (judged["days"] <= 14).to_numpy(), judged["p14"].to_numpy()
    group = judged.select(pl.struct("cutoff", "customer").rank("dense")).to_series().to_numpy()
    listed = (group, judged["product"].to_numpy(), judged["score"].to_numpy(), judged["in_next_basket"].to_numpy())
    return {
        "pairs": judged.height,
        "MAE": mae(days, median),
        "pinball": sum(losses) / 3,
        "cover 80": coverage(days, lower, upper),
        "ROC 14": roc_auc(soon, chance),
        "PR 14": pr_auc(soon, chance),
        "logloss 14": log_loss(soon, chance),
        "ECE 14": ece(soon, chance),
        "recall@10": recall_at(10, *listed),
        "NDCG@10": ndcg_at(10, *listed),
    }


if __name__ == "__main__":
    sys.exit(main())
