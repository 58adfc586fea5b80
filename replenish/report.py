"""What a back-test found, for people: a table, records for a spreadsheet, a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import polars as pl

from replenish.backtest import ALL, LISTED, Row, days_judged, verdict

OF_CUTOFF = ("pairs", "logloss14", "pr_auc14", "ece14", "mae_days", "coverage80", f"ndcg{LISTED}")
OF_SEGMENT = ("pairs", "base14", "said14", "ece14", "logloss14")

COUNTS = ("pairs", "rank_customers", "rank_customers_all", "reminder14_n_p50")

DayName = Callable[[int], str]


def table(rows: Sequence[Row], name: DayName) -> str:
    """A column a model, a line a figure: all cut-offs together, each of them, and the segments said against seen.

    What is defined for no model is left out.
    """
    models = list(dict.fromkeys(row.contender for row in rows))
    blocks = dict.fromkeys((row.cutoff, row.segment) for row in rows)
    lines = [["", *models]]
    figures: Sequence[str]
    for cutoff, segment in sorted(blocks, key=lambda block: (block[1] != ALL, block[0] is not None)):
        some = [row for row in rows if (row.cutoff, row.segment) == (cutoff, segment)]
        if segment != ALL:
            title, figures = segment, OF_SEGMENT
        elif cutoff is not None:
            title, figures = name(cutoff), OF_CUTOFF
        else:
            title, figures = f"all cut-offs, follow-up {some[0].follow_up}", list(some[0].figures)
        lines += [[], [title]]
        for figure in figures:
            values = [row.figures[figure] for row in some]
            if not all(map(math.isnan, values)):
                lines.append([f"  {figure}", *(_written(figure, value) for value in values)])
    left = max(len(line[0]) for line in lines if line)
    widths = [max(10, len(model)) + 2 for model in models]
    text = ""
    for label, *cells in (line or [""] for line in lines):
        text += "".join([label.ljust(left), *(c.rjust(w) for c, w in zip(cells, widths, strict=False))]).rstrip() + "\n"
    return text


def winner(rows: Sequence[Row]) -> str:
    """The model of least log loss, and whether it passes the ``verdict`` against all the others."""
    loss = f"logloss{days_judged(rows[0].follow_up)}"
    pooled = {row.contender: row.figures[loss] for row in rows if row.cutoff is None and row.segment == ALL}
    best = min(pooled, key=lambda name: pooled[name])
    found = verdict(rows, best, [name for name in pooled if name != best])
    behind = [f"{one.figure} behind {one.rival}" for one in found.comparisons if not one.passed]
    if behind:
        return f"{best} has the least {loss}, but does not beat all others: {', '.join(behind)}\n"
    return f"{best} has the least {loss}" + (" and beats all others\n" if found.passed else "\n")


def records(rows: Sequence[Row], name: DayName) -> pl.DataFrame:
    """One record a row, one column a figure, empty where it is not defined; pooled rows have the cut-off "all"."""
    found = [
        {
            "contender": row.contender,
            "cutoff": ALL if row.cutoff is None else name(row.cutoff),
            "segment": row.segment,
            "follow_up": row.follow_up,
            **{figure: None if math.isnan(value) else value for figure, value in row.figures.items()},
        }
        for row in rows
    ]
    about = {"contender": pl.String, "cutoff": pl.String, "segment": pl.String, "follow_up": pl.Int64}
    figures = dict.fromkeys((figure for row in rows for figure in row.figures), pl.Float64)
    return pl.DataFrame(found, schema={**about, **figures})


def _written(figure: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if figure in COUNTS else f"{value:.4f}"
