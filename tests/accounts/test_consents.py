"""What members agree to, and the ledger of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts import consents
from accounts.models import ConsentEntry, User
from tests.factories import NOW, MemberFactory

wishes = st.fixed_dictionaries(
    {},
    optional={
        "order_channel": st.sampled_from(User.OrderChannel.values),
        "reminder_channel": st.sampled_from(User.ReminderChannel.values),
        "email_consent": st.booleans(),
        "sms_consent": st.booleans(),
    },
)


class TestAnySequence(TestCase):
    @given(st.lists(wishes, max_size=8))
    def test_leaves_ledger_and_member_of_one_mind(self, sequence):
        member = MemberFactory(phone="+886912345678")
        for step, wish in enumerate(sequence):
            at = NOW + timedelta(minutes=step)
            consents.choose(member=member, at=at, source=consents.Source.MEMBER, **wish)
            fresh = User.objects.get(pk=member.pk)
            assert consents.recorded(fresh) == consents.granted(fresh) == consents.granted(member)
            assert all(getattr(fresh, field) == value for field, value in wish.items())
        # A row is a change: no two in a row say the same.
        said = {}
        for entry in ConsentEntry.objects.filter(member=member).order_by("pk"):
            assert said.get((entry.purpose, entry.channel), False) is not entry.given
            said[entry.purpose, entry.channel] = entry.given


@pytest.mark.django_db
def test_the_same_wish_again_writes_nothing(now):
    member = MemberFactory()
    consents.choose(member=member, at=now, source=consents.Source.APP, email_consent=True)
    before = ConsentEntry.objects.count()
    consents.choose(member=member, at=now, source=consents.Source.MEMBER, email_consent=True)
    assert ConsentEntry.objects.count() == before


@pytest.mark.django_db
def test_an_entry_says_when_by_whom_and_under_which_words(now):
    member = MemberFactory()
    consents.choose(member=member, at=now, source=consents.Source.APP, sms_consent=True)
    entry = ConsentEntry.objects.get(member=member, purpose="offers", channel="sms")
    assert (entry.given, entry.at, entry.source, entry.wording) == (True, now, "app", consents.WORDING)


@pytest.mark.django_db
def test_the_ledgers_of_many_begin_in_one_statement(django_assert_num_queries):
    members = [MemberFactory(email_consent=True), MemberFactory(claimed_at=None, reminder_channel="none")]
    with django_assert_num_queries(1):
        consents.begin(members)
    for member, source in zip(members, ("join", "import"), strict=True):
        assert consents.recorded(member) == consents.granted(member)
        assert set(consents.ledger(member).values_list("source", "at")) == {(source, member.joined_at)}


@pytest.mark.django_db
def test_the_ledger_of_members_without_one_begins_with_the_migration():
    claimed = MemberFactory(order_channel="sms", reminder_channel="none", sms_consent=True)
    imported = MemberFactory(claimed_at=None, reminder_channel="sms", email_consent=True)
    migration = MigrationLoader(connection).get_migration("accounts", "0005_begin_the_ledger")
    for _ in range(2):
        with connection.cursor() as cursor:
            for statement in migration.operations[0].sql:
                cursor.execute(statement)
    for member, source in ((claimed, "join"), (imported, "import")):
        assert consents.recorded(member) == consents.granted(member)
        assert set(consents.ledger(member).values_list("source", flat=True)) == {source}
    assert ConsentEntry.objects.count() == 5


def test_all_wordings_say_something_about_every_purpose():
    assert consents.WORDING in consents.WORDINGS
    for wording in consents.WORDINGS.values():
        assert set(wording) == set(consents.Purpose)
