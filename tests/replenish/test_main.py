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
    return main(forecast_of(files, **changes))


def forecast_of(files, **changes):
    options = {
        "history": files / "history.parquet",
        "requests": files / "requests.parquet",
        "cutoff": CUTOFF,
        "out": files / "out.parquet",
    }
    arguments = ["forecast"]
    for name, value in (options | changes).items():
        arguments += [] if value is None else [f"--{name}", str(value)]
    return arguments


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


def test_a_missing_cutoff_is_asked_for(files, capsys):
    assert main(forecast_of(files, cutoff=None)) == 2
    assert "--cutoff is needed: the last day that may be seen" in capsys.readouterr().err


def test_a_bad_row_is_named_with_its_mend(files, capsys):
    history = pl.read_parquet(files / "history.parquet").with_columns(pl.lit("2,5").alias("quantity"))
    history.write_parquet(files / "history.parquet")
    assert run(files) == 2
    assert "row 1, quantity '2,5' is no number: write it with digits and a point" in capsys.readouterr().err


def test_lines_left_out_are_told_of(files, capsys):
    run(files)
    assert "72 lines read" in capsys.readouterr().err.replace("(left out: 36 of no goods)", "")


@pytest.mark.parametrize("name", ["C-{}", "{}.0", "00{}"])
def test_csv_and_identifiers_of_any_kind_give_the_same_forecasts(files, name):
    run(files)
    expected = pl.read_parquet(files / "out.parquet")
    for file in ("history", "requests"):
        table = pl.read_parquet(files / f"{file}.parquet")
        table = table.with_columns(pl.format(name, "customer_id").alias("customer_id"))
        table.write_csv(files / f"{file}.csv")
    assert run(files, history=files / "history.csv", requests=files / "requests.csv", out=files / "out.csv") == 0
    found = pl.read_csv(files / "out.csv", schema_overrides={"customer_id": pl.String})
    assert found.columns == COLUMNS
    assert found["customer_id"].to_list() == [name.format(one) for one in expected["customer_id"]]
    for column in ("p7", "p14", "p28", "score"):
        assert found[column].to_list() == pytest.approx(expected[column].to_list())


def test_a_history_of_nothing_but_the_needed_columns_is_enough(files):
    pl.read_parquet(files / "history.parquet").select(
        "customer_id", "product_id", pl.col("purchased_at").dt.date().cast(pl.String), "quantity"
    ).write_parquet(files / "history.parquet")
    assert run(files) == 0


def test_rows_planted_after_the_cutoff_change_nothing(files):
    run(files)
    before = pl.read_parquet(files / "out.parquet")
    history = pl.read_parquet(files / "history.parquet")
    later = history.with_columns(
        purchased_at=pl.lit(dt.datetime.combine(CUTOFF, dt.time(0, 1)) + dt.timedelta(days=1)).cast(pl.Datetime("us")),
        quantity=pl.lit(50, pl.Int64),
        package_size=pl.lit("3 kg"),
        price=pl.lit(999.0),
    )
    history = history.with_columns(package_size=pl.lit(None, pl.String), price=pl.lit(None, pl.Float64))
    pl.concat([history, later.select(history.columns)]).write_parquet(files / "history.parquet")
    run(files)
    assert pl.read_parquet(files / "out.parquet").equals(before)


# ---------------------------------------------------------------- baskets instead of days
@pytest.fixture
def baskets(files):
    """The same purchases by the number of the basket."""
    history = pl.read_parquet(files / "history.parquet").with_columns(
        order_number=pl.col("purchased_at").rank("dense").over("customer_id")
    )
    history.drop("purchased_at").write_parquet(files / "history.parquet")
    return files


def test_baskets_are_answered_in_baskets(baskets):
    assert main(forecast_of(baskets, cutoff=None)) == 0
    out = pl.read_parquet(baskets / "out.parquet")
    near = ["expected_in", "lower_in", "upper_in"]
    assert out.columns == ["customer_id", "product_id", *near, "p7", "p14", "p28", "score"]
    assert out.height == 12
    assert out.filter(
        (pl.col("lower_in") > pl.col("expected_in")) | (pl.col("expected_in") > pl.col("upper_in"))
    ).is_empty()
    assert 0 < out["lower_in"].min() <= out["upper_in"].max() <= WINDOW


def test_a_date_does_not_go_with_baskets(baskets, capsys):
    assert run(baskets) == 2
    assert "history.parquet counts baskets, which have no date: leave out --cutoff" in capsys.readouterr().err


