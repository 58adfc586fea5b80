"""The list of doubtful birthdays: who sees it, what is on it, and the three ways to mend one."""

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from accounts import birthdays
from accounts.models import DoubtfulBirthday, User
from tests.admin_contract import (
    assert_found_by,
    assert_only_for_staff,
    assert_queries_stay_the_same,
    changelist,
    shown,
    sign_in,
)
from tests.factories import ErrandFactory, MemberFactory, OrderFactory, PurchaseFactory

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:accounts_doubtfulbirthday_changelist")


@pytest.fixture
def staff(client) -> User:
    return sign_in(client, "mend_birthdays")


def doubtful(**changes) -> User:
    return MemberFactory(**{"birthday": date(1990, 1, 1), "birthday_doubts": ["new_year"], **changes})


def _act(client, action: str, *members: User):
    chosen = {"action": action, "_selected_action": [member.pk for member in members]}
    return client.post(PAGE, chosen, follow=True)


def _edit(client, member: User, birthday: str):
    form = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": str(member.pk),
        "form-0-birthday": birthday,
        "_save": "Save",
    }
    return client.post(PAGE, form, follow=True)


def test_it_is_for_those_who_may_mend_birthdays_and_nobody_else(client):
    doubtful()
    assert_only_for_staff(client, PAGE)
    sign_in(client, "change_user", "view_user")
    assert client.get(PAGE).status_code == 403
    sign_in(client, "mend_birthdays")
    assert client.get(PAGE).status_code == 200
    assert "Doubtful birthdays" in client.get(reverse("admin:index")).text


def test_it_lists_the_doubtful_ones_with_what_speaks_against_them(client, staff):
    mei = doubtful(
        name="Lin Mei",
        birthday=date(2009, 1, 1),
        birthday_doubts=["first_purchase_day", "new_year"],
        joined_at=datetime(2012, 3, 1, 20, 0, tzinfo=UTC),
        email="mei@example.com",
    )
    PurchaseFactory(member=mei, purchased_at=datetime(2009, 1, 1, 4, 0, tzinfo=UTC))
    MemberFactory(birthday=date(1990, 5, 5))
    MemberFactory(birthday=None)
    assert shown(client, DoubtfulBirthday) == {mei.pk}
    page = client.get(PAGE).text
    for words in (mei.member_no, "Lin Mei", "the day of the first purchase · 1 January", "03/02/2012", "01/01/2009"):
        assert words in page
    assert "mei@example.com" not in page


def test_the_first_purchase_is_the_earliest_of_orders_and_imports(client, staff):
    mei, ann = doubtful(), doubtful()
    PurchaseFactory(member=mei, purchased_at=datetime(2020, 6, 1, 4, 0, tzinfo=UTC))
    PurchaseFactory(member=mei, purchased_at=datetime(2020, 5, 1, 4, 0, tzinfo=UTC), quantity=-1)
    OrderFactory(errand=ErrandFactory(member=mei, placed_at=datetime(2021, 6, 1, 4, 0, tzinfo=UTC)))
    at = datetime(2022, 6, 1, 20, 0, tzinfo=UTC)
    OrderFactory(errand=ErrandFactory(member=ann, placed_at=at))
    undone = datetime(2021, 6, 1, 4, 0, tzinfo=UTC)
    OrderFactory(errand=ErrandFactory(member=ann, placed_at=undone), status="undone", undone_at=undone)
    rows = client.get(PAGE).context["cl"].result_list
    assert {row.pk: row.first_bought for row in rows} == {mei.pk: date(2020, 6, 1), ann.pk: date(2022, 6, 2)}


def test_it_is_filtered_by_doubt_and_searched(client, staff):
    mei = doubtful(name="Lin Mei", member_no="M77")
    ann = doubtful(birthday_doubts=["impossible_age", "shared"])
    assert shown(client, DoubtfulBirthday, doubt="new_year") == {mei.pk}
    assert shown(client, DoubtfulBirthday, doubt="shared") == {ann.pk}
    assert_found_by(client, DoubtfulBirthday.objects.get(pk=mei.pk), ["Lin Mei", "M77"])


