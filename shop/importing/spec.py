"""The four files: their columns, how each is parsed, and the row that a line becomes in its staging table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from shop.importing import parsing
from shop.importing.problems import Refused
from shop.models import Channel

FILES = ("members", "channels", "products", "transactions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the engineer chose. `at` is the moment of the run: nothing in an export may lie after it."""

    at: datetime
    skip_bad: bool = False
    # Every channel becomes one of this store, whatever its brand.
    store: str = ""
    language: str = "zh-hant"
    time_zone: str = "Asia/Taipei"
    region: str = "TW"
    excluded_departments: frozenset[str] = field(default_factory=frozenset)


# For each column the values of some lines.
Columns = list[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """One file. `columns` are those of the CSV with their parsers, `staged` those of the staging table with their kinds
    (text, number, flag, decimal, day, moment); `arrange` makes one from the other, for many lines at once. `key` is in
    staged names, `shown` the same in the CSV's.
    """

    name: str
    columns: dict[str, Callable[[str], Any]]
    staged: dict[str, str]
    key: tuple[str, ...]
    shown: tuple[str, ...]
    arrange: Callable[[Columns], Columns]

    @property
    def staging(self) -> str:
        return f"import_{self.name}"


def tables(options: Options) -> dict[str, Table]:
    """The four tables, in the order in which they are read."""
    made = (_members(options), _channels(options), _products(options), _transactions(options))
    return {table.name: table for table in made}


def _by_line(arrange: Callable[[Sequence[Any]], Sequence[Any]]) -> Callable[[Columns], Columns]:
    return lambda columns: list(zip(*map(arrange, zip(*columns, strict=True)), strict=True))


def _members(options: Options) -> Table:
    def arrange(values: Sequence[Any]) -> Sequence[Any]:
        member_no, name, email, phone, birthday, (joined_at, joined_on), home, email_consent, sms_consent = values
        # A form that needed some birthday was given the day it was filled in: not a birthday that we know.
        birthday = None if birthday == joined_on else birthday
        source = "import" if birthday else ""
        reminders = "email" if email_consent else "none"
        consents = (email_consent, sms_consent, reminders)
        return (member_no, name, email, phone, birthday, source, joined_at, home, *consents)

    return Table(
        name="members",
        columns={
            "member_no": parsing.Key(32),
            "name": parsing.text(150),
            "email": parsing.email,
            "phone": parsing.phone(options.region),
            "birthday": parsing.day(options.at.date()),
            "joined_at": parsing.joining(options.at, ZoneInfo(options.time_zone)),
            "home_channel": parsing.text(64),
            "email_consent": parsing.flag,
            "sms_consent": parsing.flag,
        },
        staged={
            "member_no": "text",
            "name": "text",
            "email": "text",
            "phone": "text",
            "birthday": "day",
            "birthday_source": "text",
            "joined_at": "moment",
            "home_channel": "text",
            "email_consent": "flag",
            "sms_consent": "flag",
            "reminder_channel": "text",
        },
        key=("member_no",),
        shown=("member_no",),
        arrange=_by_line(arrange),
    )


def _channels(options: Options) -> Table:
    def arrange(values: Sequence[Any]) -> Sequence[Any]:
        code, name, kind, brand = values
        store = options.store or parsing.slug(brand, 50)
        if not store:
            raise Refused(_("is empty"), _("name the brand, which becomes the store, or give --store CODE"), "brand")
        return (code, name or code, kind, brand, store)

    return Table(
        name="channels",
        columns={
            "channel_code": parsing.Key(64),
            "name": parsing.text(200),
            "kind": parsing.choice(*Channel.Kind.values),
            "brand": parsing.text(200),
        },
        staged={"code": "text", "name": "text", "kind": "text", "brand": "text", "store": "text"},
        key=("code",),
        shown=("channel_code",),
        arrange=_by_line(arrange),
    )


def _products(options: Options) -> Table:
    excluded = {department.strip().casefold() for department in options.excluded_departments}

    def arrange(values: Sequence[Any]) -> Sequence[Any]:
        sku, name, brand, department, category, subcategory, (size, unit), price, currency = values
        if price is not None and not currency:
            raise Refused(_("is empty"), _("a price needs its currency, such as TWD"), "currency")
        category_code = parsing.slug(category, 100)
        # The same subcategory in two categories is two needs; without one, a category alone is too wide to be a need.
        need = f"{category}--{subcategory}" if category else subcategory
        need_code = parsing.slug(need, 100) if subcategory else ""
        return (
            sku,
            *parsing.in_both_languages(name),
            brand,
            department,
            category,
            category_code,
            subcategory,
            need_code,
            size,
            unit,
            price,
            currency,
            department.casefold() in excluded,
        )

    return Table(
        name="products",
        columns={
            "sku": parsing.Key(64),
            "name": parsing.text(200),
            "brand": parsing.text(100),
            "department": parsing.text(100),
            "category": parsing.text(200),
            "subcategory": parsing.text(200),
            "package_size": parsing.package,
            "unit_price": parsing.price_asked,
            "currency": parsing.currency_or_none,
        },
        staged={
            "sku": "text",
            "name_zh": "text",
            "name_en": "text",
            "brand": "text",
            "department": "text",
            "category": "text",
            "category_code": "text",
            "subcategory": "text",
            "need_code": "text",
            "package_size": "decimal",
            "package_unit": "text",
            "unit_price": "decimal",
            "currency": "text",
            "left_out": "flag",
        },
        key=("sku",),
        shown=("sku",),
        arrange=_by_line(arrange),
    )


def _transactions(options: Options) -> Table:
    def arrange(columns: Columns) -> Columns:
        *before, moments, quantity, price, currency = columns
        return [*before, *zip(*moments, strict=True), quantity, price, currency]

    return Table(
        name="transactions",
        columns={
            "transaction_no": parsing.Key(64),
            "line_no": parsing.line_number,
            "member_no": parsing.Key(32),
            "channel_code": parsing.Key(64),
            "sku": parsing.Key(64),
            "purchased_at": parsing.moment(options.at),
            "quantity": parsing.quantity,
            "unit_price": parsing.price_paid,
            "currency": parsing.currency,
        },
        staged={
            "transaction_no": "text",
            "line_no": "number",
            "member_no": "text",
            "channel_code": "text",
            "sku": "text",
            "purchased_at": "moment",
            "purchased_on": "day",
            "quantity": "decimal",
            "unit_price": "decimal",
            "currency": "text",
        },
        key=("transaction_no", "line_no"),
        shown=("transaction_no", "line_no"),
        arrange=arrange,
    )
