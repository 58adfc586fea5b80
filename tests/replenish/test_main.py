import datetime as dt
import os
import subprocess
import sys

import polars as pl
import pytest

from replenish.__main__ import main
from replenish.types import WINDOW

CUTOFF = dt.date(2026, 3, 1)
START = dt.datetime.combine(dt.date(2025, 11, 1), dt.time(9, 30))
COLUMNS = [
    "customer_id",
    "product_id",
    "cutoff",
    "expected_at",
    "lower_at",
    "upper_at",
    "p7",
    "p14",
    "p28",
    "score",
]


@pytest.fixture
def files(tmp_path):
    """Six customers who buy two goods and some fuel; requests for the goods."""
    rows = [
        {
            "customer_id": customer,
            "product_id": product,
            "purchased_at": START + dt.timedelta(days=customer + gap * turn),
            "quantity": 1,
            "department": department,
            "category": category,
            "subcategory": category and f"{category} of a kind",
        }
        for customer in range(1, 7)
        for product, gap, department, category in (
            (10, 14, "GROCERY", "MILK"),
            (20, 30, "DRUG", None),
            (9, 7, "FUEL", "GAS"),
        )
        for turn in range(6)
    ]
    pl.DataFrame(rows).with_columns(pl.col("customer_id").cast(pl.Int32)).write_parquet(tmp_path / "history.parquet")
    pairs = [(customer, product) for customer in range(6, 0, -1) for product in (10, 20)]
    requests = pl.DataFrame(pairs, schema=["customer_id", "product_id"], orient="row")
    requests.write_parquet(tmp_path / "requests.parquet")
    return tmp_path


def run(files, **changes):
    options = {
        "history": files / "history.parquet",
        "requests": files / "requests.parquet",
        "cutoff": CUTOFF,
        "out": files / "out.parquet",
    }
    arguments = ["forecast"]
    for name, value in (options | changes).items():
        arguments += [f"--{name}", str(value)]
    return main(arguments)


def test_every_request_is_answered_once_and_in_order(files):
    assert run(files) == 0
    out = pl.read_parquet(files / "out.parquet")
    asked = pl.read_parquet(files / "requests.parquet")
    assert out.columns == COLUMNS
    assert out.select("customer_id", "product_id").rows() == asked.rows()


def test_answers_keep_what_the_scorer_insists_on(files):
    run(files)
    out = pl.read_parquet(files / "out.parquet")
    assert out.null_count().sum_horizontal()[0] == 0
    assert out.filter((pl.col("p7") > pl.col("p14")) | (pl.col("p14") > pl.col("p28"))).height == 0
    assert (
        out.filter((pl.col("lower_at") > pl.col("expected_at")) | (pl.col("expected_at") > pl.col("upper_at"))).height
        == 0
    )
    assert out["lower_at"].min() > dt.datetime.combine(CUTOFF, dt.time())
    assert out["upper_at"].max() <= dt.datetime.combine(CUTOFF, dt.time()) + dt.timedelta(days=WINDOW)
    assert out["cutoff"].unique().to_list() == [CUTOFF]


def test_a_pair_asked_for_twice_is_answered_once(files):
    asked = pl.read_parquet(files / "requests.parquet")
    pl.concat([asked, asked]).write_parquet(files / "requests.parquet")
    run(files)
    assert pl.read_parquet(files / "out.parquet").height == asked.height


def test_lines_after_the_cutoff_change_nothing(files):
    run(files)
    before = pl.read_parquet(files / "out.parquet")
    history = pl.read_parquet(files / "history.parquet")
    later = history.with_columns(purchased_at=pl.col("purchased_at") + dt.timedelta(days=200))
    pl.concat([history, later]).write_parquet(files / "history.parquet")
    run(files)
    assert pl.read_parquet(files / "out.parquet").equals(before)


def test_text_identifiers_work_too(files):
    for name in ("history", "requests"):
        frame = pl.read_parquet(files / f"{name}.parquet")
        frame.with_columns(customer_id="M" + pl.col("customer_id").cast(pl.String)).write_parquet(
            files / f"{name}.parquet"
        )
    assert run(files) == 0
    assert pl.read_parquet(files / "out.parquet")["customer_id"][0] == "M6"


def test_categories_may_be_missing(files):
    history = pl.read_parquet(files / "history.parquet").filter(pl.col("department") != "FUEL")
    history.drop("department", "category", "subcategory").write_parquet(files / "history.parquet")
    assert run(files) == 0


def test_no_requests_make_an_empty_answer(files):
    pl.read_parquet(files / "requests.parquet").clear().write_parquet(files / "requests.parquet")
    assert run(files) == 0
    out = pl.read_parquet(files / "out.parquet")
    assert (out.height, out.columns) == (0, COLUMNS)


def test_fuel_is_no_goods(files, capsys):
    asked = pl.DataFrame({"customer_id": [1], "product_id": [9]})
    asked.write_parquet(files / "requests.parquet")
    assert run(files) == 2
    assert "never bought until 2026-03-01, the first of them: customer 1, product 9" in capsys.readouterr().err


def test_a_stranger_is_named(files, capsys):
    pl.DataFrame({"customer_id": [77], "product_id": [10]}).write_parquet(files / "requests.parquet")
    assert run(files) == 2
    assert "customer 77, product 10" in capsys.readouterr().err


def test_a_missing_file_is_named(files, capsys):
    assert run(files, history=files / "nowhere.parquet") == 2
    assert "nowhere.parquet is not there" in capsys.readouterr().err


def test_a_missing_column_is_named(files, capsys):
    pl.read_parquet(files / "history.parquet").drop("quantity").write_parquet(files / "history.parquet")
    assert run(files) == 2
    assert "history.parquet has no column quantity" in capsys.readouterr().err


def test_a_file_that_is_no_parquet_is_refused(files, capsys):
    (files / "history.parquet").write_text("customer_id,product_id\n1,2\n")
    assert run(files) == 2
    assert "is not a Parquet file" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_an_error_not_a_crash(files, capsys):
    assert run(files, out=files / "no" / "out.parquet") == 2
    assert "replenish:" in capsys.readouterr().err


def test_a_cutoff_that_is_no_date_is_refused(files, capsys):
    with pytest.raises(SystemExit):
        run(files, cutoff="tomorrow")
    assert "'tomorrow' is not a date like 2026-01-31" in capsys.readouterr().err


def test_the_engine_loads_neither_polars_nor_scipy_stats():
    code = "import sys, replenish; print([m for m in ('polars', 'scipy.stats', 'tqdm', 'django') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert found.stdout.strip() == "[]"
