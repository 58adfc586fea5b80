"""What the shop does when others announce something."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from shop.basket import merge_into_member


@receiver(user_logged_in)
def bring_baskets_along(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What a visitor put into baskets is the member's after signing in."""
    session = getattr(request, "session", None)
    tokens = session.pop("baskets", {}) if session is not None else {}
    if tokens:
        merge_into_member(tokens=list(tokens.values()), member=user)