def test_it_asks_as_much_of_many_as_of_few(client, staff):
    assert_queries_stay_the_same(client, PAGE, doubtful)


def test_confirmed_ones_are_believed_from_then_on(client, staff):
    mei, ann = doubtful(), doubtful()
    page = _act(client, "confirm", mei)
    mei.refresh_from_db()
    assert (mei.birthday, mei.birthday_doubts, mei.birthday_source) == (date(1990, 1, 1), [], "staff")
    assert mei.birthday_confirmed_at is not None
    assert "1 birthday is confirmed." in page.text
    assert shown(client, DoubtfulBirthday) == {ann.pk}
    assert User.history.filter(id=mei.pk, history_user=staff, birthday_source="staff").exists()


def test_a_corrected_one_is_confirmed(client, staff):
    mei = doubtful()
    _edit(client, mei, "1990-04-03")
    mei.refresh_from_db()
    assert (mei.birthday, mei.birthday_doubts, mei.birthday_source) == (date(1990, 4, 3), [], "staff")
    assert mei.birthday_confirmed_at is not None


def test_one_that_nobody_can_have_is_refused(client, staff):
    mei = doubtful()
    assert "Nobody who shops here can be born on this day." in _edit(client, mei, "2999-01-02").text
    mei.refresh_from_db()
    assert (mei.birthday, mei.birthday_doubts) == (date(1990, 1, 1), ["new_year"])


def test_saving_an_untouched_list_confirms_nothing(client, staff):
    mei = doubtful()
    _edit(client, mei, "1990-01-01")
    mei.refresh_from_db()
    assert mei.birthday_confirmed_at is None


def test_a_forgotten_one_can_be_taken_back_for_a_while(client, staff):
    mei, ann = doubtful(birthday_source="import"), doubtful()
    page = _act(client, "forget", mei, ann)
    assert "2 birthdays are forgotten." in page.text
    mei.refresh_from_db()
    assert (mei.birthday, mei.birthday_source, mei.birthday_doubts) == (None, "staff", [])
    (message,) = page.context["messages"]
    undo = str(message).split('href="')[1].split('"')[0]
    assert "2 birthdays were forgotten" in client.get(undo).text
    mei.refresh_from_db()
    assert mei.birthday is None, "a GET only asks"
    User.objects.filter(pk=ann.pk).update(birthday=date(1991, 2, 2))
    assert "1 birthday is back." in client.post(undo, follow=True).text
    mei.refresh_from_db()
    ann.refresh_from_db()
    assert (mei.birthday, mei.birthday_source, mei.birthday_doubts) == (date(1990, 1, 1), "import", ["new_year"])
    assert ann.birthday == date(1991, 2, 2)
    assert "can no longer be undone" in client.post(undo, follow=True).text


def test_what_was_forgotten_does_not_come_back_to_somebody_erased_since(now):
    mei = doubtful()
    forgotten = birthdays.forget(User.objects.all())
    User.objects.filter(pk=mei.pk).update(name="", email="", is_active=False, erased_at=now)
    assert birthdays.remember(forgotten) == 0
    assert User.objects.get(pk=mei.pk).birthday is None


def test_only_who_may_mend_can_undo(client, staff):
    page = _act(client, "forget", doubtful())
    undo = str(next(iter(page.context["messages"]))).split('href="')[1].split('"')[0]
    sign_in(client, "view_user")
    assert client.post(undo).status_code == 403


def test_there_is_no_page_of_everything_about_a_member(client):
    sign_in(client, superuser=True)
    mei = doubtful()
    for rest in (f"{mei.pk}/change/", f"{mei.pk}/history/", f"{mei.pk}/delete/", "add/"):
        assert client.get(f"{changelist(DoubtfulBirthday)}{rest}").status_code == 404
