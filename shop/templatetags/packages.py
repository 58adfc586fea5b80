"""{{ product|package }} and {{ offer|unit_price }}."""

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shop import packages
from shop.models import Offer, Product
from shop.money import format_money

register = template.Library()


@register.filter
def package(product: Product) -> str:
    return packages.package_words(product)


@register.filter
def unit_price(offer: Offer) -> str:
    """Such as "NT$56 per 10 pieces"; empty where there is nothing to compare."""
    price = packages.unit_price(offer)
    if price is None:
        return ""
    amount = format_money(price.amount, offer.currency, get_language() or "en")
    return _("%(amount)s per %(count)s") % {
        "amount": amount,
        "count": packages.count_words(price.size, offer.product.package_unit),
    }
