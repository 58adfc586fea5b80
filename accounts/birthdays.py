"""Birthdays: where they come from, which of them are none, and whom one may congratulate.

A form that insists on a birthday gets one: the day it is filled in, the first of January, whatever stands at the top of
the wheel. `flag` finds those by rules over all members and writes what speaks against each into
User.birthday_doubts; a birthday that its owner or staff gave is believed and not asked about again.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import (
    Case,
    Count,
    DateField,
    F,
    FloatField,
    JSONField,
    Q,
    QuerySet,
    TextChoices,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat, Substr, TruncDate
from django.utils.translation import gettext_lazy as _

from accounts.models import User, record_update

# Younger than this nobody signs up alone: such a date is a child's, or the day of joining a few years off.
YOUNGEST = 13
# Older than this are a handful of people in the world.
OLDEST = 110
_YEAR = timedelta(days=365.25)


class Doubt(TextChoices):
    JOIN_DAY = "join_day", _("the day of joining")
    FIRST_PURCHASE_DAY = "first_purchase_day", _("the day of the first purchase")
    NEW_YEAR = "new_year", _("1 January")
    IMPOSSIBLE_AGE = "impossible_age", _("an impossible age")
    SHARED = "shared", _("too many have the same one")


class Certainty(TextChoices):
    SURE = "sure", _("Confirmed")
    LIKELY = "likely", _("Probably right")
    DOUBTFUL = "doubtful", _("Doubtful")
    UNKNOWN = "unknown", _("Not known")


class Impossible(ValidationError):
    """In the future, or longer ago than anybody lives."""

    def __init__(self) -> None:
        super().__init__(_("Nobody who shops here can be born on this day."), code="impossible_birthday")


def certainty(member: User) -> Certainty:
    """How far the member's birthday is to be believed."""
    if member.birthday is None:
        return Certainty.UNKNOWN
    if member.birthday_confirmed_at is not None:
        return Certainty.SURE
    return Certainty.DOUBTFUL if member.birthday_doubts else Certainty.LIKELY


def may_congratulate(members: QuerySet[User]) -> QuerySet[User]:
    """Those of the members whose birthday is known and not doubted: nobody else gets a message for it."""
    return members.filter(birthday__isnull=False, birthday_doubts=[])


@transaction.atomic
def change(*, member: User, birthday: date | None, source: str, at: datetime) -> User:
    """Write down a birthday, or with None forget it. What the member or staff say is believed, 1 January as well.

    Who forgot it stays written down, so that the next import does not bring it back.

    `source` is one of User.BirthdaySource. Raises Impossible.
    """
    if birthday is not None:
        check(birthday, member=member, at=at)
    is_believed = birthday is not None and source in {User.BirthdaySource.MEMBER, User.BirthdaySource.STAFF}
    changes: dict[str, object] = {
        "birthday": birthday,
        "birthday_source": source,
        "birthday_doubts": [],
        "birthday_confirmed_at": at if is_believed else None,
    }
    kept = User.objects.select_for_update().get(pk=member.pk)
    for field, value in changes.items():
        setattr(kept, field, value)
        setattr(member, field, value)
    kept.save(update_fields=list(changes))
    return member


def check(birthday: date, *, member: User, at: datetime) -> None:
    """Raise Impossible unless somebody where the member lives can have this birthday."""
    today = at.astimezone(ZoneInfo(member.time_zone)).date()
    if not _years_before(today, OLDEST) <= birthday <= today:
        raise Impossible


def confirm(members: QuerySet[User], *, at: datetime) -> int:
    """Staff know these birthdays to be right as they are; returns how many."""
    known = members.filter(birthday__isnull=False, birthday_confirmed_at__isnull=True)
    return len(
        record_update(known, birthday_source=User.BirthdaySource.STAFF, birthday_doubts=[], birthday_confirmed_at=at)
    )


Forgotten = dict[int, tuple[date | None, str, list[str]]]
"""By member id: a birthday, where it came from, what spoke against it."""


@transaction.atomic
def forget(members: QuerySet[User]) -> Forgotten:
    """Forget the doubtful birthdays among these; what `remember` needs to take it back."""
    doubtful = members.filter(birthday__isnull=False).exclude(birthday_doubts=[])
    rows = doubtful.select_for_update().order_by("pk")
    forgotten: Forgotten = {
        pk: (birthday, source, doubts)
        for pk, birthday, source, doubts in rows.values_list("pk", "birthday", "birthday_source", "birthday_doubts")
    }
    record_update(
        User.objects.filter(pk__in=forgotten),
        birthday=None,
        birthday_source=User.BirthdaySource.STAFF,
        birthday_doubts=[],
    )
    return forgotten


