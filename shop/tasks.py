"""What the shop does off the request."""

from celery import shared_task
from django.utils import timezone

from accounts import birthdays
from shop import history, orders


@shared_task
def settle_orders() -> int:
    """Confirm the orders whose undo window is over."""
    return orders.settle(at=timezone.now())


@shared_task
def flag_birthdays() -> int:
    """Find the birthdays that may be none; once a day, and as soon as an import is in."""
    return birthdays.flag(today=timezone.localdate(), first_bought=history.first_day())
