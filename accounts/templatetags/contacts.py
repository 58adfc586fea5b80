"""Contacts as people read them."""

from django import template

from accounts.phones import for_people

register = template.Library()


@register.filter
def phone(e164: str) -> str:
    """`+886912345678` -> `0912 345 678`."""
    return for_people(e164)
