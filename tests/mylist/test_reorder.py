"""One tap, one order: whatever is doubled, retried, stale or gone."""

from datetime import timedelta
from decimal import Decimal

import pytest

from mylist import reorder
from mylist.models import ListItem
from shop import orders
from shop.models import Errand, Offer, Order, OrderLine, PaymentMethod
from tests.factories import AddressFactory, ListItemFactory, MemberFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shopper():
    member = MemberFactory()
    AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    return member


def line(item: ListItem, quantity: int = 1) -> reorder.Line:
    return reorder.Line(item.pk, quantity, item.offer.price)


def test_reorder_places_the_item_at_the_stored_address_and_payment(shopper, now):
    item = ListItemFactory(member=shopper, offer__price=Decimal(300), offer__stock=5)
    errand = reorder.reorder(member=shopper, lines=[line(item, 2)], key="k", at=now)
    order = errand.orders.get()
    assert (order.total, order.payment_kind, order.recipient) == (600, "cash_on_delivery", "Lin Mei")
    assert order.lines.get().product == item.product
    assert Offer.objects.get(pk=item.offer_id).stock == 3
    assert errand.undo_until == now + timedelta(minutes=10)


def test_reorder_over_two_stores_makes_one_errand_with_an_order_in_each(shopper, now):
    items = ListItemFactory.create_batch(2, member=shopper)
    errand = reorder.reorder(member=shopper, lines=[line(item) for item in items], key="k", at=now)
    assert errand.orders.count() == 2
    assert sum(order.total for order in errand.orders.all()) == sum(item.offer.price for item in items)


def test_reorder_of_two_items_in_one_store_makes_one_order(shopper, now):
    first = ListItemFactory(member=shopper)
    second = ListItemFactory(member=shopper, offer__store=first.offer.store)
    errand = reorder.reorder(member=shopper, lines=[line(first), line(second)], key="k", at=now)
    assert errand.orders.get().lines.count() == 2


def test_the_same_key_again_gives_the_same_errand(shopper, now):
    item = ListItemFactory(member=shopper, offer__stock=5)
    first = reorder.reorder(member=shopper, lines=[line(item)], key="k", at=now)
    later = now + timedelta(hours=3)
    assert reorder.reorder(member=shopper, lines=[line(item)], key="k", at=later) == first
    assert Offer.objects.get(pk=item.offer_id).stock == 4


def test_the_same_key_for_something_else_is_refused(shopper, now):
    item = ListItemFactory(member=shopper)
    reorder.reorder(member=shopper, lines=[line(item)], key="k", at=now)
    with pytest.raises(orders.KeyReused):
        reorder.reorder(member=shopper, lines=[line(item, 2)], key="k", at=now)
    assert Order.objects.count() == 1


def test_the_same_key_of_another_member_is_another_errand(shopper, now):
    other = MemberFactory()
    AddressFactory(member=other)
    PaymentMethodFactory(member=other)
    mine, theirs = ListItemFactory(member=shopper), ListItemFactory(member=other)
    first = reorder.reorder(member=shopper, lines=[line(mine)], key="k", at=now)
    assert reorder.reorder(member=other, lines=[line(theirs)], key="k", at=now) != first


def test_a_second_tab_drawn_before_the_order_does_not_order_twice(shopper, now):
    item = ListItemFactory(member=shopper)
    first = reorder.reorder(member=shopper, lines=[line(item)], key="tab-1", at=now)
    again = reorder.reorder(
        member=shopper,
        lines=[line(item)],
        key="tab-2",
        at=now + timedelta(minutes=1),
        drawn_at=now - timedelta(minutes=1),
    )
    assert again == first
    assert Order.objects.count() == 1


def test_a_second_tab_orders_only_what_the_first_did_not(shopper, now):
    bread, soap = ListItemFactory.create_batch(2, member=shopper)
    drawn = now - timedelta(minutes=1)
    reorder.reorder(member=shopper, lines=[line(bread)], key="tab-1", at=now, drawn_at=drawn)
    errand = reorder.reorder(
        member=shopper, lines=[line(bread), line(soap)], key="tab-2", at=now + timedelta(seconds=9), drawn_at=drawn
    )
    assert [row.product for row in OrderLine.objects.filter(order__errand=errand)] == [soap.product]


def test_a_list_drawn_after_the_order_orders_again(shopper, now):
    item = ListItemFactory(member=shopper)
    reorder.reorder(member=shopper, lines=[line(item)], key="1", at=now)
    later = now + timedelta(minutes=2)
    reorder.reorder(member=shopper, lines=[line(item)], key="2", at=later, drawn_at=now + timedelta(minutes=1))
    assert Order.objects.count() == 2


def test_after_undo_an_old_page_may_order_again(shopper, now):
    item = ListItemFactory(member=shopper, offer__stock=1)
    drawn = now - timedelta(minutes=1)
    errand = reorder.reorder(member=shopper, lines=[line(item)], key="1", at=now, drawn_at=drawn)
    orders.undo(member=shopper, errand_id=errand.pk, at=now)
    again = reorder.reorder(member=shopper, lines=[line(item)], key="2", at=now, drawn_at=drawn)
    assert again != errand
    assert Offer.objects.get(pk=item.offer_id).stock == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": Decimal(320)}, "price_changed"),
        ({"stock": 0}, "sold_out"),
        ({"stock": 1}, "short"),
        ({"is_active": False}, "off_sale"),
    ],
)
def test_what_changed_since_the_list_was_drawn_is_asked_again_and_nothing_is_placed(shopper, now, change, reason):
    steady, moved = ListItemFactory.create_batch(2, member=shopper, offer__stock=9)
    lines = [line(steady, 2), line(moved, 2)]
    Offer.objects.filter(pk=moved.offer_id).update(**change)
    with pytest.raises(reorder.ListChanged) as changed:
        reorder.reorder(member=shopper, lines=lines, key="k", at=now)
    assert [(problem.item_id, problem.reason) for problem in changed.value.problems] == [(moved.pk, reason)]
    assert not Errand.objects.exists()
    assert Offer.objects.get(pk=steady.offer_id).stock == 9