@transaction.atomic
def remember(forgotten: Forgotten) -> int:
    """Put back what was forgotten, unless another was written down or the member erased meanwhile; returns how many."""
    still = User.objects.filter(pk__in=forgotten, birthday__isnull=True, erased_at__isnull=True)
    members = list(still.select_for_update().order_by("pk"))
    for member in members:
        member.birthday, member.birthday_source, member.birthday_doubts = forgotten[member.pk]
        member.save(update_fields=["birthday", "birthday_source", "birthday_doubts"])
    return len(members)


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def flag(*, today: date, first_bought: Combinable) -> int:
    """Find what speaks against every birthday that nobody confirmed; returns for how many members that changed.

    `first_bought` is an expression over members: the day of the first purchase, null for who bought nothing. The same
    few statements however many members there are. Looking takes seconds in a large shop and hinders nobody: only then
    are the changed rows locked, in the order of their ids, and written. Who confirms a birthday meanwhile is left
    alone. Not for the inside of a transaction, which on SQLite would keep all who write waiting.
    """
    members = User.objects.filter(birthday_confirmed_at__isnull=True)
    sql, params = members.values("pk", found=_as_list(_rules(today, first_bought))).query.sql_with_params()
    lock = connection.ops.for_update_sql(of=("u",)) if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE accounts_doubts AS SELECT f.pk, f.found FROM ({sql}) AS f "  # noqa: S608
            "JOIN accounts_user u ON u.id = f.pk WHERE u.birthday_doubts <> f.found",
            params,
        )
        try:
            cursor.execute(
                "UPDATE accounts_user SET birthday_doubts = due.found FROM ("  # noqa: S608
                "SELECT u.id, d.found FROM accounts_doubts d JOIN accounts_user u ON u.id = d.pk "
                f"WHERE u.birthday_confirmed_at IS NULL ORDER BY u.id {lock}"
                ") AS due WHERE accounts_user.id = due.id"
            )
            return cursor.rowcount
        finally:
            cursor.execute("DROP TABLE accounts_doubts")


def _rules(today: date, first_bought: Combinable) -> dict[Doubt, Q]:
    """When a birthday is doubted. Days are those of the shop's time zone: who is a day off is too young besides."""
    youngest_joined = TruncDate(F("joined_at") - Value(_YEAR * YOUNGEST), output_field=DateField())
    return {
        Doubt.JOIN_DAY: Q(birthday=TruncDate("joined_at")),
        Doubt.FIRST_PURCHASE_DAY: Q(birthday=first_bought),
        Doubt.NEW_YEAR: Q(birthday__month=1, birthday__day=1),
        Doubt.IMPOSSIBLE_AGE: Q(birthday__gt=youngest_joined) | Q(birthday__lt=_years_before(today, OLDEST)),
        Doubt.SHARED: Q(birthday__in=_crowded()),
    }


def _crowded() -> QuerySet:
    """The birthdays that too many share: more than five members and four times as many as that year has for a day.

    Measured against the members born in the same year, because most members of a shop are about as old as each other.
    Births differ by the season, by half at most, and chance adds to it; among a million members whose dates are right
    less than one date in ten thousand is crowded.
    """
    years = User.objects.filter(birthday__isnull=False).values_list("birthday__year").annotate(born=Count("pk"))
    limit = Case(
        *[When(birthday__year=year, then=Value(5 + 4 * born / 365)) for year, born in years],
        default=Value(5.0),
        output_field=FloatField(),
    )
    days = User.objects.filter(birthday__isnull=False).values("birthday").annotate(members=Count("pk"))
    return days.filter(members__gt=limit).values("birthday")


def _as_list(rules: dict[Doubt, Q]) -> Cast:
    """The doubts whose rule holds as a JSON list, written as Django writes it."""
    items = [Case(When(rule, then=Value(f', "{doubt}"')), default=Value("")) for doubt, rule in rules.items()]
    return Cast(Concat(Value("["), Substr(Concat(*items), 3), Value("]"), output_field=TextField()), JSONField())
