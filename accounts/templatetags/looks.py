"""Who looked at the shop with a member's eyes, for the member to see."""

from django import template

from accounts.models import Impersonation, User

register = template.Library()

_SHOWN = 20


@register.simple_tag
def looks_at(member: User) -> list[Impersonation]:
    """The newest looks at the shop as this member."""
    return list(Impersonation.objects.filter(member=member).order_by("-began_at")[:_SHOWN])
