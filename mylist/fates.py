"""What becomes of the list's tables when a member is erased: all goes, it can be made from purchases of somebody."""

from accounts.erasure import Delete, register
from mylist.models import ForecastCheck, ListItem, Prediction, Reminder, ReminderLine


def register_all() -> None:
    for model in (ListItem, Prediction, ForecastCheck, Reminder, ReminderLine):
        register(model, Delete())
