"""The arrow back to prediction: what was bought or taken back is predicted again, within seconds.

The shop announces after commit. A message lost on the way (a broker that is down) is made up for by the nightly round.
"""

import logging

from django.dispatch import receiver
from kombu.exceptions import OperationalError

from mylist import tasks
from shop import signals

logger = logging.getLogger(__name__)


@receiver(signals.errand_placed)
@receiver(signals.errand_undone)
@receiver(signals.order_settled)
def predict_again(member_id: int, **_: object) -> None:
    try:
        # Not for ever: the shopper's answer waits for this.
        tasks.predict_members.apply_async(kwargs={"member_ids": [member_id]}, retry=False)
    except OperationalError:
        logger.warning("The broker is away; member %s is predicted again tonight.", member_id)