def test_a_few_with_many_baskets_do_not_decide_how_far_all_are_followed(tmp_path, capsys):
    rows = [(who, 1, turn, 1) for who, turns in ((1, 200), (2, 16), (3, 16)) for turn in range(turns)]
    names = ["customer_id", "product_id", "basket_index", "quantity"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(tmp_path / "shop.parquet")
    assert main(["backtest", str(tmp_path / "shop.parquet"), "--models", "poisson-gamma", "--count", "1"]) == 0
    assert "all cut-offs, follow-up 7\n" in capsys.readouterr().out


def test_baskets_are_back_tested(baskets, capsys):
    assert main(["backtest", str(baskets / "history.parquet"), "--models", "poisson-gamma", "--follow-up", "7"]) == 0
    assert "7 baskets ago" in capsys.readouterr().out


# ---------------------------------------------------------------- back-test
@pytest.fixture
def shop(tmp_path):
    """Ten customers who buy milk every ten days and soap every thirty, for 200 days."""
    rows = [
        (customer, product, dt.date(2026, 1, 1) + dt.timedelta(days=day), 1, category)
        for customer in range(10)
        for product, gap, category in ((1, 10, "MILK"), (2, 30, "SOAP"))
        for day in range(customer, 200, gap)
    ]
    names = ["customer_id", "product_id", "purchased_at", "quantity", "category"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(tmp_path / "shop.parquet")
    return tmp_path / "shop.parquet"


def backtest(shop, *more):
    return main(["backtest", str(shop), "--models", "poisson-gamma,atd", *more])


def test_a_back_test_prints_a_column_a_model(shop, capsys):
    assert backtest(shop, "--count", "2") == 0
    head, *rest = capsys.readouterr().out.splitlines()
    assert head.split() == ["poisson-gamma", "atd"]
    assert [line.split()[0] for line in rest if line.startswith("  ")][:3] == ["pairs", "share_back_in_H", "mae_days"]
    assert [line for line in rest if line.startswith("2026")] == ["2026-05-03", "2026-05-24"]
    assert {"category MILK", "category SOAP", "purchases 10+"} < set(rest)
    assert "has the least logloss14" in rest[-1]


def test_a_back_test_writes_its_table(shop):
    out = shop.with_name("table.csv")
    assert backtest(shop, "--cutoffs", "2026-05-01,2026-05-20", "--out", str(out)) == 0
    found = pl.read_csv(out)
    assert found.columns[:5] == ["contender", "cutoff", "segment", "follow_up", "pairs"]
    everything = found.filter(segment="all", contender="atd")
    assert everything["cutoff"].to_list() == ["all", "2026-05-01", "2026-05-20"]
    assert everything["logloss14"].null_count() == 0
    assert backtest(shop, "--cutoffs", "2026-05-20", "--out", str(shop.with_name("table.json"))) == 0
    assert pl.read_json(shop.with_name("table.json"))["segment"][0] == "all"


def test_a_late_cutoff_is_followed_as_far_as_the_history_goes(shop, capsys):
    assert backtest(shop, "--cutoffs", "2026-06-29") == 0
    assert "all cut-offs, follow-up 20" in capsys.readouterr().out


def test_a_back_test_draws_a_picture(shop):
    picture = shop.with_name("picture.svg")
    assert backtest(shop, "--picture", str(picture)) == 0
    assert picture.read_text().startswith("<svg ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "crystal-ball"], "--models: there is no model 'crystal-ball'"),
        (["--cutoffs", "2027-01-01"], "comes after 2027-01-01: take an earlier day"),
        (["--cutoffs", "2026-06-29", "--follow-up", "56"], "only 20 days follow 2026-06-29"),
        (["--cutoffs", "2026-01-02"], "cannot judge anything yet: no pair was bought on two days"),
    ],
)
def test_a_back_test_that_cannot_be_says_why(shop, capsys, options, message):
    assert backtest(shop, *options) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "message"),
    [("--count=0", "'0' is not a whole number above zero"), ("--cutoffs=soon", "'soon' is not a date like 2026-01-31")],
)
def test_options_are_checked(shop, capsys, option, message):
    with pytest.raises(SystemExit):
        backtest(shop, option)
    assert message in capsys.readouterr().err


def test_the_engine_loads_neither_polars_nor_scipy_stats():
    code = "import sys, replenish; print([m for m in ('polars', 'scipy.stats', 'tqdm', 'django') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert found.stdout.strip() == "[]"
