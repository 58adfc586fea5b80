from datetime import date, timedelta
from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Sum
from django.db.models.functions import TruncMonth

from accounts import erasure
from accounts.models import Address, DataExport, ErasedMember, Impersonation, Merge, User
from notify.models import Message
from shop.models import Errand, Offer, Order, OrderLine, Purchase
from tests.accounts.everything import dump, member_with_everything, session_of
from tests.factories import (
    AddressFactory,
    ErrandFactory,
    ListItemFactory,
    MemberFactory,
    MessageFactory,
    OrderFactory,
    OrderLineFactory,
    PurchaseFactory,
)

pytestmark = pytest.mark.django_db

# What the shop's books are kept by; neither tells who somebody is.
STAYS = {"shop.Order.number", "shop.HistoricalOrder.number", "shop.Purchase.transaction_no"}


def found(values) -> set[tuple[str, str]]:
    """(value, where) for each of the values that stands anywhere in the database."""
    wanted = {value.lower() for value in values}
    return {(value, where) for where, text in dump() for value in wanted if value in text}


def test_nothing_personal_stays_anywhere_in_the_database(now, django_capture_on_commit_callbacks):
    everything = member_with_everything()
    member = everything.member
    staff = MemberFactory(is_staff=True)
    personal = {
        *(member.member_no, member.name, member.email, everything.merged.email, everything.merged.name),
        *("987654321", "955555321", "1973-05-17", "zqformer", "922222321", "zqold lane", "zqother"),
    }
    for name, value in (("email", "zqformer@example.org"), ("phone", "+886922222321"), ("name", "zqformer name")):
        before = getattr(member, name)
        for stored in (value, before):
            setattr(member, name, stored)
            member.save()
    user_type, address_type = (ContentType.objects.get_for_model(model) for model in (User, Address))
    address = AddressFactory(member=member, street="zqold lane 1", is_default=False)
    for kind, key, said in ((user_type, member.pk, member.name), (address_type, address.pk, str(address))):
        LogEntry.objects.create(
            user=staff, content_type=kind, object_id=key, object_repr=said, action_flag=CHANGE, change_message=said
        )
    LogEntry.objects.create(
        user=staff, content_type=user_type, object_id=1, object_repr="zqformer@example.org", action_flag=CHANGE
    )
    session = session_of(member, cart="zqother cart")
    UserSession.objects.filter(user=member).update(session_key=session.session_key)
    session_of(None, account_login_code={"email": member.email})
    MessageFactory(recipient=member.email, text="zqother words")
    replaced = {*STAYS, "usersessions.UserSession.session_key"}
    written = {word for word, where in everything.words.items() if where not in replaced} | {session.session_key}
    there = {value for value, _where in found(personal | written)}
    # All of it is there now, or the search would see nothing.
    assert there == {word.lower() for word in personal | written}

    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(member=member, at=now)

    assert found(personal | written) == set()
    stayed = {everything.words[word] for word, _where in found(everything.words)}
    assert stayed == STAYS


def books() -> list:
    """What the shop has sold and has, added up in every way that a report would."""
    return [
        sorted(
            Order.objects.annotate(month=TruncMonth("placed_at"))
            .values_list("store", "month", "status", "currency")
            .annotate(Sum("total"), Count("pk"))
        ),
        sorted(OrderLine.objects.values_list("product").annotate(Sum("quantity"), Sum("amount"))),
        sorted(
            Purchase.objects.annotate(month=TruncMonth("purchased_at"))
            .values_list("channel", "month", "product", "currency")
            .annotate(Sum("quantity"), Count("pk"), value=Sum(F("quantity") * F("unit_price")))
        ),
        sorted(Purchase.objects.values_list("member").annotate(Count("pk"))),
        sorted(Offer.objects.values_list("pk", "stock", "price")),
        User.objects.count(),
        Errand.objects.count(),
    ]


def test_the_shops_sums_are_the_same_before_and_after(now):
    member, other = MemberFactory(), MemberFactory()
    for person in (member, other):
        for days, status in ((1, "placed"), (40, "settled"), (80, "undone")):
            at = now - timedelta(days=days)
            moments = {"settled": {"settled_at": at}, "undone": {"undone_at": at}}.get(status, {})
            errand = ErrandFactory(member=person, placed_at=at)
            order = OrderFactory(errand=errand, status=status, total=Decimal(600), **moments)
            OrderLineFactory(order=order, quantity=2)
        PurchaseFactory(member=person, quantity=Decimal("1.5"))
        ListItemFactory(member=person)
    before = books()
    erasure.erase(member=member, at=now)
    assert books() == before


def test_an_order_keeps_its_number_and_lines_but_not_to_whom_and_where_to(now):
    order = OrderLineFactory(order__phone="+886912345678").order
    number, total = order.number, order.total
    erasure.erase(member=order.member, at=now)
    order.refresh_from_db()
    assert (order.number, order.total, order.lines.count()) == (number, total, 1)
    assert (order.recipient, order.phone, order.address) == ("", "", "")
    assert Errand.objects.get().key == f"erased-{order.errand_id}"


