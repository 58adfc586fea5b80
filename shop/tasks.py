"""What the shop does off the request."""

from celery import shared_task
from django.utils import timezone

from shop import orders


@shared_task
def settle_orders() -> int:
    """Confirm the orders whose undo window is over."""
    return orders.settle(at=timezone.now())
