"""One value of a line to what the database wants of it, as text that PostgreSQL and SQLite both take.

Every parser takes the text of the file and returns a value, or raises Refused. Those whose values come again (a
transaction repeats its moment on each line, prices and quantities are few) remember them, within bounds.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.text import slugify
from django.utils.translation import gettext as _

from shop.importing.problems import Refused

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_WHOLE = re.compile(r"[0-9]{1,10}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")
_PACKAGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^\W\d_]+(?: [^\W\d_]+)?)")
_CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
_FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True} | dict.fromkeys(
    ("false", "f", "no", "n", "0", "")
)
_EARLIEST = 1900
_LARGEST_LINE_NO = 2**31 - 1

_memoised = lru_cache(maxsize=1024)
_memoised_numbers = lru_cache(maxsize=4096)


def _clean(raw: str, limit: int) -> str:
    value = " ".join(raw.split())
    if found := _CONTROL.search(value):
        problem = (
            _("contains a NUL byte")
            if found[0] == "\0"
            else _("contains the control character %(code)s") % {"code": f"U+{ord(found[0]):04X}"}
        )
        raise Refused(problem, _("remove it"))
    if len(value) > limit:
        raise Refused(
            _("is %(length)d characters long") % {"length": len(value)},
            _("shorten it to %(limit)d characters") % {"limit": limit},
        )
    return value


def text(limit: int) -> Callable[[str], str]:
    """Free text of at most `limit` characters, runs of white space made one; may be empty."""
    return _memoised(lambda raw: _clean(raw, limit))


class Key:
    """Text that identifies something: as `text`, and never empty."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __call__(self, raw: str) -> str:
        if "\n" in raw.strip():
            raise Refused(_("contains a line break"), _("close the double quote that was opened before it"))
        value = _clean(raw, self._limit)
        if not value:
            raise Refused(_("is empty"), _("every line needs one: fill it in, or remove the line"))
        return value

    def column(self, raws: Sequence[str]) -> Sequence[str]:
        """Many at once: nearly always there is nothing to clean, which can be seen for all of them together."""
        if "".join(raws).isalnum() and all(raws) and max(map(len, raws)) <= self._limit:
            return raws
        return [self(raw) for raw in raws]


def column(parse: Callable[[str], Any], raws: Sequence[str]) -> Sequence[Any]:
    """The values of one column of many lines."""
    if isinstance(parse, Key):
        return parse.column(raws)
    if raws.count(raws[0]) == len(raws):
        return [parse(raws[0])] * len(raws)
    return list(map(parse, raws))


@_memoised
def line_number(raw: str) -> str:
    value = raw.strip()
    if not _WHOLE.fullmatch(value) or int(value) > _LARGEST_LINE_NO:
        raise Refused(_("is no line number"), _("write a whole number such as 1"))
    return str(int(value))


def _number(raw: str, places: int, what: str, example: str) -> Decimal:
    value = raw.strip()
    if not _NUMBER.fullmatch(value):
        raise Refused(what, _("write digits and a point only, such as %(example)s") % {"example": example})
    number = Decimal(value)
    if abs(number) >= 10 ** (12 - places) - 1:
        raise Refused(_("is too large a number"), _("write the real figure"))
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@_memoised_numbers
def quantity(raw: str) -> str:
    """Below zero is a return, zero a line that moved nothing; thousandths are kept (goods sold by weight)."""
    return str(_number(raw, 3, _("is no quantity"), "2"))


def _price(raw: str, places: int) -> str:
    price = _number(raw, places, _("is no price"), "12.50")
    if price < 0:
        raise Refused(_("is a price below zero"), _("write the price as paid; a return has a quantity below zero"))
    return str(price)


@_memoised_numbers
def price_paid(raw: str) -> str:
    return _price(raw, 4)


@_memoised_numbers
def price_asked(raw: str) -> str | None:
    """The price of an offer, or None for a product that has none (empty or 0: nothing is given away by a gap)."""
    if not raw.strip():
        return None
    price = _price(raw, 2)
    return price if Decimal(price) else None


@_memoised
def currency(raw: str) -> str:
    value = raw.strip().upper()
    if not _CURRENCY.fullmatch(value):
        raise Refused(_("is no currency code"), _("write the three letters of ISO 4217, such as TWD"))
    return value


def currency_or_none(raw: str) -> str:
    return currency(raw) if raw.strip() else ""


@_memoised
def flag(raw: str) -> bool:
    """Yes or no; empty is no."""
    try:
        return bool(_FLAGS[raw.strip().lower()])
    except KeyError:
        raise Refused(_("is neither true nor false"), _("write true or false")) from None


