"""Objects for tests, valid by default and small."""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from accounts.models import Address, User
from shop.models import Category, Channel, Need, Offer, PaymentMethod, Product, Purchase, Store


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
