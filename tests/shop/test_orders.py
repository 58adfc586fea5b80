"""Placing, undoing and settling: stock, sums and windows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from shop import orders, signals
from shop.models import Errand, Offer, Order, OrderLine
from tests.factories import AddressFactory, MemberFactory, OfferFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer():
    return AddressFactory().member


def place(buyer, now, *wanted: orders.Wanted, key="k") -> Errand:
    return orders.place(
        member=buyer, wanted=wanted, key=key, address=buyer.addresses.get(), payment_kind="invoice", at=now
    )


def want(offer, quantity=1) -> orders.Wanted:
    return orders.Wanted(offer.pk, quantity, offer.price)


def stock(offer) -> int | None:
    return Offer.objects.values_list("stock", flat=True).get(pk=offer.pk)


class TestPlace:
    def test_total_is_the_stored_sum_of_its_lines(self, buyer, now):
        first = OfferFactory(price=Decimal("12.35"), currency="USD")
        second = OfferFactory(price=Decimal("0.10"), currency="USD", store=first.store)
        order = place(buyer, now, want(first, 3), want(second, 3)).orders.get()
        assert order.total == Decimal("37.35") == sum(line.amount for line in order.lines.all())

    def test_two_wishes_for_one_offer_are_one_line(self, buyer, now):
        offer = OfferFactory()
        assert place(buyer, now, want(offer), want(offer, 2)).orders.get().lines.get().quantity == 3

    def test_the_address_is_kept_as_it_was(self, buyer, now):
        order = place(buyer, now, want(OfferFactory())).orders.get()
        buyer.addresses.update(street="Moved Rd. 2")
        order.refresh_from_db()
        assert order.address == "106 Da'an, Taipei Heping E. Rd. 1"

    def test_stock_not_counted_stays_not_counted(self, buyer, now):
        offer = OfferFactory(stock=None)
        place(buyer, now, want(offer, 40))
        assert stock(offer) is None

    def test_the_last_pieces_can_be_had_and_no_more(self, buyer, now):
        offer = OfferFactory(stock=2)
        place(buyer, now, want(offer, 2))
        with pytest.raises(orders.Refused) as refused:
            place(buyer, now, want(offer), key="2")
        assert refused.value.lines == [orders.LineProblem(offer.pk, "sold_out", offer.price, 0)]

    def test_all_problems_are_told_at_once(self, buyer, now):
        short, gone = OfferFactory(stock=1), OfferFactory(is_active=False)
        with pytest.raises(orders.Refused) as refused:
            place(buyer, now, want(short, 5), want(gone), orders.Wanted(987654, 1))
        assert [line.reason for line in refused.value.lines] == ["short", "off_sale", "off_sale"]

    def test_nothing_wanted_is_refused(self, buyer, now):
        with pytest.raises(orders.NothingWanted):
            place(buyer, now)

    def test_it_takes_at_most_nine_statements_for_five_lines(self, buyer, now, django_assert_max_num_queries):
        address, wanted = buyer.addresses.get(), [want(offer) for offer in OfferFactory.create_batch(5)]
        with django_assert_max_num_queries(9):
            orders.place(member=buyer, wanted=wanted, key="k", address=address, payment_kind="invoice", at=now)

    def test_it_is_announced_after_the_commit_and_a_broken_listener_breaks_nothing(
        self, buyer, now, django_capture_on_commit_callbacks
    ):
        heard = []

        def listen(**what):
            heard.append((what["errand_id"], what["member_id"]))

        def broken(**what):
            raise RuntimeError("the broker is away")

        signals.errand_placed.connect(broken)
        signals.errand_placed.connect(listen)
        try:
            with django_capture_on_commit_callbacks() as callbacks:
                errand = place(buyer, now, want(OfferFactory()))
            assert heard == []
            for callback in callbacks:
                callback()
        finally:
            signals.errand_placed.disconnect(broken)
            signals.errand_placed.disconnect(listen)
        assert heard == [(errand.pk, buyer.pk)]


class TestUndo:
    def test_it_gives_the_stock_back_and_marks_every_order(self, buyer, now):
        offers = OfferFactory.create_batch(2, stock=5)
        errand = place(buyer, now, *[want(offer, 2) for offer in offers])
        orders.undo(member=buyer, errand_id=errand.pk, at=now + timedelta(minutes=9))
        assert [stock(offer) for offer in offers] == [5, 5]
        assert set(errand.orders.values_list("status", flat=True)) == {"undone"}

    def test_twice_gives_back_once(self, buyer, now):
        offer = OfferFactory(stock=5)
        errand = place(buyer, now, want(offer, 2))
        for _ in range(2):
            orders.undo(member=buyer, errand_id=errand.pk, at=now)
        assert stock(offer) == 5

    def test_at_the_end_of_the_window_it_is_over(self, buyer, now):
        errand = place(buyer, now, want(OfferFactory()))
        with pytest.raises(orders.UndoOver):
            orders.undo(member=buyer, errand_id=errand.pk, at=now + timedelta(minutes=10))

    def test_a_settled_order_stays_even_if_the_window_were_open(self, buyer, now):
        offer = OfferFactory(stock=5)
        errand = place(buyer, now, want(offer))
        Order.objects.update(status="settled", settled_at=now)
        with pytest.raises(orders.UndoOver):
            orders.undo(member=buyer, errand_id=errand.pk, at=now)
        assert stock(offer) == 4

    def test_anothers_errand_does_not_exist(self, buyer, now):
        errand = place(buyer, now, want(OfferFactory()))
        with pytest.raises(Errand.DoesNotExist):
            orders.undo(member=MemberFactory(), errand_id=errand.pk, at=now)
        assert errand.orders.get().status == "placed"

    def test_the_window_is_a_setting(self, buyer, now, settings):
        settings.UNDO_WINDOW = timedelta(minutes=2)
        errand = place(buyer, now, want(OfferFactory()))
        with pytest.raises(orders.UndoOver):
            orders.undo(member=buyer, errand_id=errand.pk, at=now + timedelta(minutes=3))

    def test_undoable_lists_open_errands_newest_first(self, buyer, now):
        old = place(buyer, now - timedelta(minutes=11), want(OfferFactory()), key="0")
        first = place(buyer, now - timedelta(minutes=5), want(OfferFactory()), key="1")
        undone = place(buyer, now, want(OfferFactory()), key="2")
        last = place(buyer, now, want(OfferFactory()), key="3")
        orders.undo(member=buyer, errand_id=undone.pk, at=now)
        assert orders.undoable(member=buyer, at=now) == [last, first]
        assert old.orders.get().status == "placed"


class TestSettle:
    def test_it_confirms_what_can_no_longer_be_undone_and_nothing_else(self, buyer, now):
        over = place(buyer, now, want(OfferFactory()), key="1")
        undone = place(buyer, now, want(OfferFactory()), key="2")
        orders.undo(member=buyer, errand_id=undone.pk, at=now)
        later = now + timedelta(minutes=10)
        open_ = place(buyer, later - timedelta(seconds=1), want(OfferFactory()), key="3")
        assert orders.settle(at=later) == 1
        assert [errand.orders.get().status for errand in (over, undone, open_)] == ["settled", "undone", "placed"]

    def test_a_second_run_finds_nothing(self, buyer, now):
        place(buyer, now, want(OfferFactory()))
        later = now + timedelta(minutes=11)
        assert (orders.settle(at=later), orders.settle(at=later)) == (1, 0)

    def test_each_order_is_announced(self, buyer, now, django_capture_on_commit_callbacks):
        place(buyer, now, want(OfferFactory()), want(OfferFactory()))
        with django_capture_on_commit_callbacks() as callbacks:
            orders.settle(at=now + timedelta(minutes=11))
        assert len(callbacks) == 2


class TestTheDatabaseHoldsIt:
    @pytest.mark.parametrize(
        "broken",
        [
            {"unit_price": Decimal(10), "quantity": 2, "amount": Decimal(21)},
            {"unit_price": Decimal(10), "quantity": 0, "amount": Decimal(0)},
            {"unit_price": Decimal(-1), "quantity": 1, "amount": Decimal(-1)},
        ],
    )
    def test_a_line_that_does_not_add_up_is_refused(self, buyer, now, broken):
        order = place(buyer, now, want(OfferFactory())).orders.get()
        offer = OfferFactory()
        with pytest.raises(IntegrityError), transaction.atomic():
            OrderLine.objects.create(order=order, offer=offer, product=offer.product, **broken)

    @pytest.mark.parametrize(("price", "quantity"), [("0.10", 3), ("1.10", 33), ("19.99", 7), ("1234567.89", 99)])
    def test_a_line_that_adds_up_is_taken_whatever_the_database_multiplies_with(self, buyer, now, price, quantity):
        order = place(buyer, now, want(OfferFactory(price=Decimal(price), stock=99), quantity)).orders.get()
        assert order.lines.get().amount == order.total == Decimal(price) * quantity

    def test_stock_below_zero_is_refused(self):
        offer = OfferFactory(stock=0)
        with pytest.raises(IntegrityError), transaction.atomic():
            Offer.objects.filter(pk=offer.pk).update(stock=-1)

    def test_one_errand_a_key(self, buyer, now):
        place(buyer, now, want(OfferFactory()))
        with pytest.raises(IntegrityError), transaction.atomic():
            Errand.objects.create(member=buyer, key="k", fingerprint="x", placed_at=now, undo_until=now)

    def test_a_status_without_its_moment_is_refused(self, buyer, now):
        place(buyer, now, want(OfferFactory()))
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.update(status="settled")
