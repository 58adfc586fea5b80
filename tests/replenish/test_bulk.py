import datetime as dt

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import replenish
from replenish import KINDS, bulk
from replenish.__main__ import main
from replenish.simulate import Products, simulate
from replenish.stored import pack

FROM, CUTOFF = dt.date(2025, 9, 1), dt.date(2026, 3, 1)
KEY = ["customer_id", "product_id"]


@pytest.fixture(scope="module")
def shop():
    """Half a year and a month after the cut-off, in the order in which things were bought."""
    rng = np.random.default_rng(3)
    products = Products(need=np.arange(24) // 3, use_days=rng.uniform(8, 40, 24), popularity=np.ones(24))
    found = simulate(products, rng, members=60, start_day=(FROM - dt.date(1970, 1, 1)).days, days=210)
    need = products.need[found.product].tolist()
    minutes = (found.day.astype(np.int64) * 1440 + found.minute_of_day).astype("datetime64[m]")
    return pl.DataFrame(
        {
            "customer_id": pl.Series(found.member * 7 + 100, dtype=pl.Int32),
            "product_id": found.product + 5000,
            "purchased_at": minutes.astype("datetime64[ms]"),
            "quantity": found.quantity,
            "price": found.quantity * (2.0 + found.product / 10),
            "category": [f"CATEGORY {number // 3}" for number in need],
            "subcategory": [f"NEED {number}" for number in need],
            "package_size": [f"{6 * (1 + product % 3)} CT" for product in found.product.tolist()],
        }
    )


def command(name, folder, **options):
    defaults = {"history": folder / "history.parquet", "cutoff": CUTOFF}
    arguments = [name]
    for option, value in (defaults | options).items():
        arguments += [f"--{option}", str(value)]
    return main(arguments)


def scored(history, folder, *, fitted_on=None, kind=KINDS[0]):
    """What the two commands make of a history, the model being fitted on another one where that is given."""
    history.write_parquet(folder / "history.parquet")
    (history if fitted_on is None else fitted_on).write_parquet(folder / "past.parquet")
    assert command("fit", folder, history=folder / "past.parquet", out=folder / "model", kind=kind) == 0
    assert command("score", folder, model=folder / "model", out=folder / "all.parquet") == 0
    return pl.read_parquet(folder / "all.parquet")


def bought(history):
    past = history.filter(pl.col("purchased_at").dt.date() <= CUTOFF)
    return past.select(KEY).unique()


def test_what_is_fitted_and_scored_apart_is_what_forecast_says(shop, tmp_path):
    found = scored(shop, tmp_path, kind=KINDS[-1])
    bought(shop).write_parquet(tmp_path / "requests.parquet")
    assert command("forecast", tmp_path, requests=tmp_path / "requests.parquet", out=tmp_path / "asked.parquet") == 0
    asked = pl.read_parquet(tmp_path / "asked.parquet")
    assert found.schema == asked.schema
    assert_frame_equal(found.sort(KEY), asked.sort(KEY))


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_has_one_row_by_customer_and_best_first(shop, tmp_path, kind):
    found = scored(shop, tmp_path, kind=kind)
    assert_frame_equal(found.select(KEY).sort(KEY), bought(shop).sort(KEY))
    assert_frame_equal(found, found.sort("customer_id", -pl.col("score"), "product_id"))


@pytest.mark.parametrize(("lines", "at_once"), [(1, 1), (40, 200), (1_000, 700), (10**6, 10**6)])
def test_shards_of_any_size_give_the_same(shop, tmp_path, monkeypatch, lines, at_once):
    whole = scored(shop, tmp_path)
    monkeypatch.setattr(bulk, "SHARD", lines)
    stored = bulk.load((tmp_path / "model").read_bytes())
    monkeypatch.setattr(bulk, "PASS", at_once)
    bulk.score(stored, tmp_path / "history.parquet", tmp_path / "again.parquet", cutoff=CUTOFF)
    assert_frame_equal(pl.read_parquet(tmp_path / "again.parquet"), whole)


def test_the_order_of_lines_makes_no_difference(shop, tmp_path):
    assert_frame_equal(scored(shop.sample(fraction=1.0, shuffle=True, seed=1), tmp_path), scored(shop, tmp_path))


def test_what_comes_after_the_cutoff_is_not_looked_at(shop, tmp_path):
    past = shop.filter(pl.col("purchased_at").dt.date() <= CUTOFF)
    assert 0 < past.height < shop.height
    assert_frame_equal(scored(shop, tmp_path), scored(past, tmp_path))


@pytest.mark.parametrize("kept_as", ["zoned", "date"])
def test_the_day_is_the_local_one_however_it_is_kept(shop, tmp_path, kept_as):
    """In Taipei the small hours are still yesterday in UTC."""
    early = pl.col("purchased_at").dt.truncate("1d") + pl.duration(hours=2)
    ways = {"zoned": early.dt.replace_time_zone("Asia/Taipei"), "date": pl.col("purchased_at").dt.date()}
    assert_frame_equal(scored(shop.with_columns(ways[kept_as]), tmp_path), scored(shop, tmp_path))


def test_texts_as_identifiers_come_back_as_they_are(shop, tmp_path):
    # In one width, so that their order as texts is that of the numbers.
    texts = shop.with_columns(
        pl.format("C-{}", pl.col("customer_id").cast(pl.String).str.zfill(5)).alias("customer_id")
    )
    texts = texts.with_columns(pl.format("p{}", "product_id").alias("product_id"))
    found = scored(texts, tmp_path)
    assert_frame_equal(found.select(KEY).sort(KEY), bought(texts).sort(KEY))
    numbers = scored(shop, tmp_path)
    assert_frame_equal(found.drop(KEY), numbers.drop(KEY))


def test_a_model_knows_its_categories_by_name_in_a_history_with_more_of_them(shop, tmp_path):
    """CATEGORY 00 comes before all others and moves their places among the names."""
    new = shop.head(5).with_columns(
        pl.lit(99, pl.Int32).alias("customer_id"),
        pl.lit(4999, pl.Int64).alias("product_id"),
        pl.lit("CATEGORY 00").alias("category"),
        pl.lit("NEED 00").alias("subcategory"),
    )
    later = scored(pl.concat([new, shop]), tmp_path, fitted_on=shop)
    assert later["customer_id"][0] == 99
    assert_frame_equal(later.filter(pl.col("customer_id") != 99), scored(shop, tmp_path))


def test_products_known_by_text_keep_their_numbers_when_new_ones_come(shop, tmp_path):
    texts = shop.with_columns(pl.format("p{}", "product_id").alias("product_id"))
    shop.write_parquet(tmp_path / "numbers.parquet")
    texts.write_parquet(tmp_path / "texts.parquet")
    model, names = bulk.load(bulk.fit(tmp_path / "texts.parquet", cutoff=CUTOFF))
    assert names.products == tuple(
        sorted(texts.filter(pl.col("purchased_at").dt.date() <= CUTOFF)["product_id"].unique())
    )
    _, none = bulk.load(bulk.fit(tmp_path / "numbers.parquet", cutoff=CUTOFF))
    assert none.products == ()
    assert bulk.load(bulk.dump(model, names))[1] == names


@pytest.mark.parametrize("missing", ["category", "subcategory", "package_size", "price"])
def test_a_history_that_knows_less_is_scored_too(shop, tmp_path, missing):
    assert scored(shop.drop(missing), tmp_path).height == bought(shop).height


def test_lines_that_lack_something_and_no_goods_do_not_count(shop, tmp_path):
    shop = shop.with_columns(pl.lit("GROCERY").alias("department"))
    odd = shop.head(6).with_columns(
        pl.Series("department", ["FUEL", None, "GROCERY", "GROCERY", "GROCERY", "GROCERY"]),
        pl.Series("product_id", [1, 2, None, 4, 5, 6], dtype=pl.Int64),
        pl.Series("customer_id", [1, 2, 3, None, 5, 6], dtype=pl.Int32),
        pl.Series("quantity", [1, 1, 1, 1, None, 0], dtype=pl.Int32),
    )
    assert_frame_equal(scored(pl.concat([odd, shop]), tmp_path), scored(shop, tmp_path))


def test_a_large_shop_is_fitted_on_whole_households(shop, tmp_path, monkeypatch):
    shop.write_parquet(tmp_path / "history.parquet")
    past = shop.filter(pl.col("purchased_at").dt.date() <= CUTOFF)
    monkeypatch.setattr(bulk, "PASS", past.height // 3 + 1)
    sampled = bulk.fit(tmp_path / "history.parquet", cutoff=CUTOFF)
    monkeypatch.undo()
    third = past["customer_id"].unique().sort().gather_every(3)
    shop.filter(pl.col("customer_id").is_in(third.implode())).write_parquet(tmp_path / "third.parquet")
    third_of_it, _ = bulk.load(bulk.fit(tmp_path / "third.parquet", cutoff=CUTOFF))
    assert replenish.dump(bulk.load(sampled)[0]) == replenish.dump(third_of_it)


def test_a_run_cut_short_leaves_what_was_there(shop, tmp_path, monkeypatch):
    before = scored(shop, tmp_path)
    stored = bulk.load((tmp_path / "model").read_bytes())
    calls = []

    def breaks(*arguments, **options):
        calls.append(arguments)
        if len(calls) > 2:
            raise MemoryError("no more")
        return forecast(*arguments, **options)

    forecast = replenish.forecast
    monkeypatch.setattr(replenish, "forecast", breaks)
    monkeypatch.setattr(bulk, "SHARD", 300)
    with pytest.raises(Exception, match="no more"):
        bulk.score(stored, tmp_path / "history.parquet", tmp_path / "all.parquet", cutoff=CUTOFF)
    assert_frame_equal(pl.read_parquet(tmp_path / "all.parquet"), before)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("spoilt", "complaint"),
    [
        (lambda shop: shop.drop("quantity"), "has no column quantity"),
        (lambda shop: shop.with_columns(pl.lit("today").alias("purchased_at")), "purchased_at holds String"),
        (lambda shop: shop.clear(), "no purchase in it"),
        (lambda shop: shop.filter(pl.col("purchased_at").dt.date() > CUTOFF), "no purchase in it until 2026-03-01"),
    ],
)
def test_a_history_that_cannot_be_used_is_refused(shop, tmp_path, capsys, spoilt, complaint):
    spoilt(shop).write_parquet(tmp_path / "history.parquet")
    assert command("fit", tmp_path, out=tmp_path / "model") == 2
    assert complaint in capsys.readouterr().err


def test_files_that_are_missing_or_something_else_are_refused(tmp_path, capsys):
    assert command("fit", tmp_path, out=tmp_path / "model") == 2
    assert "history.parquet is not there" in capsys.readouterr().err
    (tmp_path / "history.parquet").write_text("customer_id,product_id\n")
    assert command("fit", tmp_path, out=tmp_path / "model") == 2
    assert "is not a Parquet file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "complaint"),
    [(b"something", "this is not a stored model"), (pack("other-1", {}), "this is a stored other-1, not a shop-1")],
)
def test_a_model_of_another_make_is_refused(tmp_path, capsys, data, complaint):
    (tmp_path / "model").write_bytes(data)
    assert command("score", tmp_path, model=tmp_path / "model", out=tmp_path / "out.parquet") == 2
    assert complaint in capsys.readouterr().err
