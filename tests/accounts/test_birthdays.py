import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction
from django.db.models import DateField, Value
from django.test.utils import CaptureQueriesContext

from accounts import birthdays
from accounts.birthdays import Certainty, Doubt, certainty, flag, may_congratulate
from accounts.models import User
from tests.factories import MemberFactory

TODAY = date(2026, 11, 18)
NEVER = Value(None, output_field=DateField())
JOINED = datetime(2024, 5, 6, 4, 0, tzinfo=UTC)


def member(**changes) -> User:
    return MemberFactory(**{"birthday": date(1987, 12, 18), "joined_at": JOINED, **changes})


def doubts(member: User, first_bought: date | None = None) -> list[str]:
    flag(today=TODAY, first_bought=Value(first_bought, output_field=DateField()))
    member.refresh_from_db()
    return member.birthday_doubts


# ------------------------------------------------------------------ change


@pytest.mark.parametrize("source", ["member", "staff"])
def test_change_believes_members_and_staff_even_the_first_of_january(db, now, source):
    mei = member(birthday_doubts=["new_year"])
    birthdays.change(member=mei, birthday=date(1990, 1, 1), source=source, at=now)
    assert doubts(mei) == []
    assert (mei.birthday, mei.birthday_source, mei.birthday_confirmed_at) == (date(1990, 1, 1), source, now)
    assert certainty(mei) == Certainty.SURE


def test_change_to_none_forgets_it_but_not_who_said_so(db, now):
    mei = member(birthday_source="member", birthday_confirmed_at=now)
    birthdays.change(member=mei, birthday=None, source="member", at=now)
    mei.refresh_from_db()
    assert (mei.birthday, mei.birthday_source, mei.birthday_confirmed_at) == (None, "member", None)
    assert certainty(mei) == Certainty.UNKNOWN


def test_change_by_an_import_is_not_taken_for_sure(db, now):
    mei = birthdays.change(member=member(), birthday=date(1990, 1, 1), source="import", at=now)
    assert doubts(mei) == [Doubt.NEW_YEAR]


@pytest.mark.parametrize("impossible", [date(2026, 11, 19), date(1916, 11, 17), date(1, 1, 1)])
def test_change_refuses_what_nobody_can_be_born_on(db, now, impossible):
    mei = member()
    with pytest.raises(birthdays.Impossible):
        birthdays.change(member=mei, birthday=impossible, source="member", at=now)
    mei.refresh_from_db()
    assert mei.birthday == date(1987, 12, 18)


def test_change_knows_today_where_the_member_is(db):
    late = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)  # the 19th in Taipei
    birthdays.change(member=member(), birthday=date(2026, 11, 19), source="member", at=late)
    with pytest.raises(birthdays.Impossible):
        birthdays.change(member=member(time_zone="UTC"), birthday=date(2026, 11, 19), source="member", at=late)


# ------------------------------------------------------------------ flag


def test_flag_leaves_an_ordinary_birthday_alone(db):
    mei = member()
    assert doubts(mei) == []
    assert certainty(mei) == Certainty.LIKELY


@pytest.mark.parametrize(
    ("changes", "first_bought", "expected"),
    [
        ({"birthday": date(2024, 5, 6)}, None, [Doubt.JOIN_DAY, Doubt.IMPOSSIBLE_AGE]),
        # 7 May in Taipei, where the shop is.
        (
            {"birthday": date(2024, 5, 7), "joined_at": datetime(2024, 5, 6, 20, 0, tzinfo=UTC)},
            None,
            [Doubt.JOIN_DAY, Doubt.IMPOSSIBLE_AGE],
        ),
        ({"birthday": date(2009, 3, 2)}, date(2009, 3, 2), [Doubt.FIRST_PURCHASE_DAY]),
        ({"birthday": date(2009, 3, 2)}, date(2009, 3, 3), []),
        ({"birthday": date(1990, 1, 1)}, None, [Doubt.NEW_YEAR]),
        ({"birthday": date(1990, 1, 2)}, None, []),
        ({"birthday": date(2011, 5, 5)}, None, []),
        ({"birthday": date(2011, 5, 8)}, None, [Doubt.IMPOSSIBLE_AGE]),
        ({"birthday": date(1916, 11, 18)}, None, []),
        ({"birthday": date(1916, 11, 17)}, None, [Doubt.IMPOSSIBLE_AGE]),
        ({"birthday": None}, date(2009, 3, 2), []),
    ],
)
def test_flag_finds_what_a_form_was_given_for_a_birthday(db, changes, first_bought, expected):
    assert doubts(member(**changes), first_bought) == expected


