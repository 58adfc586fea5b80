"""Packages in words, and the price of a handful."""

from decimal import Decimal

import pytest
from django.template import Context, Template

from shop.models import Offer, Product
from shop.packages import UnitPrice, package_words, unit_price


def product(size, unit="piece"):
    return Product(package_size=None if size is None else Decimal(size), package_unit=unit)


@pytest.mark.parametrize(
    ("size", "unit", "words"),
    [
        ("84.000", "piece", "84 pieces"),
        ("1", "roll", "1 roll"),
        ("1200", "ml", "1,200 ml"),
        ("1.5", "g", "1.5 g"),
        ("30", "匹", "30 匹"),
        ("30", "", "30"),
        (None, "piece", ""),
    ],
)
def test_package_words(size, unit, words):
    assert package_words(product(size, unit)) == words


@pytest.mark.parametrize(
    ("price", "size", "currency", "expected"),
    [
        (469, "84", "TWD", UnitPrice(Decimal(56), 10)),
        (900, "30", "TWD", UnitPrice(Decimal(30), 1)),
        (300, "2000", "TWD", UnitPrice(Decimal(15), 100)),
        ("12.50", "84", "USD", UnitPrice(Decimal("0.15"), 1)),
        (300, "1", "TWD", None),
        (300, None, "TWD", None),
        (0, "84", "TWD", None),
    ],
)
def test_unit_price_is_for_the_fewest_units_that_tell_packages_apart(price, size, currency, expected):
    assert unit_price(Offer(product=product(size), price=Decimal(price), currency=currency)) == expected


def test_unit_price_in_a_template_is_money_for_a_count():
    offer = Offer(product=product("84"), price=Decimal(469), currency="TWD")
    shown = Template("{% load packages %}{{ offer|unit_price }}, {{ offer.product|package }}").render(
        Context({"offer": offer})
    )
    assert shown == "NT$56 per 10 pieces, 84 pieces"
