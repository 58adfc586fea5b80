"""What every model promises, whatever it assumes. ``test_contract.py`` runs each promise against each model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from replenish.types import HORIZONS, WINDOW, Forecasts, Purchases


@dataclass(frozen=True)
class Contender:
    """A model under test: how it is fitted, asked, stored and read back."""

    name: str
    fit: Callable[..., Any]
    forecast: Callable[..., Forecasts]
    dump: Callable[[Any], bytes]
    load: Callable[[bytes], Any]


PROMISES: dict[str, Callable[[Contender, Purchases, int], None]] = {}


def promise(
    check: Callable[[Contender, Purchases, int], None],
) -> Callable[[Contender, Purchases, int], None]:
    PROMISES[check.__name__] = check
    return check


def same(left: Forecasts, right: Forecasts) -> None:
    for (name, ours), (_, theirs) in zip(left.columns(), right.columns(), strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name, strict=True)


@promise
def a_customer_gets_the_same_whatever_shard_he_is_in(contender: Contender, lines: Purchases, as_of: int) -> None:
    model = contender.fit(lines, as_of=as_of)
    whole = contender.forecast(model, lines, as_of=as_of)
    for count in (2, 7):
        for shard in range(count):
            part = contender.forecast(model, lines.take(lines.customer % count == shard), as_of=as_of)
            same(part, whole.take(whole.customer % count == shard))


@promise
def a_customer_alone_gets_the_same_as_in_company(contender: Contender, lines: Purchases, as_of: int) -> None:
    model = contender.fit(lines, as_of=as_of)
    whole = contender.forecast(model, lines, as_of=as_of)
    for customer in np.unique(whole.customer)[:15]:
        alone = contender.forecast(model, lines.take(lines.customer == customer), as_of=as_of)
        same(alone, whole.take(whole.customer == customer))


@promise
def the_order_of_lines_makes_no_difference(contender: Contender, lines: Purchases, as_of: int) -> None:
    mixed = lines.take(np.random.default_rng(5).permutation(len(lines)))
    model = contender.fit(lines, as_of=as_of)
    assert contender.dump(contender.fit(mixed, as_of=as_of)) == contender.dump(model)
    same(contender.forecast(model, mixed, as_of=as_of), contender.forecast(model, lines, as_of=as_of))


@promise
def asking_twice_gives_the_same_answer(contender: Contender, lines: Purchases, as_of: int) -> None:
    first, second = (contender.fit(lines, as_of=as_of) for _ in range(2))
    assert contender.dump(first) == contender.dump(second)
    same(contender.forecast(first, lines, as_of=as_of), contender.forecast(first, lines, as_of=as_of))


@promise
def input_is_left_as_it_was(contender: Contender, lines: Purchases, as_of: int) -> None:
    columns = ("customer", "product", "day", "quantity", "need", "category", "size", "price")
    before = {name: getattr(lines, name).copy() for name in columns}
    contender.forecast(contender.fit(lines, as_of=as_of), lines, as_of=as_of)
    for name, column in before.items():
        np.testing.assert_array_equal(getattr(lines, name), column)


@promise
def chances_grow_with_the_horizon_and_stay_chances(contender: Contender, lines: Purchases, as_of: int) -> None:
    found = contender.forecast(contender.fit(lines, as_of=as_of), lines, as_of=as_of)
    chances = np.array([getattr(found, f"p{horizon}") for horizon in HORIZONS])
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances, axis=0) >= 0).all()


@promise
def dates_lie_in_their_window(contender: Contender, lines: Purchases, as_of: int) -> None:
    found = contender.forecast(contender.fit(lines, as_of=as_of), lines, as_of=as_of)
    assert (found.lower_days > 0).all()
    assert (found.lower_days <= found.median_days).all()
    assert (found.median_days <= found.upper_days).all()
    assert (found.upper_days <= WINDOW).all()


@promise
def every_column_has_a_sensible_value_in_every_row(contender: Contender, lines: Purchases, as_of: int) -> None:
    found = contender.forecast(contender.fit(lines, as_of=as_of), lines, as_of=as_of)
    for name, column in found.columns():
        assert np.isfinite(column).all(), name
    assert (found.interval_days > 0).all()
    assert ((found.supply_left >= 0) & (found.supply_left <= 1)).all()
    assert (found.suggested_quantity >= 1).all()
    assert (found.purchases >= 1).all()
    assert (found.last_day <= as_of).all()


@promise
def every_pair_bought_has_one_row(contender: Contender, lines: Purchases, as_of: int) -> None:
    found = contender.forecast(contender.fit(lines, as_of=as_of), lines, as_of=as_of)
    past = lines.take(lines.day <= as_of)
    bought = dict.fromkeys(zip(past.customer, past.product, strict=True), 0.0)
    for c, p, q in zip(past.customer, past.product, past.quantity, strict=True):
        bought[c, p] += q
    rows = list(zip(found.customer.tolist(), found.product.tolist(), strict=True))
    assert len(rows) == len(set(rows))
    assert set(rows) == {pair for pair, net in bought.items() if net > 0}


@promise
def rows_come_by_customer_and_best_first(contender: Contender, lines: Purchases, as_of: int) -> None:
    found = contender.forecast(contender.fit(lines, as_of=as_of), lines, as_of=as_of)
    expected = np.lexsort((found.product, -found.score, found.customer))
    np.testing.assert_array_equal(expected, np.arange(len(found)))


@promise
def what_comes_after_the_day_is_not_looked_at(contender: Contender, lines: Purchases, as_of: int) -> None:
    past = lines.take(lines.day <= as_of)
    assert len(past) < len(lines), "the example needs a future"
    model = contender.fit(lines, as_of=as_of)
    assert contender.dump(contender.fit(past, as_of=as_of)) == contender.dump(model)
    same(contender.forecast(model, lines, as_of=as_of), contender.forecast(model, past, as_of=as_of))


@promise
def a_model_read_back_says_exactly_the_same(contender: Contender, lines: Purchases, as_of: int) -> None:
    model = contender.fit(lines, as_of=as_of)
    restored = contender.load(contender.dump(model))
    assert contender.dump(restored) == contender.dump(model)
    same(contender.forecast(restored, lines, as_of=as_of), contender.forecast(model, lines, as_of=as_of))


@promise
def nobody_asked_about_is_no_forecast(contender: Contender, lines: Purchases, as_of: int) -> None:
    model = contender.fit(lines, as_of=as_of)
    none = contender.forecast(model, Purchases.empty(), as_of=as_of)
    assert len(none) == 0
    for (name, column), (_, full) in zip(
        none.columns(), contender.forecast(model, lines, as_of=as_of).columns(), strict=True
    ):
        assert column.dtype == full.dtype, name


@promise
def a_model_of_no_purchases_still_answers(contender: Contender, lines: Purchases, as_of: int) -> None:
    model = contender.fit(Purchases.empty(), as_of=as_of)
    found = contender.forecast(model, lines, as_of=as_of)
    assert len(found) > 0
    assert np.isfinite(found.score).all()


@promise
def unknown_products_and_categories_are_forecast_too(contender: Contender, lines: Purchases, as_of: int) -> None:
    model = contender.fit(lines, as_of=as_of)
    strange = Purchases.from_columns(
        customer=[9_999, 9_999, 9_999],
        product=[888, 888, 889],
        day=[as_of - 40, as_of - 12, as_of],
        category=[777, 777, -1],
    )
    found = contender.forecast(model, strange, as_of=as_of)
    assert sorted(found.product) == [888, 889]
    assert (found.p28 > 0).all()


@promise
def a_shop_with_one_member_and_one_purchase_works(contender: Contender, lines: Purchases, as_of: int) -> None:
    single = Purchases.from_columns(customer=[1], product=[1], day=[as_of])
    found = contender.forecast(contender.fit(single, as_of=as_of), single, as_of=as_of)
    assert len(found) == 1
    assert 0 < found.p28[0] < 1
    assert found.purchases[0] == 1