def test_flag_finds_a_date_that_too_many_share(db):
    same = [member(birthday=date(1980, 10, 10)) for _ in range(6)]
    family = [member(birthday=date(1981, 10, 10)) for _ in range(5)]
    assert doubts(same[0]) == [Doubt.SHARED]
    assert doubts(family[0]) == []
    # A shop with more members of that year has more of them on each day.
    MemberFactory.create_batch(100, birthday=date(1980, 3, 3))
    assert doubts(same[0]) == []


def test_flag_clears_what_no_longer_holds_and_counts_only_what_changed(db):
    mei, ann = member(birthday=date(1990, 1, 1)), member()
    assert flag(today=TODAY, first_bought=NEVER) == 1
    assert flag(today=TODAY, first_bought=NEVER) == 0
    User.objects.filter(pk=mei.pk).update(birthday=date(1990, 1, 2))
    User.objects.filter(pk=ann.pk).update(birthday=None, birthday_doubts=["new_year"])
    assert flag(today=TODAY, first_bought=NEVER) == 2
    assert set(User.objects.values_list("birthday", flat=True)) == {None, date(1990, 1, 2)}
    assert all(member.birthday_doubts == [] for member in User.objects.all())


def test_flag_asks_nothing_again_about_a_confirmed_one(db, now):
    assert doubts(member(birthday=date(1990, 1, 1), birthday_confirmed_at=now)) == []


# ------------------------------------------------------------------ may_congratulate


def test_may_congratulate_only_those_whose_birthday_is_known_and_not_doubted(db, now):
    likely, sure = member(), member(birthday=date(1990, 1, 1), birthday_confirmed_at=now)
    member(birthday=date(1991, 1, 1))
    member(birthday=None)
    flag(today=TODAY, first_bought=NEVER)
    assert set(may_congratulate(User.objects.all())) == {likely, sure}


# ------------------------------------------------------------------ many


def test_flag_takes_four_statements_for_a_hundred_thousand(db):
    """Right dates, but two thousand members on 1 January 1980 and two hundred on the day some form began with."""
    _fill(100_000)
    _give(date(1980, 1, 1), "5", 2000)
    _give(date(1977, 7, 7), "6", 200)
    with CaptureQueriesContext(connection) as captured:
        changed = flag(today=TODAY, first_bought=NEVER)
    assert len(captured) == 4
    doubted = User.objects.exclude(birthday_doubts=[])
    assert changed == doubted.count()
    assert doubted.filter(birthday=date(1980, 1, 1), birthday_doubts=["new_year", "shared"]).count() >= 2000
    assert doubted.filter(birthday=date(1977, 7, 7), birthday_doubts=["shared"]).count() >= 200
    assert not doubted.exclude(birthday__month=1, birthday__day=1).exclude(birthday=date(1977, 7, 7)).exists()


def _fill(count: int) -> None:
    """So many members born on the days of half a century: copies of one, made by the database."""
    MemberFactory(member_no="T", email="", joined_at=JOINED)
    day = "DATE '1950-01-02' + n * 7919 % 18250"
    if connection.vendor == "sqlite":
        day = "date('1950-01-02', (n * 7919 % 18250) || ' days')"
    columns = [field.column for field in User._meta.concrete_fields if field.column != "id"]
    values = [{"member_no": "CAST(n AS text)", "birthday": day}.get(column, column) for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO accounts_user ({', '.join(columns)}) "
            f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
            f"SELECT {', '.join(values)} FROM accounts_user CROSS JOIN numbers WHERE member_no = 'T'"
        )


def _give(birthday: date, numbers: str, count: int) -> None:
    chosen = User.objects.filter(member_no__startswith=numbers).order_by("pk").values("pk")[:count]
    User.objects.filter(pk__in=chosen).update(birthday=birthday)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_flag_leaves_alone_who_confirms_while_it_waits(now):
    """The change is not committed yet when flag comes to the row: it waits, and then sees what was confirmed."""
    mei = member(birthday=date(1990, 1, 1))
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        birthdays.change(member=mei, birthday=date(1991, 1, 1), source="member", at=now)
        flagging = pool.submit(_flag_in_a_thread)
        time.sleep(0.5)
        assert not flagging.done()
    assert flagging.result() == 0
    mei.refresh_from_db()
    assert (mei.birthday, mei.birthday_doubts) == (date(1991, 1, 1), [])


def _flag_in_a_thread() -> int:
    try:
        return flag(today=TODAY, first_bought=NEVER)
    finally:
        connection.close()