def test_the_row_of_the_member_is_nobodys(now):
    member = MemberFactory(phone="+886987654321", birthday=date(1973, 5, 17), is_staff=False)
    member.set_password("a-long-enough-phrase")
    member.save()
    joined_at, number = member.joined_at, member.member_no
    erasure.erase(member=member, at=now)
    member.refresh_from_db()
    assert (member.name, member.email, member.phone, member.birthday, member.claimed_at) == ("", "", "", None, None)
    assert (member.is_active, member.has_usable_password(), member.erased_at) == (False, False, now)
    assert member.joined_at == joined_at
    assert member.member_no[0] == "X"
    assert list(erasure.erased_numbers([number, "M-1", member.member_no])) == [number]


def test_an_erased_row_cannot_be_given_a_person_again(now):
    member = MemberFactory()
    erasure.erase(member=member, at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=member.pk).update(email="somebody@example.org")


def test_erased_twice_is_erased_once(now):
    member = MemberFactory()
    erasure.erase(member=member, at=now)
    number = User.objects.get().member_no
    erasure.erase(member=member, at=now + timedelta(days=1))
    assert (User.objects.get().member_no, User.objects.get().erased_at) == (number, now)
    assert ErasedMember.objects.count() == 1


def test_nobody_else_loses_anything(now, django_capture_on_commit_callbacks):
    other = member_with_everything()
    for number in range(5):
        LogEntry.objects.create(
            user=other.member,
            content_type=ContentType.objects.get_for_model(Address),
            object_id=str(-number),
            object_repr="an address",
            action_flag=CHANGE,
        )
    session_of(None, baskets={"a": "b"})
    before = sorted(dump())
    member = MemberFactory()
    AddressFactory(member=member)
    MessageFactory(whose=str(member.pk))
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(member=member, at=now)
    User.objects.filter(pk=member.pk)._raw_delete("default")  # the history would write down a deletion
    ErasedMember.objects.all().delete()
    assert sorted(dump()) == before


def test_messages_to_a_contact_that_is_another_members_now_stay(now):
    former, owner = MemberFactory(), MemberFactory(email="shared@example.org")
    EmailAddress.objects.create(user=former, email="shared@example.org")
    MessageFactory(recipient="shared@example.org")
    erasure.erase(member=former, at=now)
    assert Message.objects.get().recipient == owner.email


def test_the_file_of_a_copy_goes_with_the_member(now, django_capture_on_commit_callbacks):
    member = MemberFactory()
    export = DataExport.objects.create(member=member, asked_at=now, status="ready")
    export.file.save("exports/one.zip", ContentFile(b"all"))
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(member=member, at=now)
    assert not DataExport.objects.exists()
    assert not export.file.storage.exists(export.file.name)


def test_what_staff_did_stays_with_the_staff(now):
    staff, member = MemberFactory(is_staff=True), MemberFactory()
    Impersonation.objects.create(staff=staff, member=member, reason="asked by phone", began_at=now, ends_at=now)
    erasure.erase(member=member, at=now)
    look = Impersonation.objects.get()
    assert (look.staff, look.member, look.reason) == (staff, member, "")


def test_records_made_one_go_together_and_cannot_be_taken_apart_again(now):
    member, merged = MemberFactory(), MemberFactory(name="The same person")
    Merge.objects.create(
        kept=member, merged=merged, at=now, undo_until=now + timedelta(days=30), filled={"name": ["", "The same"]}
    )
    erasure.erase(member=member, at=now)
    assert set(User.objects.values_list("name", "erased_at")) == {("", now)}
    merge = Merge.objects.get()
    assert (merge.filled, merge.undo_until) == ({}, now)


def test_where_the_member_was_signed_in_is_gone(now):
    member = MemberFactory()
    session_of(member)
    other = session_of(MemberFactory())
    erasure.erase(member=member, at=now)
    assert [session.session_key for session in Session.objects.all()] == [other.session_key]


def test_a_table_nobody_told_of_is_refused_and_found_by_a_check(now, monkeypatch):
    assert erasure.check_fates() == []
    monkeypatch.delitem(erasure._fates, Address)
    assert [error.id for error in erasure.check_fates()] == ["accounts.E001"]
    member = MemberFactory()
    with pytest.raises(erasure.Unhandled, match=r"accounts\.Address"):
        erasure.erase(member=member, at=now)
    assert User.objects.get().name == member.name


def test_what_becomes_of_a_table_is_told_once():
    erasure.register(Address, erasure.Delete())
    with pytest.raises(ValueError, match=r"accounts\.Address"):
        erasure.register(Address, erasure.Keep())


def test_a_number_is_still_known_after_the_key_was_changed(now, settings):
    member = MemberFactory(member_no="M-0001")
    erasure.erase(member=member, at=now)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    assert list(erasure.erased_numbers(["M-0001", "M-0002"])) == ["M-0001"]


def test_it_takes_as_many_statements_for_a_long_history_as_for_a_short_one(now, django_assert_max_num_queries):
    member = MemberFactory()
    for _ in range(12):
        ListItemFactory(member=member)
        OrderLineFactory(order__errand__member=member)
    with django_assert_max_num_queries(140):
        erasure.erase(member=member, at=now)
