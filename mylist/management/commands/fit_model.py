"""manage.py fit_model: try the kinds of model on this shop's past, fit the best, switch it on if it does better."""

from datetime import datetime, time
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone, translation
from tqdm import tqdm

from mylist import predictions, verdicts
from mylist.management.as_of import moment


class Command(BaseCommand):
    help = (
        "Try the kinds of model and the baselines on past days of this shop, fit the best kind on the whole history, "
        "and let it make the forecasts if it beats what is running. The worker does the same once a week."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of",
            type=partial(moment, of_day=time.max),
            metavar="T",
            help="a day (its end, in the shop's time zone) or a moment in ISO 8601; default: now",
        )
        parser.add_argument("--kind", choices=predictions.KINDS, help="only this kind of model; default: all of them")
        switch = parser.add_mutually_exclusive_group()
        switch.add_argument(
            "--switch-on", dest="switch", action="store_const", const=True, help="run it whatever its back-test says"
        )
        switch.add_argument(
            "--keep", dest="switch", action="store_const", const=False, help="keep it aside whatever its back-test says"
        )

    def handle(self, *args: Any, as_of: datetime | None, kind: str | None, switch: bool | None, **options: Any) -> None:
        kinds = [kind] if kind else predictions.KINDS
        with tqdm(unit=" steps", disable=None, file=self.stderr) as bar:

            def progress(step: str, steps: int) -> None:
                bar.total = steps
                bar.set_postfix_str(step, refresh=False)
                bar.update()

            fitted = predictions.fit_candidates(
                at=as_of or timezone.now(), kinds=kinds, switch=switch, progress=progress
            )
        # In English like all commands, and so that the columns stand below each other.
        with translation.override("en"):
            for line in verdicts.lines(verdicts.table(fitted)):
                self.stdout.write(line)
            self.stdout.write(f"{fitted}: {verdicts.sentence(fitted)}")
            self.stdout.write(f"{fitted.get_status_display()}.")
