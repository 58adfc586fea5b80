from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from tqdm import tqdm

from mylist import predictions


class Command(BaseCommand):
    help = "Fit the model on everybody's history and predict every returning member."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of",
            type=moment,
            help="a day (its end, in the shop's time zone) or a moment in ISO 8601; default: now",
        )

    def handle(self, *args: Any, as_of: datetime | None, **options: Any) -> None:
        at = as_of or timezone.now()
        members = len(predictions.members(at=at))
        with tqdm(total=members, unit=" members", disable=None, file=self.stderr) as bar:
            items = predictions.predict_all(at=at, progress=bar.update)
        self.stdout.write(f"Predicted {items:,} list items of {members:,} members as of {at.isoformat()}.")


def moment(text: str) -> datetime:
    """A day or moment as typed; CommandError with an example for anything else."""
    try:
        if day := parse_date(text):
            return timezone.make_aware(datetime.combine(day, time.max))
        if at := parse_datetime(text):
            return at if timezone.is_aware(at) else timezone.make_aware(at)
    except ValueError:
        pass
    raise CommandError(f"--as-of {text}: write a day such as 2026-11-18 or a moment such as 2026-11-18T09:00+08:00.")