def choice(*values: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        value = raw.strip().lower()
        if value not in values:
            raise Refused(
                _("is not one of the values known"), _("write one of: %(values)s") % {"values": ", ".join(values)}
            )
        return value

    return parse


def email(raw: str) -> str:
    """Lower case, since e-mails are compared that way; may be empty."""
    value = _clean(raw, 254).lower()
    if value:
        try:
            validate_email(value)
        except ValidationError:
            raise Refused(_("is no e-mail address"), _("correct it, or leave it empty")) from None
    return value


def phone(region: str) -> Callable[[str], str]:
    """E.164; numbers without a country code are of `region`. May be empty."""

    def parse(raw: str) -> str:
        value = raw.strip()
        if not value:
            return ""
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise Refused(
                _("is no phone number"), _("write it with its country code, such as +886912345678, or leave it empty")
            )
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    return parse


def _in_history(day: date, latest: date) -> None:
    if day.year < _EARLIEST or day > latest:
        raise Refused(
            _("is an impossible date: before %(first)d or in the future") % {"first": _EARLIEST}, _("correct it")
        )


def day(latest: date) -> Callable[[str], str | None]:
    """A calendar day not after `latest`, as YYYY-MM-DD; None when empty."""

    def parse(raw: str) -> str | None:
        value = raw.strip()
        if not value:
            return None
        if not _DATE.fullmatch(value):
            raise Refused(_("is no date"), _("write it as 2017-01-31"))
        try:
            found = date.fromisoformat(value)
        except ValueError:
            raise Refused(_("is an impossible date: the calendar has no such day"), _("correct it")) from None
        _in_history(found, latest)
        return value

    return parse


def moment(latest: datetime) -> Callable[[str], tuple[str, str]]:
    """A date and time with offset, not more than a day after `latest`, as (moment in UTC, day of the place)."""
    last = (latest + timedelta(days=1)).date()

    @_memoised
    def parse(raw: str) -> tuple[str, str]:
        value = raw.strip()
        if not _MOMENT.match(value):
            raise Refused(_("is no date and time"), _("write it as 2017-01-31T18:30:00+08:00"))
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            raise Refused(
                _("is an impossible date: the calendar or the clock has no such moment"), _("correct it")
            ) from None
        if found.tzinfo is None:
            raise Refused(
                _("has no offset from UTC, so the moment is not clear"),
                _("add the offset of the place: %(example)s") % {"example": value + "+08:00"},
            )
        _in_history(found.date(), last)
        return _utc(found), value[: len("2017-01-31")]

    return parse


def joining(latest: datetime, zone: ZoneInfo) -> Callable[[str], tuple[str | None, str | None]]:
    """When a member joined, as (moment in UTC, day): a moment with offset, or a day, which begins in `zone`."""
    of_day = day((latest + timedelta(days=1)).date())
    of_moment = moment(latest)

    def parse(raw: str) -> tuple[str | None, str | None]:
        value = raw.strip()
        if len(value) > len("2017-01-31"):
            return of_moment(value)
        found = of_day(value)
        if found is None:
            return None, None
        return _utc(datetime.combine(date.fromisoformat(found), time(), zone)), found

    return parse


def _utc(found: datetime) -> str:
    """As Django writes it on SQLite; PostgreSQL reads it in the session's zone, which Django keeps at UTC."""
    return found.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


@_memoised
def package(raw: str) -> tuple[str | None, str]:
    """ "16 OZ" as ("16.000", "OZ"); whatever cannot be understood is (None, ""), never a reason to refuse a product."""
    found = _PACKAGE.fullmatch(" ".join(raw.split()))
    if not found or len(found[2]) > 20:
        return None, ""
    try:
        size = _number(found[1], 3, "", "")
    except Refused:
        return None, ""
    return (str(size), found[2]) if size > 0 else (None, "")


def in_both_languages(name: str) -> tuple[str, str]:
    """A name of the export as (Chinese, English): an export has one, and its script tells which it is."""
    return (name, "") if _CHINESE.search(name) else ("", name)


@_memoised
def slug(name: str, limit: int) -> str:
    """A code for `name` of at most `limit` characters; a name that Latin letters cannot hold gets a short digest."""
    plain = slugify(name)
    if (plain and len(plain) <= limit and name.isascii()) or not name:
        return plain
    digest = sha256(name.encode()).hexdigest()[:10]
    return f"{plain[: limit - 11]}-{digest}".lstrip("-")
