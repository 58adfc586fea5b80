"""Lists, forecasts and reminders as staff see them: to answer why a member saw or got what they did."""

from mylist.admin.forecasts import PredictionAdmin
from mylist.admin.lists import ListItemAdmin
from mylist.admin.models import FittedModelAdmin
from mylist.admin.quality import QualityAdmin
from mylist.admin.reminders import ReminderAdmin

__all__ = ["FittedModelAdmin", "ListItemAdmin", "PredictionAdmin", "QualityAdmin", "ReminderAdmin"]
