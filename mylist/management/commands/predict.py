from datetime import datetime, time
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from tqdm import tqdm

from mylist import predictions
from mylist.management.as_of import moment
from shop import history


class Command(BaseCommand):
    help = "Predict every returning member with the running model, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of",
            type=partial(moment, of_day=time.max),
            help="a day (its end, in the shop's time zone) or a moment in ISO 8601; default: now",
        )

    def handle(self, *args: Any, as_of: datetime | None, **options: Any) -> None:
        at = as_of or timezone.now()
        members = history.returning_members(at).count()
        with tqdm(total=members, unit=" members", disable=None, file=self.stderr) as bar:
            items = predictions.predict_all(at=at, progress=bar.update)
        self.stdout.write(f"Predicted {items:,} list items of {members:,} members as of {at.isoformat()}.")
