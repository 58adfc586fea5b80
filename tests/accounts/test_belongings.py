from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models

from accounts import belongings
from accounts.models import Address, Impersonation, Merge, User
from mylist.models import ListItem, ReminderLine
from notify.models import Message
from shop.models import OrderLine
from tests.accounts.everything import member_with_everything
from tests.factories import AddressFactory, MemberFactory, OrderLineFactory

# Tables from which nothing leads to a member, and why nothing has to. Whoever adds a table decides: a foreign key to
# the member, or a line here.
OF_NOBODY = {
    "accounts.ErasedMember": "keyed hashes, of nobody who can be told",
    "auth.Group": "what staff may do",
    "auth.Group_permissions": "what staff may do",
    "auth.Permission": "what staff may do",
    "accounts.Role": "what staff may do",
    "contenttypes.ContentType": "the tables themselves",
    "mylist.ChanceScore": "sums over many members",
    "mylist.DateScore": "sums over many members",
    "mylist.FittedModel": "a model of all members",
    "mylist.Shard": "ids only, of the newest night",
    "notify.Message": "found by `whose`: belongings.messages",
    "sessions.Session": "found by its key: belongings.sessions",
    "shop.Category": "what is sold",
    "shop.Channel": "what is sold",
    "shop.Need": "what is sold",
    "shop.Offer": "what is sold",
    "shop.Product": "what is sold",
    "shop.Store": "what is sold",
    "socialaccount.SocialApp": "keys of the shop's at the providers",
}


def test_every_table_of_the_project_leads_to_a_member_or_is_known_to_be_of_nobody():
    led = {User, *(reference.model for reference in belongings.own() + belongings.acts())}
    led |= {history for history, _tracked in belongings.histories()}
    tables = {model._meta.concrete_model for model in apps.get_models(include_auto_created=True)}
    rest = {model._meta.label for model in tables - led}
    assert rest - set(OF_NOBODY) == set(), "who is this table's? Give it a foreign key to the member, or a line above"
    assert set(OF_NOBODY) <= rest | {"accounts.Role"}, "these lead to a member after all, or are gone"


def test_paths_lead_over_any_number_of_keys():
    paths = {(reference.model, reference.path) for reference in belongings.own()}
    assert (Address, "member") in paths
    assert (OrderLine, "order__member") in paths
    assert {(ReminderLine, "reminder__member"), (ReminderLine, "item__member")} <= paths


def test_who_did_something_to_a_row_is_not_whose_it_is():
    acts = {(reference.model, reference.path) for reference in belongings.acts()}
    assert {(Merge, "by"), (Impersonation, "staff"), (LogEntry, "user")} <= acts
    assert not acts & set(belongings.own())


def test_rows_are_those_of_the_member_alone(db):
    mine, others = OrderLineFactory(), OrderLineFactory()
    assert list(belongings.rows(OrderLine, [mine.order.member_id])) == [mine]
    assert list(belongings.rows(OrderLine, [others.order.member_id])) == [others]


def test_the_rows_of_a_record_that_was_made_one_with_the_member_are_the_members(db, now):
    kept, merged, undone = MemberFactory(), MemberFactory(), MemberFactory()
    Merge.objects.create(kept=kept, merged=merged, at=now, undo_until=now)
    Merge.objects.create(kept=kept, merged=undone, at=now, undo_until=now, undone_at=now)
    address = AddressFactory(member=merged)
    AddressFactory(member=undone)
    assert belongings.people(kept) == [kept.pk, merged.pk]
    assert list(belongings.rows(Address, belongings.people(kept))) == [address]


def test_a_member_can_have_a_row_in_every_table(db):
    everything = member_with_everything()
    ids = belongings.people(everything.member)
    assert [model for model in belongings.own_tables() if not belongings.rows(model, ids).exists()] == []


def test_messages_are_found_by_whose_they_are(db):
    everything = member_with_everything()
    found = belongings.messages([everything.member.pk])
    assert found.count() == Message.objects.count() == 1
    assert not belongings.messages([MemberFactory().pk])


def test_a_table_without_a_member_has_no_rows_of_one(db):
    assert not belongings.rows(apps.get_model("shop", "Store"), [1]).exists()
    assert isinstance(belongings.rows(ListItem, []), models.QuerySet)
