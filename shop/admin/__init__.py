"""The shop as staff see it: the catalogue to be kept, orders and purchases to be looked up."""

from shop.admin import catalogue, history

__all__ = ["catalogue", "history"]
