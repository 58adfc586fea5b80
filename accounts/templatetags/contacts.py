"""Contacts and clocks as people read them."""

from django import template

from accounts import time_zones
from accounts.phones import for_people

register = template.Library()


@register.filter
def phone(e164: str) -> str:
    """`+886912345678` -> `0912 345 678`."""
    return for_people(e164)


@register.filter
def clock(time_zone: str) -> str:
    """`Asia/Taipei` -> `台灣 · 台北`."""
    return time_zones.label(time_zone)
