"""What a member bought, from our own orders and from imports, as one history."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Exists, FloatField, Func, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Least, TruncDate

from accounts.models import User
from shop.models import Order, OrderLine, Purchase

_CHUNK = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)
_QUARTER = 15 * 60 * 1_000_000


class Bought(NamedTuple):
    """One line of one purchase, as plain numbers: millions of them are read in a night.

    `at`: microseconds since 1970 in UTC. `day`: days since 1970-01-01, the calendar day where it was bought.
    A `quantity` below zero is a return.
    """

    member_id: int
    product_id: int
    store_id: int
    at: int
    day: int
    quantity: float
    unit_price: Decimal
    currency: str
    need_id: int | None
    category_id: int | None
    package_size: float | None


class _Number(Func):
    """A number as the database makes it: what Python and Django do to each value takes longer than all the rest."""

    output_field = FloatField()
    template = "CAST(%(expressions)s AS double precision)"

    def get_db_converters(self, connection):
        return []


class _Microseconds(_Number):
    template = "(EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint"

    def as_sqlite(self, compiler, connection, **context):
        # A moment is kept as text there, with six digits behind the point or without a point; seconds alone are exact.
        whole, rest = "strftime('%%%%s', substr(%(expressions)s, 1, 19))", "substr(%(expressions)s, 21)"
        template = f"(CAST({whole} AS integer) * 1000000 + CAST({rest} AS integer))"
        return self.as_sql(compiler, connection, template=template, **context)


class _DayNumber(_Number):
    template = "(%(expressions)s - DATE '1970-01-01')"

    def as_sqlite(self, compiler, connection, **context):
        template = "CAST(julianday(%(expressions)s) - 2440587.5 AS integer)"
        return self.as_sql(compiler, connection, template=template, **context)


def bought(*, until: datetime, member_ids: Iterable[int] | None = None) -> Iterator[Bought]:
    """All lines up to a moment, of some members or of everybody, streamed in no particular order.

    An order of our own counts from the moment it is placed until it is undone.
    """
    imported = Purchase.objects.filter(purchased_at__lte=until)
    ordered = OrderLine.objects.filter(order__placed_at__lte=until).exclude(order__status=Order.Status.UNDONE)
    if member_ids is not None:
        member_ids = list(member_ids)
        imported = imported.filter(member__in=member_ids)
        ordered = ordered.filter(order__member__in=member_ids)
    facts = ("product__need_id", "product__category_id", _Number("product__package_size"))
    yield from map(
        Bought._make,
        imported.values_list(
            "member_id",
            "product_id",
            "channel__store_id",
            _Microseconds("purchased_at"),
            _DayNumber("purchased_on"),
            _Number("quantity"),
            "unit_price",
            "currency",
            *facts,
        ).iterator(chunk_size=_CHUNK),
    )
    local = _LocalDays()
    for member_id, product_id, store_id, at, zone, *rest in ordered.values_list(
        "order__member_id",
        "product_id",
        "order__store_id",
        _Microseconds("order__placed_at"),
        "order__member__time_zone",
        _Number("quantity"),
        "unit_price",
        "order__currency",
        *facts,
    ).iterator(chunk_size=_CHUNK):
        yield Bought(member_id, product_id, store_id, at, local[at // _QUARTER, zone], *rest)


def count_lines(*, until: datetime) -> int:
    """How many lines there are up to a moment, those of undone orders included."""
    return (
        Purchase.objects.filter(purchased_at__lte=until).count()
        + OrderLine.objects.filter(order__placed_at__lte=until).count()
    )


def moment(microseconds: int) -> datetime:
    """The `at` of a line as a moment."""
    return _EPOCH + microseconds * _MICROSECOND


class _LocalDays(dict[tuple[int, str], int]):
    """The day number in a zone of each quarter of an hour asked for: no zone begins a day in between."""

    def __missing__(self, key: tuple[int, str]) -> int:
        quarter, zone = key
        self[key] = day = moment(quarter * _QUARTER).astimezone(ZoneInfo(zone)).toordinal() - _EPOCH_ORDINAL
        return day


def is_returning(member, at: datetime) -> bool:
    """Whether somebody signed in has at least one completed purchase, in any store: only these have a list.

    Completed is an imported line that moved goods, or an own order whose undo window is over.
    """
    if not member.is_authenticated:
        return False
    return User.objects.filter(completed(at), pk=member.pk).exists()


def returning_members(at: datetime):
    """A query of every member with a completed purchase."""
    return User.objects.filter(completed(at))


def completed(at: datetime, *, member: str = "pk") -> Q:
    """Rows whose member (the column `member`) has a completed purchase: for queries that want it in one statement."""
    imported = Purchase.objects.filter(member=OuterRef(member), quantity__gt=0)
    ordered = Order.objects.filter(
        Q(status=Order.Status.SETTLED) | Q(status=Order.Status.PLACED, errand__undo_until__lte=at),
        member=OuterRef(member),
    )
    return Q(Exists(imported)) | Q(Exists(ordered))


def first_bought(*, member: str, product: str, after: str, until: datetime) -> tuple[Subquery, Subquery]:
    """When a row's member first bought its product later than its moment `after`: by own order, and by import.

    The arguments name columns of the query that the two are put in; null where it was not bought by `until`. An own
    order counts once it can no longer be undone, so that an answer stays as it is; a return is no purchase.
    """
    ordered = OrderLine.objects.filter(
        Q(order__status=Order.Status.SETTLED)
        | Q(order__status=Order.Status.PLACED, order__errand__undo_until__lte=until),
        order__member=OuterRef(member),
        product=OuterRef(product),
        order__placed_at__gt=OuterRef(after),
        order__placed_at__lte=until,
    )
    imported = Purchase.objects.filter(
        member=OuterRef(member),
        product=OuterRef(product),
        quantity__gt=0,
        purchased_at__gt=OuterRef(after),
        purchased_at__lte=until,
    )
    return (
        Subquery(ordered.order_by("order__placed_at").values("order__placed_at")[:1]),
        Subquery(imported.order_by("purchased_at").values("purchased_at")[:1]),
    )


def first_day(*, member: str = "pk") -> Least:
    """The day when a row's member (the column `member`) first bought anything; null for who has not."""
    imported = Subquery(
        Purchase.objects.filter(member=OuterRef(member), quantity__gt=0)
        .order_by("purchased_at")
        .values("purchased_on")[:1]
    )
    ordered = Subquery(
        Order.objects.filter(member=OuterRef(member))
        .exclude(status=Order.Status.UNDONE)
        .order_by("placed_at")
        .values(day=TruncDate("placed_at"))[:1]
    )
    # SQLite's least of something and nothing is nothing.
    return Least(Coalesce(imported, ordered), Coalesce(ordered, imported))


def had_bought(*, by: datetime, member: str = "pk") -> Q:
    """Rows whose member (the column `member`) had bought something, anywhere, by a moment."""
    imported = Purchase.objects.filter(member=OuterRef(member), purchased_at__lte=by, quantity__gt=0)
    ordered = Order.objects.filter(member=OuterRef(member), placed_at__lte=by).exclude(status=Order.Status.UNDONE)
    return Q(Exists(imported)) | Q(Exists(ordered))


def reaches() -> datetime | None:
    """The moment of the newest line: a shop that only imports knows nothing of the days after it."""
    newest = (
        Purchase.objects.aggregate(newest=Max("purchased_at"))["newest"],
        Order.objects.aggregate(newest=Max("placed_at"))["newest"],
    )
    return max(filter(None, newest), default=None)
