"""What the shop does when others announce something."""

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from kombu.exceptions import OperationalError

from accounts.models import User
from shop import tasks
from shop.basket import merge_into_member
from shop.signals import history_imported

logger = logging.getLogger(__name__)


@receiver(user_logged_in)
def bring_baskets_along(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What a visitor put into baskets is the member's after signing in."""
    session = getattr(request, "session", None)
    tokens = session.pop("baskets", {}) if session is not None else {}
    if tokens:
        merge_into_member(tokens=list(tokens.values()), member=user)


@receiver(history_imported)
def look_at_birthdays(**_: object) -> None:
    try:
        tasks.flag_birthdays.apply_async(retry=False)
    except OperationalError:
        logger.warning("The broker is away; birthdays are looked at tomorrow.")
