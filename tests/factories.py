"""Objects for tests, valid by default and small."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from accounts.models import Address, User
from mylist.models import FittedModel, ListItem, Prediction, Reminder
from notify.models import Message
from shop.models import (
    Category,
    Channel,
    Errand,
    Need,
    Offer,
    Order,
    OrderLine,
    PaymentMethod,
    Product,
    Purchase,
    Store,
)


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    member_no = factory.Sequence(lambda n: f"T{n:06d}")
    name = factory.Sequence(lambda n: f"Member {n}")
    email = factory.Sequence(lambda n: f"member{n}@example.com")
    language = "en"
    claimed_at = datetime(2025, 1, 1, tzinfo=UTC)
    joined_at = datetime(2025, 1, 1, tzinfo=UTC)


class AddressFactory(DjangoModelFactory):
    class Meta:
        model = Address

    member = factory.SubFactory(MemberFactory)
    recipient = "Lin Mei"
    phone = "+886912345678"
    postal_code = "106"
    city = "Da'an, Taipei"
    street = "Heping E. Rd. 1"
    is_default = True


class PaymentMethodFactory(DjangoModelFactory):
    class Meta:
        model = PaymentMethod

    member = factory.SubFactory(MemberFactory)
    kind = PaymentMethod.Kind.CASH
    is_default = True


class StoreFactory(DjangoModelFactory):
    class Meta:
        model = Store

    code = factory.Sequence(lambda n: f"store-{n}")
    name_en = factory.Sequence(lambda n: f"Store {n}")
    name_zh = factory.Sequence(lambda n: f"商店 {n}")


class ChannelFactory(DjangoModelFactory):
    class Meta:
        model = Channel

    code = factory.Sequence(lambda n: f"channel-{n}")
    name = factory.Sequence(lambda n: f"Channel {n}")
    kind = Channel.Kind.ONLINE
    store = factory.SubFactory(StoreFactory)


class CategoryFactory(DjangoModelFactory):
    class Meta:
        model = Category

    code = factory.Sequence(lambda n: f"category-{n}")
    name_en = factory.Sequence(lambda n: f"Category {n}")


class NeedFactory(DjangoModelFactory):
    class Meta:
        model = Need

    code = factory.Sequence(lambda n: f"need-{n}")
    name_en = factory.Sequence(lambda n: f"Need {n}")
    category = factory.SubFactory(CategoryFactory)


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = Product

    sku = factory.Sequence(lambda n: f"SKU{n:05d}")
    name_en = factory.Sequence(lambda n: f"Product {n}")
    name_zh = factory.Sequence(lambda n: f"商品 {n}")
    brand = "Brand"
    need = factory.SubFactory(NeedFactory)
    category = factory.SelfAttribute("need.category")
    package_size = Decimal(30)
    package_unit = "piece"


class OfferFactory(DjangoModelFactory):
    class Meta:
        model = Offer

    store = factory.SubFactory(StoreFactory)
    product = factory.SubFactory(ProductFactory)
    price = Decimal(300)
    currency = "TWD"
    stock = 50


class PurchaseFactory(DjangoModelFactory):
    class Meta:
        model = Purchase

    transaction_no = factory.Sequence(lambda n: f"TX{n:08d}")
    line_no = 1
    member = factory.SubFactory(MemberFactory)
    channel = factory.SubFactory(ChannelFactory)
    product = factory.SubFactory(ProductFactory)
    purchased_at = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)
    purchased_on = factory.LazyAttribute(lambda p: p.purchased_at.date())
    quantity = Decimal(1)
    unit_price = Decimal(300)
    currency = "TWD"


NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
"""The moment of the `now` fixture."""


class FittedModelFactory(DjangoModelFactory):
    """A model that was fitted and kept aside; its data is nothing an engine could read."""

    class Meta:
        model = FittedModel

    kind = "light"
    version = "light-1"
    as_of = NOW
    fitted_at = NOW
    data = b"model"
    checksum = factory.Sequence(lambda n: f"{n:064x}")


class PredictionFactory(DjangoModelFactory):
    """The forecast of an item: due=True expects it tomorrow, otherwise in eight weeks; `around` is the present."""

    class Meta:
        model = Prediction
        exclude = ["today"]

    class Params:
        due = False
        around = NOW

    item = factory.SubFactory("tests.factories.ListItemFactory", prediction=None)
    model_version = "test"
    as_of = factory.SelfAttribute("around")
    p7 = factory.LazyAttribute(lambda p: 0.6 if p.due else 0.02)
    p14 = factory.LazyAttribute(lambda p: 0.8 if p.due else 0.05)
    p28 = factory.LazyAttribute(lambda p: 0.9 if p.due else 0.2)
    today = factory.LazyAttribute(lambda p: p.around.date())
    lower_on = factory.LazyAttribute(lambda p: p.today if p.due else p.today + timedelta(days=40))
    expected_on = factory.LazyAttribute(lambda p: p.today + timedelta(days=1 if p.due else 48))
    upper_on = factory.LazyAttribute(lambda p: p.today + timedelta(days=6 if p.due else 56))
    interval_days = 30.0
    supply_left = factory.LazyAttribute(lambda p: 0.1 if p.due else 0.9)
    suggested_quantity = 1
    score = factory.LazyAttribute(lambda p: p.p14)


class ListItemFactory(DjangoModelFactory):
    """An item of a returning customer, with the purchase it comes from, an offer and a forecast (see `due`)."""

    class Meta:
        model = ListItem
        skip_postgeneration_save = True

    class Params:
        due = False
        around = NOW

    member = factory.SubFactory(MemberFactory)
    offer = factory.SubFactory(OfferFactory)
    product = factory.LazyAttribute(lambda item: item.offer.product if item.offer else ProductFactory())
    last_bought_at = factory.LazyAttribute(lambda item: item.around - timedelta(days=29))
    last_quantity = Decimal(1)
    last_unit_price = factory.LazyAttribute(lambda item: item.offer.price if item.offer else Decimal(300))
    last_currency = "TWD"
    times_bought = 4
    prediction = factory.RelatedFactory(
        PredictionFactory,
        factory_related_name="item",
        due=factory.SelfAttribute("..due"),
        around=factory.SelfAttribute("..around"),
    )
    purchase = factory.RelatedFactory(
        PurchaseFactory,
        member=factory.SelfAttribute("..member"),
        product=factory.SelfAttribute("..product"),
        purchased_at=factory.SelfAttribute("..last_bought_at"),
    )


class ErrandFactory(DjangoModelFactory):
    class Meta:
        model = Errand

    member = factory.SubFactory(MemberFactory)
    key = factory.Sequence(lambda n: f"key-{n}")
    fingerprint = "0" * 64
    placed_at = NOW
    undo_until = factory.LazyAttribute(lambda errand: errand.placed_at + timedelta(minutes=10))


class OrderFactory(DjangoModelFactory):
    """An order placed as shop.orders would have placed it, without moving stock."""

    class Meta:
        model = Order

    number = factory.Sequence(lambda n: f"261118-{n:08d}")
    errand = factory.SubFactory(ErrandFactory)
    member = factory.SelfAttribute("errand.member")
    store = factory.SubFactory(StoreFactory)
    payment_kind = PaymentMethod.Kind.CASH
    recipient = "Lin Mei"
    phone = "+886912345678"
    address = "106 Da'an, Taipei Heping E. Rd. 1"
    currency = "TWD"
    total = Decimal(300)
    placed_at = factory.SelfAttribute("errand.placed_at")


class OrderLineFactory(DjangoModelFactory):
    class Meta:
        model = OrderLine

    order = factory.SubFactory(OrderFactory)
    offer = factory.SubFactory(OfferFactory, store=factory.SelfAttribute("..order.store"))
    product = factory.SelfAttribute("offer.product")
    quantity = 1
    unit_price = Decimal(300)
    amount = factory.LazyAttribute(lambda line: line.quantity * line.unit_price)


class ReminderFactory(DjangoModelFactory):
    class Meta:
        model = Reminder

    member = factory.SubFactory(MemberFactory)
    planned_at = NOW


class MessageFactory(DjangoModelFactory):
    class Meta:
        model = Message

    key = factory.Sequence(lambda n: f"message-{n}")
    purpose = "test"
    channel = Message.Channel.EMAIL
    recipient = factory.Sequence(lambda n: f"member{n}@example.com")
    subject = "Time to reorder"
    text = "Three things are due."
    created_at = NOW
    due_at = NOW
