"""What any page may say: the group's name, and the local day of a moment as people write it."""

from datetime import date, datetime

from django import template
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import pgettext

register = template.Library()


@register.simple_tag
def site_name() -> str:
    return settings.SITE_NAME


@register.filter(expects_localtime=True)
def day(value: datetime, today: date) -> str:
    """Such as Oct 3, with the year where it isn't this one."""
    if value.year == today.year:
        return date_format(value, pgettext("day of this year", "M j"))
    return date_format(value, pgettext("day of another year", "M j, Y"))
