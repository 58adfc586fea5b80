import math

import polars as pl

from replenish.backtest import ALL, Row
from replenish.report import records, table, winner


def row(contender: str, loss: float, *, cutoff: int | None = None, segment: str = ALL) -> Row:
    names = ("base14", "said14", "pr_auc14", "ece14", "mae_days", "coverage80", "ndcg10")
    figures = {"pairs": 120.0, "logloss14": loss, **dict.fromkeys(names, math.nan)}
    return Row(contender, cutoff, segment, 56, figures)


ROWS = [
    row(name, loss, cutoff=cutoff, segment=segment)
    for name, loss in (("light", 0.25), ("atd", 0.31234567))
    for cutoff, segment in ((None, ALL), (None, "purchases 2"), (7, ALL))
]


def test_a_table_has_a_column_a_model_and_a_block_a_cutoff_and_segment():
    head, *rest = table(ROWS, lambda day: f"day {day}").splitlines()
    assert head.split() == ["light", "atd"]
    assert [line for line in rest if line and not line.startswith(" ")] == [
        "all cut-offs, follow-up 56",
        "day 7",
        "purchases 2",
    ]
    assert [line.split() for line in rest if "logloss14" in line] == [["logloss14", "0.2500", "0.3123"]] * 3


def test_what_is_not_defined_is_a_dash_or_left_out_and_counts_are_whole():
    rows = [row("light", 0.25), row("atd", math.nan)]
    lines = [line.split() for line in table(rows, str).splitlines()]
    assert ["logloss14", "0.2500", "-"] in lines
    assert ["pairs", "120", "120"] in lines
    assert not [line for line in lines if "mae_days" in line]


def test_columns_stand_under_each_other():
    lines = [line for line in table(ROWS, str).splitlines() if line.startswith("  ")]
    assert len({len(line) for line in lines}) == 1


def test_records_leave_empty_what_is_not_defined():
    found = records(ROWS, lambda day: f"day {day}")
    assert found["cutoff"].to_list() == ["all", "all", "day 7"] * 2
    assert found["logloss14"].to_list()[:1] == [0.25]
    assert found["mae_days"].null_count() == found.height
    assert found["mae_days"].dtype == pl.Float64


def test_the_best_model_is_named():
    assert winner(ROWS) == "light has the least logloss14 and beats all others\n"


def test_what_the_best_is_behind_in_is_told():
    rows = [row("light", 0.25), row("atd", 0.3)]
    rows[0].figures["ndcg10"], rows[1].figures["ndcg10"] = 0.3, 0.4
    assert winner(rows) == "light has the least logloss14, but does not beat all others: ndcg10 behind atd\n"


def test_a_model_alone_has_nobody_to_beat():
    assert winner([row("light", 0.25)]) == "light has the least logloss14\n"
