"""manage.py import_history DIR: members, channels, products and transactions of another system, as CSV."""

import argparse
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from accounts.models import User
from shop.importing import FILES, Options, Rejects, Stopped, import_history


class Command(BaseCommand):
    # Checks look at the code, not at the export; `migrate`, which comes before an import, has made them.
    requires_system_checks = ()
    help = (
        "Bring members, channels, products and transactions along: members.csv, channels.csv, products.csv and "
        "transactions.csv (or .csv.gz) in DIR. Running it again changes nothing; a newer export adds and updates. "
        "If any line is bad nothing is written, unless --skip-bad is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        languages = [code for code, _name in settings.LANGUAGES]
        add = parser.add_argument
        new = User()
        add("folder", metavar="DIR", type=Path)
        add("--skip-bad", action="store_true", help="write the good lines even if there are bad ones")
        add("--report", type=Path, default=Path("import-rejects.csv"), metavar="FILE", help="the list of bad lines")
        add("--store", default="", metavar="CODE", help="the store of all channels, instead of one for each brand")
        add("--language", choices=languages, default=new.language, help="of new members")
        add("--time-zone", default=new.time_zone, help="of new members, such as Asia/Taipei")
        add("--region", default="TW", help="country of phone numbers without a country code (ISO 3166)")
        add(
            "--exclude-department",
            action="append",
            default=[],
            metavar="NAME",
            help="leave out products of this department and their lines, besides IMPORT_EXCLUDED_DEPARTMENTS",
        )
        add("--progress", action=argparse.BooleanOptionalAction, default=None, help="a progress bar (if a terminal)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ZoneInfo(options["time_zone"])
        except (ValueError, OSError, KeyError) as error:
            raise CommandError(
                _("%(zone)s is no time zone. Give one such as Asia/Taipei.") % {"zone": options["time_zone"]}
            ) from error
        chosen = Options(
            at=timezone.now(),
            skip_bad=options["skip_bad"],
            store=options["store"],
            language=options["language"],
            time_zone=options["time_zone"],
            region=options["region"],
            excluded_departments=frozenset([*settings.IMPORT_EXCLUDED_DEPARTMENTS, *options["exclude_department"]]),
        )
        shown = sys.stderr.isatty() if options["progress"] is None else options["progress"]
        folder: Path = options["folder"]
        size = sum(path.stat().st_size for name in FILES for path in folder.glob(f"{name}.csv*"))
        with (
            Rejects(options["report"]) as rejects,
            tqdm(total=size, unit="B", unit_scale=True, disable=not shown, file=sys.stderr) as bar,
        ):

            def progress(doing: str, size: int) -> None:
                bar.set_description(doing, refresh=size == 0)
                bar.update(size)

            try:
                outcome = import_history(folder, options=chosen, rejects=rejects, progress=progress)
            except Stopped as stopped:
                bar.close()
                self._list(rejects)
                raise CommandError(_("%(why)s Nothing was written.") % {"why": stopped}) from stopped
        self._list(rejects)
        self.stdout.write(outcome.table())
        if not outcome.written:
            raise CommandError(
                ngettext(
                    "Nothing was written: %(count)d line is bad. Mend it, or run again with --skip-bad.",
                    "Nothing was written: %(count)d lines are bad. Mend them, or run again with --skip-bad.",
                    rejects.total,
                )
                % {"count": rejects.total}
            )

    def _list(self, rejects: Rejects) -> None:
        for reject in rejects.first:
            self.stderr.write(str(reject))
        if rejects.first:
            self.stderr.write(_("All bad lines are in %(file)s.") % {"file": rejects.path})
