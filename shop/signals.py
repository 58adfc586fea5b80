"""What the shop announces, always after the transaction that did it is committed.

Each carries `errand_id` and `member_id` unless it says otherwise; listeners read the rest themselves.
"""

from django.dispatch import Signal

errand_placed = Signal()
errand_undone = Signal()
order_settled = Signal()  # carries order_id and member_id: the undo window is over, the purchase is complete
history_imported = Signal()  # carries purchases only: how many lines of history were added or changed
