"""Whether a planned reminder may still go, asked by the dispatcher right before sending.

A message's words are fixed when it is planned, so it goes only if every item it names is still due: half of it being
bought meanwhile makes it a message that says something untrue. It is then dropped, its lines with it, and the next
planning, a quarter of an hour later at most, writes a new one about what is left.
"""

from datetime import datetime

from accounts.models import User
from mylist.models import Reminder
from mylist.reminders.due import address_of, due_items, is_awake, next_morning
from mylist.reminders.outcome import reminder_id_of
from notify.gates import Allow, Answer, Deny, Later
from notify.models import Message


def gate(message: Message, at: datetime) -> Answer:
    """Allow, if the member still wants it and all it names is still due; Later in the member's night."""
    reminder = Reminder.objects.select_related("member").filter(pk=reminder_id_of(message.key)).first()
    if reminder is None:
        return Deny("erased")
    if refusal := _refusal(reminder.member, message):
        return Deny(refusal)
    zone = reminder.member.time_zone
    if not is_awake(at, zone):
        return Later(next_morning(at, zone))
    named = set(reminder.lines.values_list("item_id", "cycle_began_at"))
    due = set(
        due_items(at=at, zones=[zone])
        .filter(member=reminder.member_id, pk__in=[item_id for item_id, _began in named])
        .values_list("pk", "last_bought_at")
    )
    if not named & due:
        return Deny("nothing due")
    return Allow() if named <= due else Deny("changed")


def _refusal(member: User, message: Message) -> str:
    """Why this member is not to be written to there; empty when nothing speaks against it."""
    if not member.is_active:
        return "member closed"
    if member.reminder_channel == User.ReminderChannel.NONE:
        return "reminders turned off"
    if (member.reminder_channel, address_of(member)) != (message.channel, message.recipient):
        return "address changed"
    return ""
