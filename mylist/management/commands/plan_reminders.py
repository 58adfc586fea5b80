"""manage.py plan_reminders: plan what beat plans each quarter of an hour, now or as of another moment."""

from datetime import datetime, time
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from tqdm import tqdm

from mylist import reminders
from mylist.management.as_of import moment


class Command(BaseCommand):
    help = "Plan one reminder for every member with something due. The messages go out when the worker sends them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of",
            # A day is its noon, when everybody nearby is awake; its end would find nobody to write to.
            type=partial(moment, of_day=time(12)),
            metavar="T",
            help="a day (its noon, in the shop's time zone) or a moment in ISO 8601; default: now",
        )

    def handle(self, *args: Any, as_of: datetime | None, **options: Any) -> None:
        at = as_of or timezone.now()
        with tqdm(unit=" members", disable=None, file=self.stderr) as bar:
            planned = reminders.plan(at=at, progress=bar.update)
        self.stdout.write(f"Planned {planned:,} reminders as of {at.isoformat()}.")
