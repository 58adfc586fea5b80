"""What is on the list, in which group and order, and whose wishes count."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mylist import lists, reorder
from mylist.lists import Availability, Group
from mylist.models import ListItem, Prediction
from shop import orders
from shop.models import Offer, Product, Purchase
from tests.factories import (
    AddressFactory,
    ListItemFactory,
    MemberFactory,
    NeedFactory,
    PaymentMethodFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def shopper():
    member = MemberFactory()
    AddressFactory(member=member)
    PaymentMethodFactory(member=member)
    return member


def groups(member, at) -> dict[str, Group]:
    return {entry.product.sku: entry.group for entry in lists.build(member=member, at=at).entries}


def group_of(item, at) -> Group:
    return groups(item.member, at)[item.product.sku]


def order(item, at, key="k"):
    return reorder.reorder(member=item.member, lines=[reorder.Line(item.pk)], key=key, at=at)


class TestGroups:
    def test_expected_within_a_week_and_likely_is_due(self, shopper, now):
        assert group_of(ListItemFactory(member=shopper, due=True), now) == Group.DUE

    def test_expected_in_two_months_is_later(self, shopper, now):
        assert group_of(ListItemFactory(member=shopper), now) == Group.LATER

    def test_a_date_without_a_chance_is_not_due(self, shopper, now):
        item = ListItemFactory(member=shopper, due=True, prediction__p7=0.05, prediction__p14=0.1, prediction__p28=0.2)
        assert group_of(item, now) == Group.LATER

    def test_a_supply_that_is_used_up_makes_a_likely_item_due(self, shopper, now):
        facts = {"p14": 0.6, "p28": 0.7, "supply_left": 0.05}
        item = ListItemFactory(member=shopper, **{f"prediction__{name}": value for name, value in facts.items()})
        assert group_of(item, now) == Group.DUE

    def test_bought_every_week_is_not_due_while_there_is_plenty(self, shopper, now):
        item = ListItemFactory(member=shopper, due=True, prediction__supply_left=0.8)
        assert group_of(item, now) == Group.SOON

    def test_likely_within_three_weeks_is_soon(self, shopper, now):
        item = ListItemFactory(
            member=shopper,
            prediction__p28=0.6,
            prediction__lower_on=now.date(),
            prediction__expected_on=now.date() + timedelta(days=15),
        )
        assert group_of(item, now) == Group.SOON

    def test_a_forecast_whose_window_has_passed_shouts_no_more(self, shopper, now):
        item = ListItemFactory(member=shopper, due=True)
        assert group_of(item, now + timedelta(days=400)) == Group.LATER

    def test_snoozed_until_the_moment_comes(self, shopper, now):
        item = ListItemFactory(member=shopper, due=True, snoozed_until=now + timedelta(days=1))
        assert group_of(item, now) == Group.SNOOZED
        assert group_of(item, now + timedelta(days=1)) == Group.DUE

    def test_reordered_is_on_its_way_and_due_again_once_undone(self, shopper, now):
        item = ListItemFactory(member=shopper, due=True)
        errand = order(item, now)
        assert group_of(item, now) == Group.ON_ITS_WAY
        orders.undo(member=shopper, errand_id=errand.pk, at=now)
        assert group_of(item, now) == Group.DUE

    def test_hidden_is_counted_and_not_shown(self, shopper, now):
        ListItemFactory(member=shopper, hidden_at=now)
        found = lists.build(member=shopper, at=now)
        assert (found.entries, found.hidden_count) == ([], 1)


class TestOrder:
    def test_what_runs_out_first_comes_first(self, shopper, now):
        day = now.date()
        later = ListItemFactory(member=shopper, due=True, prediction__expected_on=day + timedelta(days=3))
        sooner = ListItemFactory(member=shopper, due=True, prediction__expected_on=day + timedelta(days=2))
        assert [entry.item for entry in lists.build(member=shopper, at=now).entries] == [sooner, later]

    def test_pinned_comes_first_in_its_group(self, shopper, now):
        sooner = ListItemFactory(member=shopper, due=True)
        pinned = ListItemFactory(
            member=shopper, due=True, pinned_at=now, prediction__expected_on=now.date() + timedelta(days=4)
        )
        assert [entry.item for entry in lists.build(member=shopper, at=now).entries] == [pinned, sooner]

    def test_groups_come_in_the_order_of_need(self, shopper, now):
        ListItemFactory(member=shopper, snoozed_until=now + timedelta(days=3))
        ListItemFactory(member=shopper)
        ListItemFactory(member=shopper, due=True)
        found = [entry.group for entry in lists.build(member=shopper, at=now).entries]
        assert found == [Group.DUE, Group.LATER, Group.SNOOZED]


class TestReason:
    def met(self, shopper, now, **other) -> ListItem:
        """Bought 29 days ago and not due, and another item for the same need bought later."""
        item = ListItemFactory(member=shopper, offer__product__need=NeedFactory(), offer__product__brand="Havre")
        facts = {"member": shopper, "offer__product__need": item.product.need, "offer__product__brand": "Sol"}
        ListItemFactory(**facts | {"last_bought_at": now - timedelta(days=3)} | other)
        return item

    def reasons(self, item, now) -> set[str]:
        """As the list and as the item alone has it."""
        found = lists.build(member=item.member, at=now).entries
        listed = {entry.item.pk: entry for entry in found}[item.pk]
        return {listed.reason, lists.get(member=item.member, item_id=item.pk, at=now).reason}

    def test_another_brand_bought_since_is_named(self, shopper, now):
        item = self.met(shopper, now)
        assert self.reasons(item, now) == {"Last time 1 pack, 4 weeks ago; another brand 3 days ago"}

    def test_so_is_another_size_of_the_same_brand_even_if_hidden(self, shopper, now):
        item = self.met(shopper, now, offer__product__brand="Havre", hidden_at=now)
        assert self.reasons(item, now) == {"Last time 1 pack, 4 weeks ago; something similar 3 days ago"}

    @pytest.mark.parametrize("other", ["before", "for another need", "by another member"])
    def test_nothing_else_is(self, shopper, now, other):
        facts = {
            "before": {"last_bought_at": now - timedelta(days=40)},
            "for another need": {"offer__product__need": NeedFactory()},
            "by another member": {"member": MemberFactory()},
        }
        assert self.reasons(self.met(shopper, now, **facts[other]), now) == {
            "About every 4 weeks, last time 1 pack, 4 weeks ago"
        }

    def test_products_without_a_need_have_nothing_to_do_with_each_other(self, shopper, now):
        item = self.met(shopper, now)
        Product.objects.update(need=None)
        assert self.reasons(item, now) == {"About every 4 weeks, last time 1 pack, 4 weeks ago"}

    def test_the_days_are_the_members_own(self, now):
        late = now.replace(hour=23)  # tomorrow morning in Taipei
        item = ListItemFactory(member__time_zone="Asia/Taipei", last_bought_at=late - timedelta(hours=20))
        assert self.reasons(item, late) == {"About every 4 weeks, last time 1 pack, yesterday"}


class TestEntry:
    def entry(self, item, now) -> lists.Entry:
        return lists.get(member=item.member, item_id=item.pk, at=now)

    @pytest.mark.parametrize(
        ("offer", "expected"),
        [
            ({"stock": 5}, Availability.AVAILABLE),
            ({"stock": None}, Availability.AVAILABLE),
            ({"stock": 1}, Availability.SHORT),
            ({"stock": 0}, Availability.SOLD_OUT),
            ({"is_active": False}, Availability.GONE),
        ],
    )
    def test_availability_for_two_packs(self, shopper, now, offer, expected):
        item = ListItemFactory(member=shopper, quantity=2)
        Offer.objects.filter(pk=item.offer_id).update(**offer)
        assert self.entry(item, now).availability == expected

    def test_more_than_there_is_becomes_what_there_is(self, shopper, now):
        item = ListItemFactory(member=shopper, due=True, quantity=4, offer__stock=3, offer__price=Decimal(100))
        entry = self.entry(item, now)
        assert (entry.quantity, entry.most, entry.can_reorder) == (3, 3, True)
        assert lists.build(member=shopper, at=now).due_totals == [("TWD", Decimal(300))]

    def test_no_offer_is_gone(self, shopper, now):
        entry = self.entry(ListItemFactory(member=shopper, offer=None), now)
        assert (entry.availability, entry.unit_price, entry.amount, entry.store) == (
            Availability.GONE,
            None,
            None,
            None,
        )

    def test_a_changed_price_names_what_was_paid(self, shopper, now):
        item = ListItemFactory(member=shopper, offer__price=Decimal(320), last_unit_price=Decimal("299.0000"))
        assert self.entry(item, now).previous_price == 299

    def test_the_same_price_or_another_currency_is_no_change(self, shopper, now):
        same = ListItemFactory(member=shopper, offer__price=Decimal(320), last_unit_price=Decimal("320.2"))
        foreign = ListItemFactory(member=shopper, last_unit_price=Decimal(9), last_currency="USD")
        assert self.entry(same, now).previous_price is None
        assert self.entry(foreign, now).previous_price is None

    def test_amount_is_price_times_the_quantity_chosen(self, shopper, now):
        item = ListItemFactory(member=shopper, offer__price=Decimal(320), quantity=3)
        assert self.entry(item, now).amount == 960


class TestTotals:
    def test_the_due_total_leaves_out_what_cannot_be_had(self, shopper, now):
        ListItemFactory(member=shopper, due=True, offer__price=Decimal(100))
        ListItemFactory(member=shopper, due=True, offer__price=Decimal(40), quantity=2)
        ListItemFactory(member=shopper, due=True, offer__stock=0)
        found = lists.build(member=shopper, at=now)
        assert (found.due_count, found.due_totals) == (2, [("TWD", Decimal(180))])

    def test_currencies_are_never_added_up(self, shopper, now):
        ListItemFactory(member=shopper, due=True, offer__price=Decimal(100))
        ListItemFactory(member=shopper, due=True, offer__price=Decimal("1.50"), offer__currency="USD")
        totals = lists.build(member=shopper, at=now).due_totals
        assert totals == [("TWD", Decimal(100)), ("USD", Decimal("1.50"))]


class TestGate:
    def test_without_a_completed_purchase_there_is_no_list(self, now):
        item = ListItemFactory()
        Purchase.objects.all().delete()
        assert lists.build(member=item.member, at=now).entries == []

    def test_a_list_is_the_members_own(self, shopper, now):
        ListItemFactory(due=True)
        assert lists.build(member=shopper, at=now).entries == []

    def test_it_takes_two_statements_however_long_it_is(self, shopper, now, django_assert_num_queries):
        ListItemFactory.create_batch(12, member=shopper, due=True)
        with django_assert_num_queries(2):
            found = lists.build(member=shopper, at=now)
            assert all(entry.product.name and entry.store.name and entry.prediction for entry in found.entries)


@given(
    p14=st.floats(0, 1),
    supply=st.floats(0, 1),
    expected=st.integers(-30, 60),
    width=st.integers(0, 30),
)
def test_the_due_rule_of_the_list_and_of_the_query_agree(p14, supply, expected, width):
    day = date(2026, 11, 18)
    expected_on = day + timedelta(days=expected)
    item = ListItemFactory(
        prediction__p7=0,
        prediction__p14=p14,
        prediction__p28=1,
        prediction__supply_left=supply,
        prediction__lower_on=expected_on,
        prediction__expected_on=expected_on,
        prediction__upper_on=expected_on + timedelta(days=width),
    )
    by_query = ListItem.objects.filter(lists.due_on(day), pk=item.pk).exists()
    assert by_query == lists.is_due(Prediction.objects.get(pk=item.pk), day)
