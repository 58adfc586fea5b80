import numpy as np
import pytest

from replenish.types import Purchases


def test_columns_left_out_are_unknown():
    lines = Purchases.from_columns(customer=[1, 2], product=[5, 6], day=[100, 101])
    assert lines.quantity.tolist() == [1.0, 1.0]
    assert lines.need.tolist() == lines.category.tolist() == [-1, -1]
    assert np.isnan(lines.size).all()


def test_columns_have_the_promised_kinds():
    lines = Purchases.from_columns(customer=[1.0], product=np.array([2], np.int32), day=[3], quantity=[2])
    kinds = [lines.customer.dtype, lines.product.dtype, lines.day.dtype, lines.quantity.dtype]
    assert kinds == [np.int64, np.int64, np.int32, np.float64]


def test_empty_has_no_rows():
    assert len(Purchases.empty()) == 0


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("product", [1], "product has 1 rows, customer has 2"),
        ("day", [1.5, 2], "day must hold whole numbers"),
        ("day", [2**40, 1], "day does not fit into int32"),
        ("customer", ["a", "b"], "customer must hold whole numbers, not"),
        ("customer", [[1, 2], [3, 4]], "customer must be one column, not of shape"),
        ("quantity", [1, np.nan], "quantity must be finite"),
        ("quantity", ["1", "2"], "quantity must hold numbers, not"),
        ("need", [np.nan, 1], "need must hold whole numbers"),
    ],
)
def test_a_bad_column_is_named(column, values, complaint):
    columns = {"customer": [1, 2], "product": [1, 1], "day": [1, 2], column: values}
    with pytest.raises(ValueError, match=complaint):
        Purchases.from_columns(**columns)


def test_take_keeps_rows_together():
    lines = Purchases.from_columns(customer=[1, 2, 3], product=[4, 5, 6], day=[7, 8, 9])
    some = lines.take(np.array([2, 0]))
    assert (some.customer.tolist(), some.product.tolist(), some.day.tolist()) == ([3, 1], [6, 4], [9, 7])
