"""{{ amount|money:currency }}: an amount as the page's language writes it."""

from decimal import Decimal

from django import template
from django.utils.translation import get_language

from shop.money import format_money

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    return format_money(amount, currency, get_language() or "en")
