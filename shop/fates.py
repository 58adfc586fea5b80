"""What becomes of the shop's tables when a member is erased: what was sold stays, to whom and where to does not."""

from datetime import datetime, timedelta

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from accounts import closing
from accounts.erasure import Delete, Keep, register
from accounts.models import User
from shop.models import Basket, BasketLine, Errand, Order, OrderLine, PaymentMethod, Purchase

# So long an order needs its address.
_ON_ITS_WAY = timedelta(days=7)


def register_all() -> None:
    for model in (Basket, BasketLine, PaymentMethod):
        register(model, Delete())
    # The key was made by the member's app and may say anything.
    register(Errand, Keep(instead={"key": Concat(Value("erased-"), Cast("pk", CharField()))}))
    register(Order, Keep(texts=frozenset({"number", "currency"})))
    register(OrderLine, Keep())
    register(Purchase, Keep(texts=frozenset({"transaction_no", "currency"})))
    closing.register_hindrance(has_order_on_its_way)


def has_order_on_its_way(member: User, at: datetime) -> bool:
    """Whether an order was placed so lately that its parcel still needs the address."""
    orders = Order.objects.filter(member=member, placed_at__gt=at - _ON_ITS_WAY)
    return orders.exclude(status=Order.Status.UNDONE).exists()