def test_a_closed_store_sells_nothing(shopper, now):
    item = ListItemFactory(member=shopper)
    item.offer.store.is_active = False
    item.offer.store.save()
    with pytest.raises(reorder.ListChanged):
        reorder.reorder(member=shopper, lines=[line(item)], key="k", at=now)


def test_an_item_no_store_sells_is_named(shopper, now):
    item = ListItemFactory(member=shopper, offer=None)
    with pytest.raises(reorder.ListChanged) as changed:
        reorder.reorder(member=shopper, lines=[reorder.Line(item.pk)], key="k", at=now)
    assert changed.value.problems == [reorder.ItemProblem(item.pk, "off_sale")]


def test_another_members_item_does_not_exist(shopper, now):
    with pytest.raises(ListItem.DoesNotExist):
        reorder.reorder(member=shopper, lines=[reorder.Line(ListItemFactory().pk)], key="k", at=now)


def test_without_an_address_nothing_is_placed(now):
    item = ListItemFactory(member__email="a@example.com")
    PaymentMethodFactory(member=item.member)
    with pytest.raises(reorder.AddressMissing):
        reorder.reorder(member=item.member, lines=[line(item)], key="k", at=now)


def test_without_a_way_to_pay_nothing_is_placed(shopper, now):
    item = ListItemFactory(member=shopper)
    PaymentMethod.objects.all().delete()
    with pytest.raises(reorder.PaymentMissing):
        reorder.reorder(member=shopper, lines=[line(item)], key="k", at=now)


def test_no_lines_is_nothing_to_reorder(shopper, now):
    with pytest.raises(reorder.NothingToReorder):
        reorder.reorder(member=shopper, lines=[], key="k", at=now)


def test_quantity_left_out_is_the_members_then_the_suggested_one(shopper, now):
    suggested = ListItemFactory(member=shopper, prediction__suggested_quantity=3)
    chosen = ListItemFactory(member=shopper, prediction__suggested_quantity=3, quantity=2)
    errand = reorder.reorder(
        member=shopper, lines=[reorder.Line(suggested.pk), reorder.Line(chosen.pk)], key="k", at=now
    )
    bought = dict(OrderLine.objects.filter(order__errand=errand).values_list("product", "quantity"))
    assert bought == {suggested.product_id: 3, chosen.product_id: 2}


def test_quantity_left_out_is_never_more_than_there_is(shopper, now):
    item = ListItemFactory(member=shopper, quantity=4, offer__stock=3)
    errand = reorder.reorder(member=shopper, lines=[reorder.Line(item.pk)], key="k", at=now)
    assert OrderLine.objects.get(order__errand=errand).quantity == 3


@pytest.mark.parametrize("quantity", [0, -1, 100])
def test_a_quantity_nobody_means_is_refused(shopper, now, quantity):
    item = ListItemFactory(member=shopper)
    with pytest.raises(ValueError, match="choose 1 to 99"):
        reorder.reorder(member=shopper, lines=[reorder.Line(item.pk, quantity)], key="k", at=now)
    assert not Errand.objects.exists()


class TestReorderDue:
    def test_orders_what_is_due_and_to_be_had_and_nothing_else(self, shopper, now):
        due = ListItemFactory(member=shopper, due=True)
        ListItemFactory(member=shopper, due=False)
        ListItemFactory(member=shopper, due=True, offer__stock=0)
        ListItemFactory(member=shopper, due=True, hidden_at=now)
        ListItemFactory(member=shopper, due=True, snoozed_until=now + timedelta(days=2))
        errand = reorder.reorder_due(member=shopper, key="k", at=now)
        assert [row.product for row in OrderLine.objects.filter(order__errand=errand)] == [due.product]

    def test_the_same_key_is_answered_although_nothing_is_due_any_more(self, shopper, now):
        ListItemFactory(member=shopper, due=True)
        first = reorder.reorder_due(member=shopper, key="k", at=now)
        assert reorder.reorder_due(member=shopper, key="k", at=now + timedelta(minutes=5)) == first

    def test_another_key_afterwards_finds_nothing_due(self, shopper, now):
        ListItemFactory(member=shopper, due=True)
        reorder.reorder_due(member=shopper, key="1", at=now)
        with pytest.raises(reorder.NothingToReorder):
            reorder.reorder_due(member=shopper, key="2", at=now + timedelta(minutes=1))

    def test_a_total_that_is_not_what_the_button_said_asks_again(self, shopper, now):
        ListItemFactory(member=shopper, due=True, offer__price=Decimal(300))
        with pytest.raises(reorder.ListChanged):
            reorder.reorder_due(member=shopper, key="k", at=now, expected_totals=[("TWD", Decimal(299))])
        errand = reorder.reorder_due(member=shopper, key="k", at=now, expected_totals=[("TWD", Decimal(300))])
        assert errand.orders.get().total == 300

    def test_nothing_due_is_said(self, shopper, now):
        with pytest.raises(reorder.NothingToReorder):
            reorder.reorder_due(member=shopper, key="k", at=now)
