"""An export that still has somebody who was erased does not bring the person back."""

import pytest

from accounts import erasure
from accounts.models import User
from shop.models import Purchase
from tests.shop.exports import AT, Export, bring, line, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(tmp_path):
    export = Export(tmp_path / "export")
    export.members = [member(1), member(2)]
    export.transactions = [line(1), line(2, member_no="M2")]
    return export


@pytest.fixture
def _erased(export):
    bring(export.write())
    erasure.erase(member=User.objects.get(member_no="M1"), at=AT)


@pytest.mark.usefixtures("_erased")
def test_the_same_export_again_leaves_the_erased_one_out_and_says_how_many_lines(export):
    before = list(User.objects.order_by("pk").values()), list(Purchase.objects.order_by("pk").values())
    outcome, rejects = bring(export.write())
    assert outcome.written
    assert rejects.total == 0
    assert (outcome.counts["members"].left_out, outcome.counts["transactions"].left_out) == (1, 1)
    assert (list(User.objects.order_by("pk").values()), list(Purchase.objects.order_by("pk").values())) == before


@pytest.mark.usefixtures("_erased")
def test_new_purchases_of_the_erased_one_are_left_out_also_without_the_members_line(export):
    export.members = [member(2)]
    export.transactions += [line(3), line(4, member_no="M2")]
    outcome, rejects = bring(export.write())
    assert rejects.total == 0
    assert outcome.counts["transactions"].left_out == 2
    assert sorted(Purchase.objects.values_list("transaction_no", flat=True)) == ["T1", "T2", "T4"]


@pytest.mark.usefixtures("_erased")
def test_a_number_that_nobody_ever_had_is_refused_as_before(export):
    export.transactions += [line(3, member_no="M9")]
    _outcome, rejects = bring(export.write())
    assert rejects.total == 1


def test_where_nobody_was_erased_no_number_is_looked_up(export, monkeypatch):
    def fail(_number):
        raise AssertionError("looked up")

    monkeypatch.setattr(erasure, "number_hashes", fail)
    outcome, _rejects = bring(export.write())
    assert (outcome.counts["members"].left_out, outcome.counts["members"].added) == (0, 2)
