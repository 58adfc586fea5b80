"""One message for all that is due for a member: who is due, plan, ask again, record, and the link that leads back.

due: which items may be brought up now. planning: reminder, lines and outbox message in one transaction. mail: its
words. gate: asked again when the message goes. outcome: what became of it. links: the signed link and what it opens.
"""

from mylist.reminders.gate import gate
from mylist.reminders.links import LinkBroken, LinkExpired, follow, mark_opened, open_link
from mylist.reminders.outcome import PURPOSE, catch_up, on_message_dropped, on_message_sent
from mylist.reminders.planning import plan, plan_member

__all__ = [
    "PURPOSE",
    "LinkBroken",
    "LinkExpired",
    "catch_up",
    "follow",
    "gate",
    "mark_opened",
    "on_message_dropped",
    "on_message_sent",
    "open_link",
    "plan",
    "plan_member",
]
