import datetime as dt
import gzip

import numpy as np
import polars as pl
import pytest

from replenish.files import EPOCH, Identifiers, InputError, history, read_history, read_requests, told

DAY = (dt.date(2026, 1, 31) - EPOCH).days


def lines(**columns):
    """Two lines of goods; ``columns`` replace theirs, None leaves one out."""
    table = {
        "customer_id": [1, 2],
        "product_id": [10, 20],
        "purchased_at": [dt.date(2026, 1, 31)] * 2,
        "quantity": [1, 2],
    }
    return pl.DataFrame({name: values for name, values in (table | columns).items() if values is not None})


def refusal(**columns):
    with pytest.raises(InputError) as caught:
        history(lines(**columns))
    return str(caught.value)


# ---------------------------------------------------------------- identifiers
def test_whole_numbers_stay_what_they_are():
    found = history(lines(customer_id=[70_000_000_000, -3]))
    assert found.purchases.customer.tolist() == [70_000_000_000, -3]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series(["b", "a"]),
        pl.Series(["b", "a"], dtype=pl.Categorical),
        pl.Series([2**64 - 1, 10], dtype=pl.UInt64),
    ],
    ids=["text", "categorical", "beyond int64"],
)
def test_other_identifiers_are_numbered_in_the_order_of_their_texts(values):
    assert history(lines(customer_id=values)).purchases.customer.tolist() == [1, 0]


def test_numbers_that_a_spreadsheet_made_fractions_are_numbers():
    assert history(lines(customer_id=[17850.0, 13047.0])).purchases.customer.tolist() == [17850, 13047]


def test_an_identifier_that_is_a_fraction_is_refused():
    assert refusal(customer_id=[1.0, 2.5]).startswith("row 2, customer_id 2.5 is no identifier")


def test_an_identifier_is_found_whatever_the_other_file_made_of_it():
    assert Identifiers.of(pl.Series(["007", "17"])).codes(pl.Series([17, 3])).tolist() == [1, -1]
    assert Identifiers.of(pl.Series([7, 17])).codes(pl.Series(["17"])).tolist() == [17]


# ---------------------------------------------------------------- days
@pytest.mark.parametrize(
    "moment",
    [
        pl.Series([dt.date(2026, 1, 31)] * 2),
        pl.Series([dt.datetime.combine(dt.date(2026, 1, 31), dt.time(23, 59))] * 2),
        pl.Series(
            [dt.datetime.combine(dt.date(2026, 1, 31), dt.time(15, 59))] * 2, dtype=pl.Datetime("ms", "UTC")
        ).dt.convert_time_zone("Asia/Taipei"),
        pl.Series(["2026-01-31", "2026-01-31 23:59"]),
        pl.Series(["2026-01-31T23:59:00+08:00", "2026/01/31"]),
    ],
    ids=["dates", "times", "times of a zone", "texts", "texts with an offset, and with slashes"],
)
def test_days_are_local_calendar_days(moment):
    assert history(lines(purchased_at=moment)).purchases.day.tolist() == [DAY, DAY]


def test_a_date_that_may_be_read_two_ways_is_refused():
    assert refusal(purchased_at=["2010-12-01", "12/1/2010 8:26"]) == (
        "row 2, purchased_at '12/1/2010 8:26' is no date: write it as 2017-01-31, or 2017-01-31 18:05"
    )


def test_numbers_are_no_dates():
    assert "purchased_at holds Int64: write dates as" in refusal(purchased_at=[20260131, 20260131])


@pytest.mark.parametrize("column", ["order_number", "basket_index"])
def test_baskets_are_counted_back_from_each_customers_latest(column):
    found = history(lines(purchased_at=None, customer_id=[1, 1], **{column: [3, 7]}))
    assert found.in_baskets
    assert found.purchases.day.tolist() == [-4, 0]


def test_dates_go_before_baskets():
    found = history(lines(order_number=[1, 2]))
    assert not found.in_baskets
    assert found.purchases.day.tolist() == [DAY, DAY]


@pytest.mark.parametrize("number", [-1, 1.5, 1e12])
def test_a_place_that_is_none_is_refused(number):
    assert "is no place in a row of baskets" in refusal(purchased_at=None, order_number=[1.0, float(number)])


# ---------------------------------------------------------------- quantities and prices
def test_the_price_of_a_pack_is_what_was_paid_over_the_quantity():
    found = history(lines(price=[3.0, 5.0], quantity=[1, 2])).purchases
    assert found.price.tolist() == [3.0, 2.5]


def test_a_price_is_unknown_where_none_is_told_or_nothing_was_bought():
    found = history(lines(price=[None, 5.0], quantity=[1, 0])).purchases
    assert np.isnan(found.price).all()


def test_what_was_given_back_counts_below_zero():
    found = history(lines(price=[3.0, -3.0], quantity=[1, -1])).purchases
    assert found.quantity.tolist() == [1, -1]
    assert found.price.tolist() == [3, 3]


def test_texts_are_read_as_numbers():
    assert history(lines(quantity=["1", "0.35"])).purchases.quantity.tolist() == [1, 0.35]


