"""The shop's tables: what is sold (catalogue), what is wanted (basket), what was ordered, what was bought."""

from shop.models.basket import Basket, BasketLine
from shop.models.catalogue import Category, Channel, Need, Offer, Product, Store
from shop.models.orders import Errand, Order, OrderLine, PaymentMethod
from shop.models.purchases import Purchase

__all__ = [
    "Basket",
    "BasketLine",
    "Category",
    "Channel",
    "Errand",
    "Need",
    "Offer",
    "Order",
    "OrderLine",
    "PaymentMethod",
    "Product",
    "Purchase",
    "Store",
]
