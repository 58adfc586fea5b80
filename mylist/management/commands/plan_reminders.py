"""manage.py plan_reminders: plan what beat plans each quarter of an hour, now or as of another moment."""

from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from tqdm import tqdm

from mylist import reminders


class Command(BaseCommand):
    help = "Plan one reminder for every member with something due. The messages go out when the worker sends them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of",
            type=_moment,
            metavar="T",
            help="a day (its noon, in the shop's time zone) or a moment in ISO 8601; default: now",
        )

    def handle(self, *args: Any, as_of: datetime | None, **options: Any) -> None:
        at = as_of or timezone.now()
        with tqdm(unit=" members", disable=None, file=self.stderr) as bar:
            planned = reminders.plan(at=at, progress=bar.update)
        self.stdout.write(f"Planned {planned:,} reminders as of {at.isoformat()}.")


def _moment(text: str) -> datetime:
    # A day is its noon, when everybody nearby is awake; its end, as for a forecast, would find nobody to write to.
    try:
        if day := parse_date(text):
            return timezone.make_aware(datetime.combine(day, time(12)))
        if at := parse_datetime(text):
            return at if timezone.is_aware(at) else timezone.make_aware(at)
    except ValueError:
        pass
    raise CommandError(f"--as-of {text}: write a day such as 2026-11-18 or a moment such as 2026-11-18T09:00+08:00.")
