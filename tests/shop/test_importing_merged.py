"""Exports go on to know a person by both numbers after staff made the two records one."""

from datetime import date

import pytest

from accounts import merges
from accounts.models import User
from shop.models import Purchase
from tests.factories import MemberFactory
from tests.shop.exports import AT, Export, bring, line, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(tmp_path):
    """M1 with neither e-mail nor birthday, M2 with both; each bought once."""
    export = Export(tmp_path / "export")
    export.members = [member(1, email="", birthday=""), member(2, joined_at="2016-05-01")]
    export.transactions = [line(1), line(2, member_no="M2")]
    return export


@pytest.fixture
def merged(export):
    bring(export.write())
    kept, merged = User.objects.order_by("member_no")
    return merges.merge(kept=kept, merged=merged, by=MemberFactory(email="staff@example.com", is_staff=True), at=AT)


def test_the_same_export_again_changes_nothing(export, merged):
    before = list(User.objects.order_by("pk").values()), list(Purchase.objects.order_by("pk").values())
    outcome, _rejects = bring(export.write())
    assert (list(User.objects.order_by("pk").values()), list(Purchase.objects.order_by("pk").values())) == before
    assert (outcome.counts["members"].changed, outcome.counts["transactions"].changed) == (0, 0)


def test_new_purchases_of_either_number_are_the_kept_ones(export, merged):
    export.transactions += [line(3, member_no="M2"), line(4)]
    bring(export.write())
    assert set(Purchase.objects.values_list("member__member_no", flat=True)) == {"M1"}
    assert Purchase.objects.count() == 4


def test_what_the_kept_record_took_over_is_not_emptied(export, merged):
    bring(export.write())
    kept = User.objects.get(member_no="M1")
    assert (kept.email, kept.birthday) == ("member2@example.com", date(1987, 12, 18))


def test_over_two_merges_purchases_end_with_the_last(export, merged):
    third = MemberFactory(member_no="M3", email="m3@example.com", claimed_at=None)
    merges.merge(kept=third, merged=merged.kept, by=merged.by, at=AT)
    export.transactions += [line(3, member_no="M2")]
    bring(export.write())
    assert set(Purchase.objects.values_list("member__member_no", flat=True)) == {"M3"}


def test_taken_back_each_number_has_its_own_again(export, merged):
    merges.undo(merge=merged, by=merged.by, at=AT)
    export.transactions += [line(3, member_no="M2")]
    bring(export.write())
    bought = dict(Purchase.objects.values_list("transaction_no", "member__member_no"))
    assert bought == {"T1": "M1", "T2": "M2", "T3": "M2"}
    assert User.objects.get(member_no="M2").email == "member2@example.com"