@pytest.mark.parametrize("value", ["two", "1,5", "inf"])
def test_a_quantity_that_is_no_number_is_refused_with_its_row(value):
    said = refusal(quantity=["1", value])
    assert said == f"row 2, quantity {value!r} is no number: write it with digits and a point, such as 1.5"


def test_the_first_of_many_bad_rows_is_named():
    assert refusal(quantity=["one", "two"]).endswith("such as 1.5 (and 1 rows more)")


def test_equal_lines_count_as_often_as_they_are_there():
    assert history(pl.concat([lines(), lines()])).purchases.quantity.sum() == 6


# ---------------------------------------------------------------- what is left out
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("customer_id", [1, None]),
        ("customer_id", ["a", ""]),
        ("product_id", [1.0, float("nan")]),
        ("purchased_at", [dt.date(2026, 1, 31), None]),
        ("purchased_at", ["2026-01-31", ""]),
        ("quantity", [1.0, float("nan")]),
        ("quantity", ["1", ""]),
    ],
)
def test_a_line_without_a_needed_value_is_left_out_and_told_of(column, values):
    found = history(lines(**{column: pl.Series(values, strict=False)}))
    assert len(found.purchases) == 1
    assert told(found.left_out) == f" (left out: 1 without {column})"


def test_lines_of_no_goods_are_left_out():
    found = history(lines(department=["FUEL", "GROCERY"]))
    assert found.purchases.product.tolist() == [20]
    assert found.left_out == {"of no goods": 1}


def test_a_department_that_is_never_told_leaves_nothing_out():
    assert len(history(lines(department=pl.Series([None, None], dtype=pl.String))).purchases) == 2


def test_a_history_without_a_purchase_is_refused():
    assert refusal(customer_id=pl.Series([None, None], dtype=pl.Int64)) == (
        "there is no purchase in it (left out: 2 without customer_id)"
    )


# ---------------------------------------------------------------- needs, categories, sizes
def test_needs_and_categories_are_numbered_and_may_be_unknown():
    found = history(lines(subcategory=["whole milk", None], category=["", "DAIRY"]))
    assert found.purchases.need.tolist() == [0, -1]
    assert found.purchases.category.tolist() == [-1, 0]
    assert found.categories == ["DAIRY"]


def test_a_history_without_them_works():
    found = history(lines()).purchases
    assert found.need.tolist() == found.category.tolist() == [-1, -1]
    assert np.isnan([found.size, found.price]).all()


def test_within_a_need_sizes_are_of_the_dimension_most_lines_have():
    sizes = ["1 kg", "500 g", "1 L", "6 CT", None, "odd"]
    table = pl.concat([lines()] * 3).with_columns(
        product_id=pl.Series(range(6)), package_size=pl.Series(sizes), subcategory=pl.Series(["flour"] * 6)
    )
    np.testing.assert_array_equal(history(table).purchases.size, [1000, 500, np.nan, np.nan, np.nan, np.nan])


def test_without_needs_every_product_has_its_own_dimension():
    assert history(lines(package_size=["1 kg", "2 L"])).purchases.size.tolist() == [1000, 2000]


def test_a_size_that_is_a_number_is_taken_as_it_is():
    assert history(lines(package_size=[84, 48])).purchases.size.tolist() == [84, 48]


# ---------------------------------------------------------------- files
@pytest.mark.parametrize("name", ["history.csv", "history.csv.gz"])
def test_a_csv_is_read_and_keeps_leading_zeros(tmp_path, name):
    lines(customer_id=["007", "7"]).write_csv(tmp_path / "plain.csv")
    path = tmp_path / name
    if name.endswith("gz"):
        path.write_bytes(gzip.compress((tmp_path / "plain.csv").read_bytes()))
    else:
        (tmp_path / "plain.csv").rename(path)
    found = read_history(path)
    assert found.customers.known.to_list() == ["007", "7"]
    assert found.purchases.quantity.tolist() == [1, 2]


def test_an_export_with_other_names_is_told_which_are_wanted(tmp_path):
    names = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    pl.DataFrame({name: ["1"] for name in names}).write_csv(tmp_path / "uci.csv")
    with pytest.raises(InputError) as caught:
        read_history(tmp_path / "uci.csv")
    said = str(caught.value)
    assert "uci.csv has no column customer_id, product_id, purchased_at, quantity" in said
    assert f"It has: {', '.join(names)}" in said
    assert "purchased_at (or basket_index or order_number)" in said
    assert "package_size, price are used where they are there: rename yours" in said


def test_the_file_is_named_with_the_row(tmp_path):
    lines(quantity=["1", "x"]).write_parquet(tmp_path / "history.parquet")
    with pytest.raises(InputError, match=r"history\.parquet: row 2, quantity 'x' is no number"):
        read_history(tmp_path / "history.parquet")


def test_a_request_without_a_product_is_refused(tmp_path):
    pl.DataFrame({"customer_id": [1, 1], "product_id": [2, None]}).write_parquet(tmp_path / "requests.parquet")
    with pytest.raises(InputError, match="row 2, product_id has no value"):
        read_requests(tmp_path / "requests.parquet")
