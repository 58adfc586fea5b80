"""Staff make two records one in the admin: found, compared, done once, taken back."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import merges
from accounts.models import Merge, User
from shop.models import Purchase
from tests.accounts.conftest import ask_for_code, enter_code, signed_in_as
from tests.admin_contract import (
    assert_only_for_staff,
    assert_queries_stay_the_same,
    assert_read_only,
    change,
    changelist,
    sign_in,
)
from tests.factories import AddressFactory, MemberFactory, PurchaseFactory

pytestmark = pytest.mark.django_db

MERGING = ("view_user", "view_contacts", "merge_members", "view_merge")


@pytest.fixture
def staff(client) -> User:
    return sign_in(client, *MERGING)


@pytest.fixture
def kept() -> User:
    return MemberFactory(name="Lin Mei", email="mei@example.com", language="en")


@pytest.fixture
def merged() -> User:
    return MemberFactory(name="Lin Mei", email="", phone="+886912345678", claimed_at=None)


def compare(kept: User, merged: User) -> str:
    return reverse("admin:accounts_user_compare", args=[kept.pk, merged.pk])


def test_records_that_share_a_name_are_offered_and_others_found(client, staff, kept, merged):
    other = MemberFactory(name="Chen", phone="+886922222222")
    url = reverse("admin:accounts_user_merge", args=[kept.pk])
    assert url in client.get(change(kept)).text
    assert client.get(url).context["found"] == [merged]
    assert client.get(url, {"q": "922222222"}).context["found"] == [other]
    assert "No record has that" in client.get(url, {"q": "nobody"}).text


def test_the_comparison_shows_both_and_counts_what_moves(client, staff, kept, merged):
    PurchaseFactory(member=merged)
    AddressFactory(member=merged)
    page = client.get(compare(kept, merged))
    assert page.status_code == 200
    assert "+886912345678" in page.text
    assert "is taken over" in page.text
    assert {(row.table, row.moves) for row in page.context["preview"].tables} == {("purchases", 1), ("addresses", 1)}
    assert "style=" not in page.text
    assert not Merge.objects.exists()


def test_merged_once_however_often_it_is_sent(client, staff, kept, merged):
    PurchaseFactory(member=merged)
    first = client.post(compare(kept, merged), follow=True)
    assert "is now one with" in first.text
    second = client.post(compare(kept, merged), follow=True)
    assert "inactive" in second.text
    done = Merge.objects.get()
    assert (done.kept, done.merged, done.by) == (kept, merged, staff)
    assert Purchase.objects.get().member == kept


def test_two_who_both_sign_in_are_refused_with_the_mend(client, staff, kept):
    other = MemberFactory()
    page = client.get(compare(kept, other))
    assert "Ask the member which to keep" in page.text
    assert "Exchange" not in page.text
    assert "Ask the member which to keep" in client.post(compare(kept, other), follow=True).text
    assert not Merge.objects.exists()


def test_the_one_who_signs_in_is_the_one_to_keep(client, staff, kept, merged):
    page = client.get(compare(merged, kept))
    assert "Exchange the two" in page.text
    assert compare(kept, merged) in page.text


def test_taken_back_from_the_list_of_merges(client, staff, kept, merged):
    PurchaseFactory(member=merged)
    client.post(compare(kept, merged))
    done = Merge.objects.get()
    assert client.get(changelist(Merge)).status_code == 200
    assert "Take back" in client.get(change(done)).text
    url = reverse("admin:accounts_merge_take_back", args=[done.pk])
    assert client.get(url).status_code == 403
    assert "on their own again" in client.post(url, follow=True).text
    assert Purchase.objects.get().member == merged
    assert "taken back before" in client.post(url, follow=True).text


def test_after_thirty_days_the_button_is_gone(client, staff, kept, merged):
    client.post(compare(kept, merged))
    Merge.objects.update(undo_until=timezone.now() - timedelta(seconds=1))
    page = client.get(change(Merge.objects.get())).text
    assert "take-back" not in page
    assert "they are over" in page


def test_nobody_merges_without_the_permission(client, kept, merged):
    sign_in(client, "view_user", "change_user", "view_contacts", "view_merge")
    done = merges.merge(
        kept=MemberFactory(), merged=MemberFactory(claimed_at=None), by=MemberFactory(), at=timezone.now()
    )
    assert client.get(compare(kept, merged)).status_code == 403
    assert client.post(compare(kept, merged)).status_code == 403
    assert client.get(reverse("admin:accounts_user_merge", args=[kept.pk])).status_code == 403
    assert client.post(reverse("admin:accounts_merge_take_back", args=[done.pk])).status_code == 403
    assert "take-back" not in client.get(change(done)).text
    done.refresh_from_db()
    assert done.undone_at is None


def test_the_lists_are_for_staff_and_stay_as_they_are(client, kept, merged):
    assert_only_for_staff(client, changelist(Merge))
    staff = sign_in(client, superuser=True)
    assert_read_only(client, merges.merge(kept=kept, merged=merged, by=staff, at=timezone.now()))


def test_a_longer_list_of_merges_asks_no_more_questions(client):
    staff = sign_in(client, superuser=True)

    def make() -> None:
        merges.merge(kept=MemberFactory(), merged=MemberFactory(claimed_at=None), by=staff, at=timezone.now())

    assert_queries_stay_the_same(client, changelist(Merge), make)


def test_all_pages_open_in_chinese(client, kept, merged):
    sign_in(client, superuser=True, language="zh-hant")
    for url in [compare(kept, merged), reverse("admin:accounts_user_merge", args=[kept.pk]), change(kept)]:
        assert client.get(url).status_code == 200


def test_whoever_signs_in_with_the_moved_contact_gets_into_the_kept_record(client, staff, newest_code):
    kept = MemberFactory(email="", phone="", claimed_at=None, language="en")
    merged = MemberFactory(email="lin@example.com", claimed_at=None)
    client.post(compare(kept, merged))
    browser = Client()
    ask_for_code(browser, "lin@example.com")
    enter_code(browser, newest_code())
    assert signed_in_as(browser) == str(kept.pk)
    kept.refresh_from_db()
    assert kept.claimed_at is not None
