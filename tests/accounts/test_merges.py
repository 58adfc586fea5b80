"""Two imported records of one person become one, and two again when that was wrong."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction

from accounts import belongings, contacts, merges
from accounts.merges import Hindrance, Refused
from accounts.models import Address, ConsentEntry, Merge, User
from accounts.signals import members_merged
from mylist import lists
from mylist.models import ListItem
from mylist.receivers import predict_both
from shop.models import Basket, Errand, Order, PaymentMethod, Purchase
from tests.factories import (
    AddressFactory,
    ListItemFactory,
    MemberFactory,
    OrderFactory,
    PaymentMethodFactory,
    ProductFactory,
    PurchaseFactory,
    ReminderFactory,
    StoreFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def by():
    return MemberFactory(is_staff=True)


@pytest.fixture
def kept():
    return MemberFactory(name="Lin Mei", email="mei@example.com", phone="", joined_at=datetime(2025, 5, 1, tzinfo=UTC))


@pytest.fixture
def merged():
    """Imported and never claimed."""
    return MemberFactory(
        claimed_at=None,
        name="LIN MEI",
        email="lin@example.com",
        phone="+886912345678",
        birthday=date(1990, 3, 4),
        birthday_source="import",
        joined_at=datetime(2024, 1, 1, tzinfo=UTC),
    )


def rows_of(member: User) -> dict[str, list]:
    """Everything that leads to a member, as it stands in the database."""
    return {
        f"{model._meta.label}.{path}": list(model._base_manager.filter(**{path: member}).order_by("pk").values())
        for model, path in belongings.direct()
        if model is not Merge and not model._meta.model_name.startswith("historical")
    }


def values_of(member: User) -> dict:
    return User.objects.filter(pk=member.pk).values().get()


def test_all_that_was_bought_ends_on_one_record(kept, merged, by, now):
    PurchaseFactory(member=kept)
    purchases = [PurchaseFactory(member=merged) for _ in range(3)]
    order = OrderFactory(errand__member=merged)
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert Purchase.objects.filter(member=kept).count() == 4
    assert (Order.objects.get().member, Errand.objects.get().member) == (kept, kept)
    assert done.moved["shop.purchase.member"] == [purchase.pk for purchase in purchases]
    assert done.moved["shop.order.member"] == [order.pk]


def test_the_kept_record_takes_over_what_only_the_other_knew(kept, merged, by, now):
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    kept.refresh_from_db()
    merged.refresh_from_db()
    assert (kept.name, kept.email, kept.phone) == ("Lin Mei", "mei@example.com", "+886912345678")
    assert (kept.birthday, kept.birthday_source) == (date(1990, 3, 4), "import")
    assert kept.joined_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert (merged.phone, merged.email, merged.is_active) == ("", "lin@example.com", False)
    assert set(done.filled) >= {"phone", "birthday", "joined_at"}
    assert "email" not in done.filled


def test_a_second_default_becomes_one_among_others(kept, merged, by, now):
    AddressFactory(member=kept)
    other = AddressFactory(member=merged)
    merges.merge(kept=kept, merged=merged, by=by, at=now)
    other.refresh_from_db()
    assert (other.member, other.is_default) == (kept, False)
    assert Address.objects.filter(member=kept, is_default=True).count() == 1


def test_the_default_of_the_other_is_taken_over_where_there_is_none(kept, merged, by, now):
    AddressFactory(member=merged)
    merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert Address.objects.get(member=kept).is_default


def test_what_the_kept_record_has_the_like_of_stays_behind(kept, merged, by, now):
    product, store = ProductFactory(), StoreFactory()
    for member in (kept, merged):
        ListItemFactory(member=member, product=product, offer=None)
        PaymentMethodFactory(member=member)
        Basket.objects.create(member=member, store=store)
        ReminderFactory(member=member)
    other = ListItemFactory(member=merged)
    merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert set(ListItem.objects.filter(member=kept)) > {other}
    assert ListItem.objects.filter(member=merged).get().product == product
    assert [PaymentMethod.objects.filter(member=member).count() for member in (kept, merged)] == [1, 1]
    assert [member.baskets.count() for member in (kept, merged)] == [1, 1]
    assert [member.reminders.count() for member in (kept, merged)] == [1, 1]


def test_every_table_moves_unless_it_is_named_with_its_reason():
    """A new table that leads to a member has to be thought of: it moves, or stands among those that stay."""
    moving = {f"{model._meta.label}.{path}" for model, path in merges._moving()}
    assert moving == {
        "accounts.Address.member",
        "mylist.ListItem.member",
        "mylist.Reminder.member",
        "shop.Basket.member",
        "shop.Errand.member",
        "shop.Order.member",
        "shop.PaymentMethod.member",
        "shop.Purchase.member",
    }


def test_the_preview_says_what_the_merge_then_does(kept, merged, by, now):
    product = ProductFactory()
    for member in (kept, merged):
        ListItemFactory(member=member, product=product, offer=None)
    PurchaseFactory(member=merged)
    seen = merges.preview(kept=kept, merged=merged)
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    counted = {row.table: (row.moves, row.stays) for row in seen.tables}
    assert counted == {"purchases": (2, 0), "list items": (0, 1)}
    assert len(done.moved["shop.purchase.member"]) == 2
    assert "mylist.listitem.member" not in done.moved
    taken = {value.label for value in seen.values if value.taken}
    assert taken == {"phone", "birthday", "joined at"}
    assert {value.label for value in seen.values if value.lost} == {"name", "e-mail"}


def test_looking_at_the_preview_changes_nothing(kept, merged):
    PurchaseFactory(member=merged)
    before = rows_of(merged), values_of(merged), values_of(kept)
    merges.preview(kept=kept, merged=merged)
    assert (rows_of(merged), values_of(merged), values_of(kept)) == before


def test_taken_back_all_is_as_it_was(kept, merged, by, now):
    product = ProductFactory()
    for member in (kept, merged):
        ListItemFactory(member=member, product=product, offer=None)
        AddressFactory(member=member)
        PaymentMethodFactory(member=member)
    AddressFactory(member=merged, is_default=False)
    OrderFactory(errand__member=merged)
    before = [(rows_of(member), values_of(member)) for member in (kept, merged)]
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert [(rows_of(member), values_of(member)) for member in (kept, merged)] != before
    merges.undo(merge=done, by=by, at=now + timedelta(days=29))
    assert [(rows_of(member), values_of(member)) for member in (kept, merged)] == before


def test_what_the_kept_record_did_since_stays_with_it(kept, merged, by, now):
    gone = AddressFactory(member=merged)
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    gone.delete()
    new = PurchaseFactory(member=kept)
    User.objects.filter(pk=kept.pk).update(birthday=date(1991, 1, 1))
    merges.undo(merge=done, by=by, at=now)
    kept.refresh_from_db()
    merged.refresh_from_db()
    assert Purchase.objects.get(member=kept) == new
    assert kept.birthday == date(1991, 1, 1)
    assert (kept.phone, merged.phone) == ("", "+886912345678")
    assert not Address.objects.exists()


def test_a_contact_that_was_proved_since_stays_with_its_owner(merged, by, now):
    kept = MemberFactory(claimed_at=None, email="", phone="")
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    EmailAddress.objects.create(user=kept, email="lin@example.com", verified=True, primary=True)
    User.objects.filter(pk=kept.pk).update(phone_verified_at=now)
    merges.undo(merge=done, by=by, at=now)
    kept.refresh_from_db()
    merged.refresh_from_db()
    assert (kept.email, kept.phone) == ("lin@example.com", "+886912345678")
    assert (merged.email, merged.phone, merged.is_active) == ("", "", True)


def test_defaults_chosen_since_do_not_stop_taking_back(kept, merged, by, now):
    AddressFactory(member=kept)
    first, second = AddressFactory(member=merged), AddressFactory(member=merged, is_default=False)
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    Address.objects.filter(member=kept).update(is_default=False)
    Address.objects.filter(pk=second.pk).update(is_default=True)
    merges.undo(merge=done, by=by, at=now)
    assert Address.objects.get(member=merged, is_default=True) == first
    assert Address.objects.get(member=kept).is_default


def test_the_owner_adds_the_other_records_contact_by_proving_it(kept, merged, by, now):
    kept.phone = "+886911111111"
    kept.save()
    merges.merge(kept=kept, merged=merged, by=by, at=now)
    stranger = MemberFactory()
    for taken in (
        lambda: contacts.change_email(member=stranger, email="lin@example.com", at=now),
        lambda: contacts.change_phone(member=stranger, phone="+886912345678", at=now),
    ):
        with pytest.raises(contacts.ContactTaken):
            taken()
    contacts.change_email(member=kept, email="lin@example.com", at=now)
    contacts.change_phone(member=kept, phone="+886912345678", at=now)
    merged.refresh_from_db()
    kept.refresh_from_db()
    assert (kept.email, kept.phone) == ("lin@example.com", "+886912345678")
    assert (merged.email, merged.phone) == ("", "")


def refusal(do) -> Hindrance:
    with pytest.raises(Refused) as refused:
        do()
    return refused.value.hindrance


@pytest.mark.parametrize(
    ("kept_is", "merged_is", "why"),
    [
        ({}, {"claimed_at": datetime(2026, 1, 1, tzinfo=UTC)}, Hindrance.BOTH_CLAIMED),
        ({"claimed_at": None}, {"claimed_at": datetime(2026, 1, 1, tzinfo=UTC)}, Hindrance.CLAIMED),
        ({"is_staff": True}, {}, Hindrance.STAFF),
        ({}, {"is_superuser": True}, Hindrance.STAFF),
        ({"is_active": False}, {}, Hindrance.CLOSED),
        ({}, {"is_active": False}, Hindrance.CLOSED),
        ({"closing_at": datetime(2026, 12, 1, tzinfo=UTC)}, {}, Hindrance.CLOSED),
    ],
)
def test_some_records_are_not_made_one(kept, merged, by, now, kept_is, merged_is, why):
    PurchaseFactory(member=merged)
    User.objects.filter(pk=kept.pk).update(**kept_is)
    User.objects.filter(pk=merged.pk).update(**merged_is)
    before = rows_of(merged), values_of(merged), values_of(kept)
    assert refusal(lambda: merges.merge(kept=kept, merged=merged, by=by, at=now)) == why
    assert (rows_of(merged), values_of(merged), values_of(kept)) == before


def test_a_record_is_not_merged_with_itself(kept, by, now):
    assert refusal(lambda: merges.merge(kept=kept, merged=kept, by=by, at=now)) == Hindrance.SAME


def test_a_record_is_merged_once(kept, merged, by, now):
    merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert refusal(lambda: merges.merge(kept=kept, merged=merged, by=by, at=now)) == Hindrance.CLOSED
    with pytest.raises(IntegrityError), transaction.atomic():
        Merge.objects.create(kept=MemberFactory(), merged=merged, at=now, undo_until=now)


def test_after_thirty_days_or_a_second_time_nothing_is_taken_back(kept, merged, by, now):
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert refusal(lambda: merges.undo(merge=done, by=by, at=now + timedelta(days=30))) == Hindrance.OVER
    merges.undo(merge=done, by=by, at=now)
    assert refusal(lambda: merges.undo(merge=done, by=by, at=now)) == Hindrance.UNDONE


def test_three_records_are_taken_apart_from_the_last_merge_on(kept, merged, by, now):
    middle = MemberFactory(claimed_at=None)
    purchase = PurchaseFactory(member=merged)
    first = merges.merge(kept=middle, merged=merged, by=by, at=now)
    second = merges.merge(kept=kept, merged=middle, by=by, at=now)
    assert Purchase.objects.get().member == kept
    assert refusal(lambda: merges.undo(merge=first, by=by, at=now)) == Hindrance.FURTHER
    merges.undo(merge=second, by=by, at=now)
    merges.undo(merge=first, by=by, at=now)
    purchase.refresh_from_db()
    assert purchase.member == merged


def test_an_erased_record_is_not_brought_back(kept, merged, by, now):
    done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    User.objects.filter(pk=merged.pk).update(erased_at=now, name="", email="", phone="", birthday=None, is_active=False)
    assert refusal(lambda: merges.undo(merge=done, by=by, at=now)) == Hindrance.ERASED


def test_the_list_then_shows_purchases_of_both(kept, merged, by, now, django_capture_on_commit_callbacks):
    ours, theirs = ListItemFactory(member=kept), ListItemFactory(member=merged)
    with django_capture_on_commit_callbacks(execute=True):
        done = merges.merge(kept=kept, merged=merged, by=by, at=now)
    shown = {entry.item.product for entry in lists.build(member=kept, at=now).entries}
    assert shown == {ours.product, theirs.product}
    with django_capture_on_commit_callbacks(execute=True):
        merges.undo(merge=done, by=by, at=now)
    shown = {entry.item.product for entry in lists.build(member=kept, at=now).entries}
    assert shown == {ours.product}


def test_it_is_announced_once_committed(kept, merged, by, now, django_capture_on_commit_callbacks):
    heard = []
    members_merged.connect(listener := lambda member_ids, **_: heard.append(member_ids))
    try:
        with django_capture_on_commit_callbacks(execute=True):
            done = merges.merge(kept=kept, merged=merged, by=by, at=now)
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            merges.undo(merge=done, by=by, at=now)
    finally:
        members_merged.disconnect(listener)
    assert heard == [[kept.pk], [kept.pk, merged.pk]]
    assert predict_both in [receiver for *_, receiver in _receivers()]


def _receivers():
    return [(0, found) for found in members_merged._live_receivers(None)[0]]


def test_consents_stay_with_the_record_that_gave_them(kept, merged, by, now):
    ConsentEntry.objects.create(
        member=merged, purpose="offers", channel="email", given=True, at=now, source="import", wording="2026-11"
    )
    User.objects.filter(pk=merged.pk).update(email_consent=True)
    merges.merge(kept=kept, merged=merged, by=by, at=now)
    kept.refresh_from_db()
    assert not kept.email_consent
    assert ConsentEntry.objects.get().member == merged


def test_a_large_history_moves_in_a_bounded_number_of_statements(kept, merged, by, now, django_assert_max_num_queries):
    product = ProductFactory()
    first = PurchaseFactory(member=merged, product=product)
    Purchase.objects.bulk_create(
        Purchase(
            transaction_no=f"B{number}",
            line_no=1,
            member=merged,
            channel=first.channel,
            product=product,
            purchased_at=first.purchased_at,
            purchased_on=first.purchased_on,
            quantity=1,
            unit_price=1,
            currency="TWD",
        )
        for number in range(2500)
    )
    with django_assert_max_num_queries(60):
        merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert Purchase.objects.filter(member=kept).count() == 2501


def test_both_are_recorded_as_changed_by_staff(kept, merged, by, now):
    merges.merge(kept=kept, merged=merged, by=by, at=now)
    assert User.history.filter(id=kept.pk).first().history_user == by
    assert User.history.filter(id=merged.pk).first().history_user == by


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_two_who_merge_at_once_one_does(kept, merged, by, now):
    other = MemberFactory()
    PurchaseFactory(member=merged)
    start, outcomes = Barrier(3), []

    def merge_into(target: User) -> None:
        try:
            start.wait()
            merges.merge(kept=target, merged=merged, by=by, at=now)
            outcomes.append("done")
        except Refused as refused:
            outcomes.append(refused.hindrance)
        finally:
            connection.close()

    threads = [Thread(target=merge_into, args=[target]) for target in (kept, other, kept)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [Hindrance.CLOSED, Hindrance.CLOSED, "done"]
    assert Merge.objects.count() == 1
    assert Purchase.objects.get().member == Merge.objects.get().kept
