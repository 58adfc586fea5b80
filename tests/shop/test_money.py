from decimal import Decimal

import pytest

from shop.money import format_money, round_money


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("12.5", "TWD", "13"), ("12.49", "TWD", "12"), ("0.125", "USD", "0.13"), ("99.5", "JPY", "100")],
)
def test_round_money_to_the_smallest_coin_in_use(amount, currency, rounded):
    assert str(round_money(Decimal(amount), currency)) == rounded


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        ("1320", "TWD", "zh-hant", "NT$1,320"),
        ("1320.00", "TWD", "en", "NT$1,320"),
        ("12.5", "USD", "en", "US$12.50"),
        ("12.5", "USD", "zh-hant", "US$12.50"),
        ("0", "JPY", "en", "¥0"),
        ("7", "TWD", "fr", "NT$7"),
    ],
)
def test_format_money_in_each_language(amount, currency, language, text):
    assert format_money(Decimal(amount), currency, language) == text
