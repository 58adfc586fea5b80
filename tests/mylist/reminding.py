"""What several tests of reminders need."""

from datetime import datetime, timedelta

from accounts.models import User
from shop.models import Errand, Offer, Order, OrderLine


def order_of(member: User, offer: Offer, *, at: datetime) -> Order:
    """One pack of the offer, ordered at `at` and still to be undone."""
    errand = Errand.objects.create(
        member=member, key=f"{offer.pk}-{at}", fingerprint="x", placed_at=at, undo_until=at + timedelta(minutes=10)
    )
    order = Order.objects.create(
        number=f"O{errand.pk}",
        errand=errand,
        member=member,
        store=offer.store,
        payment_kind="invoice",
        recipient="Lin Mei",
        phone="+886912345678",
        address="Taipei",
        currency=offer.currency,
        total=offer.price,
        placed_at=at,
    )
    OrderLine.objects.create(
        order=order, offer=offer, product=offer.product, quantity=1, unit_price=offer.price, amount=offer.price
    )
    return order
