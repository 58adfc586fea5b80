"""The benchmarks themselves: seldom run, so held together here on small data."""

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest

from benchmarks import accuracy, speed
from replenish.files import InputError
from replenish.simulate import Products, simulate

CUTOFF = dt.date(2026, 1, 31)


def written(path, lines):
    speed.write_lines(str(path), lines)
    return pl.read_parquet(path)


def test_the_lines_measured_are_those_of_a_supermarkets_year(tmp_path):
    lines = written(tmp_path / "lines.parquet", 30_000)
    assert lines.height == pytest.approx(30_000, rel=0.03)
    assert lines["purchased_at"].is_sorted()
    days = lines["purchased_at"].dt.date()
    assert (days.min(), days.max()) == (speed.START, speed.CUTOFF)
    pairs = lines.group_by("customer_id", "product_id").len()["len"]
    assert pairs.mean() == pytest.approx(speed.LINES_A_PAIR, rel=0.05)
    assert pairs.quantile(0.99) > 4 * pairs.median() > 0
    assert lines.group_by("product_id").agg(pl.col("subcategory", "category").n_unique()).max().row(0)[1:] == (1, 1)


def test_the_same_lines_are_written_every_time(tmp_path):
    first, second = (written(tmp_path / name, 3_000) for name in ("first", "second"))
    assert first.equals(second)


def test_the_reference_works_out_the_gaps_between_days(tmp_path):
    moments = pl.Series(["01 09:00", "01 18:00", "04 09:00", "11 09:00", "01 09:00"])
    moments = ("2025-01-" + moments).str.to_datetime("%Y-%m-%d %H:%M")
    lines = {"customer_id": [1] * 4 + [2], "product_id": [7] * 5, "purchased_at": moments}
    pl.DataFrame(lines).write_parquet(tmp_path / "lines.parquet")
    speed.gaps(str(tmp_path / "lines.parquet"), str(tmp_path / "gaps.parquet"))
    found = pl.read_parquet(tmp_path / "gaps.parquet").sort("customer_id")
    assert found.row(0) == (1, 7, 2, 5.0, 5.0, pytest.approx(8**0.5))
    assert found.row(1) == (2, 7, 0, None, None, None)


def test_a_process_is_measured_with_all_it_took():
    usage = speed._usage([speed.sys.executable, "-c", "held = bytearray(b'x') * 300_000_000; sum(range(3_000_000))"])
    assert usage.memory > 0.3
    assert usage.cpu > 0.02


def test_a_process_that_fails_ends_the_run_and_says_why():
    with pytest.raises(SystemExit, match="no such thing"):
        speed._usage([speed.sys.executable, "-c", "raise ValueError('no such thing')"])


@pytest.mark.parametrize(("measured", "verdict"), [(2.9, "ok"), (3.1, "NOT OK")])
def test_a_promise_is_an_upper_limit(measured, verdict):
    row = speed.Row("light", "score", measured, 3.0, "times")
    assert row.kept == (verdict == "ok")
    assert str(row).split("  ")[-1].strip() == verdict


@pytest.fixture
def cutoff(tmp_path):
    """A shop's history until one day, the pairs bought twice by then, and what was bought after it."""
    rng = np.random.default_rng(2)
    products = Products(need=np.arange(9) // 3, use_days=rng.uniform(8, 30, 9), popularity=np.ones(9))
    last = (CUTOFF - dt.date(1970, 1, 1)).days
    found = simulate(products, rng, members=25, start_day=last - 200, days=256)
    lines = pl.DataFrame(
        {
            "customer_id": found.member,
            "product_id": found.product,
            "purchased_at": pl.Series(found.day).cast(pl.Date),
            "quantity": found.quantity,
            "category": ["food"] * len(found),
        }
    )
    past, later = lines.filter(pl.col("purchased_at") <= CUTOFF), lines.filter(pl.col("purchased_at") > CUTOFF)
    pair = ["customer_id", "product_id"]
    asked = (
        past.group_by(pair).agg(pl.col("purchased_at").n_unique().alias("days")).filter(pl.col("days") > 1).select(pair)
    )
    next_at = later.group_by(pair).agg(pl.col("purchased_at").min().alias("next_at"))
    basket_at = later.group_by("customer_id").agg(pl.col("purchased_at").min().alias("basket_at"))
    truth = asked.join(next_at, on=pair, how="left").join(basket_at, on="customer_id", how="left")
    folder = tmp_path / CUTOFF.isoformat()
    folder.mkdir()
    past.write_parquet(folder / "history.parquet")
    asked.write_parquet(folder / "requests.parquet")
    truth.select(
        *pair,
        (pl.col("next_at") - CUTOFF).dt.total_days().alias("days"),
        (pl.col("next_at") == pl.col("basket_at")).fill_null(False).alias("in_next_basket"),
    ).write_parquet(folder / "truth.parquet")
    return folder


def test_models_are_judged_on_what_came_after(cutoff, tmp_path, capsys):
    out = tmp_path / "table.json"
    assert accuracy.main([str(cutoff.parent), "--models", "light,mean-interval", "--json", str(out)]) == 0
    table = json.loads(out.read_text())
    assert list(table) == ["light", "mean-interval"]
    assert table["light"]["pairs"] == pl.read_parquet(cutoff / "requests.parquet").height
    assert table["light"]["logloss 14"] < table["mean-interval"]["logloss 14"]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["pairs", "light", "mean-interval"]


def test_a_pair_that_nobody_answers_is_told(cutoff):
    requests = pl.read_parquet(cutoff / "requests.parquet")
    stranger = requests.head(1).with_columns(pl.lit(9999, requests.schema["customer_id"]).alias("customer_id"))
    pl.concat([requests, stranger]).write_parquet(cutoff / "requests.parquet")
    with pytest.raises(InputError, match="light has no answer for 1 pairs of 2026-01-31"):
        accuracy.main([str(cutoff.parent), "--models", "light"])


def test_a_folder_without_cutoffs_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        accuracy.main([str(tmp_path)])
    assert "there is no cut-off" in capsys.readouterr().err
