"""Amounts: rounded as their currency is used, and written as each language writes them."""

from decimal import ROUND_HALF_UP, Decimal

from babel.core import get_global
from babel.numbers import format_decimal, get_currency_symbol

# CLDR knows two digits for TWD; nobody in Taiwan pays cents.
_DIGITS = {"TWD": 0}
# A bare $ is the local dollar to each language; with several currencies under one roof it has to say which.
_SYMBOLS = {"TWD": "NT$", "USD": "US$"}
_LOCALES = {"zh-hant": "zh_Hant_TW", "en": "en_US"}


def digits(currency: str) -> int:
    """How many decimals the currency is used with: TWD 0, JPY 0, USD 2 (CLDR but for TWD)."""
    if currency in _DIGITS:
        return _DIGITS[currency]
    fractions = get_global("currency_fractions")
    return fractions.get(currency, fractions["DEFAULT"])[0]


def round_money(amount: Decimal, currency: str) -> Decimal:
    """`amount` in the smallest coin of `currency`, half up."""
    return amount.quantize(Decimal(1).scaleb(-digits(currency)), rounding=ROUND_HALF_UP)


def format_money(amount: Decimal, currency: str, language: str) -> str:
    """Such as NT$1,320 or US$12.50, in the language's own way."""
    locale = _LOCALES.get(language.lower(), "en_US")
    places = digits(currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    symbol = _SYMBOLS.get(currency) or get_currency_symbol(currency, locale)
    return symbol + format_decimal(round_money(amount, currency), format=pattern, locale=locale)
