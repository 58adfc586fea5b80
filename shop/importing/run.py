"""One import from the files to the commit."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from shop.importing import checking, erased, merging, parsing, staging
from shop.importing.aside import check_foreign_keys
from shop.importing.problems import Refused, Stopped
from shop.importing.reading import batches, find
from shop.importing.report import Counts, Outcome, Reject, Rejects
from shop.importing.spec import FILES, Options, Table, tables
from shop.models import Product, Store
from shop.signals import history_imported

# Any number, as long as nothing else in the shop locks with it.
_LOCK = 5071998

# Told (what is being done, bytes of the files read since the last call).
Progress = Callable[[str, int], object]


def import_history(
    folder: Path, *, options: Options, rejects: Rejects, progress: Progress = lambda doing, size: None
) -> Outcome:
    """Bring the masters in `folder` into the shop: all good lines or, unless bad ones may be skipped, nothing.

    One transaction, so nobody ever sees half of an export; running it again changes nothing. Refused lines go to
    `rejects`. After the commit `history_imported` is sent with the number of purchases written. Raises Stopped (and
    writes nothing) if the files are damaged, another import is running, or the database refuses.
    """
    if options.store and not Store.objects.filter(code=options.store).exists():
        codes = ", ".join(Store.objects.values_list("code", flat=True)) or _("none yet")
        raise Stopped(_("There is no store %(code)s. Stores: %(codes)s.") % {"code": options.store, "codes": codes})
    paths = find(folder, FILES)
    try:
        with transaction.atomic():
            _lock()
            outcome = _Run(paths, options, rejects, progress).run()
            if not outcome.written:
                transaction.set_rollback(True)
    except IntegrityError as error:
        raise Stopped(
            _("The shop was changed while the import ran, so nothing was written. Run it again. (%(error)s)")
            % {"error": str(error).strip()}
        ) from error
    except OperationalError as error:
        if "locked" in str(error):
            raise Stopped(_running()) from error
        raise Stopped(_("The database gave up, nothing was written: %(error)s") % {"error": error}) from error
    return outcome


def _running() -> str:
    return _("Another import (or another long write) is running. Wait until it has ended and run this one again.")


def _lock() -> None:
    """One import at a time. On SQLite the transaction itself, begun IMMEDIATE, lets no other writer in."""
    if staging.is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                raise Stopped(_running())
        # Joins and sorts of a whole export; the default would go to disk for them.
        staging.execute("SET LOCAL work_mem = '64MB'")
        staging.execute("SET LOCAL maintenance_work_mem = '128MB'")
        # Joins in the order written: what is new or differs is guessed far too low, and would be looked up row by row.
        staging.execute("SET LOCAL join_collapse_limit = 1")
        # Compiling a statement that runs once takes longer than running it.
        staging.execute("SET LOCAL jit = off")


class _Run:
    """What one run shares between its steps."""

    def __init__(self, paths: dict[str, Path], options: Options, rejects: Rejects, progress: Progress) -> None:
        self.paths, self.options, self.rejects, self.progress = paths, options, rejects, progress
        self.tables = tables(options)
        self.reasons = checking.reasons()
        self.outcome = Outcome(counts={name: Counts() for name in FILES})

    def run(self) -> Outcome:
        staging.create(self.tables.values())
        masters = ("members", "channels", "products")
        for name in masters:
            staging.load(self.tables[name], self._staged(self.tables[name]))
        self.progress(_("checking"), 0)
        for name in masters:
            self._check_doubles(name)
        self._leave_out()
        self.outcome.counts["members"].left_out = erased.leave_out(self.tables["members"])
        self._merge_masters()
        self._merge_transactions()
        for name, counts in self.outcome.counts.items():
            counts.rejected = self.rejects.lines[name]
            taken = counts.added + counts.changed + counts.repeated + counts.left_out + counts.rejected
            counts.unchanged = counts.lines - taken
        staging.drop(self.tables.values())
        self.outcome.written = self._welcome
        if self.outcome.written and any(counts.added or counts.changed for counts in self.outcome.counts.values()):
            purchases = self.outcome.counts["transactions"]
            written = purchases.added + purchases.changed
            transaction.on_commit(lambda: history_imported.send(sender=None, purchases=written))
        return self.outcome

    @property
    def _welcome(self) -> bool:
        """Whether what is known so far may be written."""
        return self.options.skip_bad or not self.rejects.total

    def _staged(self, table: Table, *, strict: bool = False) -> Iterator[list[Sequence[Any]]]:
        """The good lines of a file as columns for its staging table, a batch at a time.

        `strict` raises Refused for the first bad line, instead of reporting all of them.
        """
        path = self.paths[table.name]
        # Lines of a wrong shape, until the lines before them are told.
        misshapen: deque[Reject] = deque()

        def refuse(line: int, column: str, value: str, problem: str, mend: str) -> None:
            if strict:
                raise Refused(problem, mend)
            misshapen.append(Reject(path.name, line, column, value, problem, mend))

        def advance(size: int) -> None:
            self.progress(path.name, size)

        for lines, columns in batches(path, list(table.columns), refuse, advance):
            self.outcome.counts[table.name].lines += len(lines) + len(misshapen)
            try:
                if lines:
                    yield _arranged(table, lines, columns)
            except Refused:
                if strict:
                    raise
                # Rare, so only now each line on its own.
                for line, *values in zip(lines, *columns, strict=True):
                    while misshapen and misshapen[0].line < line:
                        self.rejects.add(table.name, misshapen.popleft())
                    try:
                        yield _arranged(table, [line], [(value,) for value in values])
                    except Refused as last:
                        for reject in _problems(path.name, table, line, values, last):
                            self.rejects.add(table.name, reject)
            while misshapen:
                self.rejects.add(table.name, misshapen.popleft())

    def _check_doubles(self, name: str) -> None:
        self.outcome.counts[name].repeated += checking.check_doubles(self.tables[name], self._take_out)

    def _take_out(self, table: Table) -> int:
        return staging.refuse(self.paths[table.name].name, table, self.rejects, self.reasons)

    def _leave_out(self) -> None:
        """Products of departments that are no goods are not taken; later, neither are the lines that bought them."""
        excluded = {department.strip().casefold() for department in self.options.excluded_departments}
        if not excluded:
            return
        staging.execute("INSERT INTO import_left_out SELECT sku FROM import_products WHERE left_out")
        self.outcome.counts["products"].left_out = staging.execute("DELETE FROM import_products WHERE left_out")
        there = Product.objects.order_by().values_list("department", flat=True).distinct()
        for department in [name for name in there if name.casefold() in excluded]:
            staging.execute(
                "INSERT INTO import_left_out SELECT sku FROM shop_product WHERE department = %s "
                "AND sku NOT IN (SELECT sku FROM import_products)",
                [department],
            )

    def _merge_masters(self) -> None:
        counts = self.outcome.counts
        members = self.tables["members"]
        counts["channels"].added, counts["channels"].changed = merging.merge_channels()
        checking.check_home_channels(members, self._take_out)
        merging.respect_claimed_members()
        merging.respect_merged_members()
        checking.check_contacts(members, self._take_out)
        counts["members"].added, counts["members"].changed = merging.merge_members(self.options)
        counts["products"].added, counts["products"].changed = merging.merge_products()

    def _merge_transactions(self) -> None:
        """The long file, unless it is known by now that the run will not be written.

        A first import tries to do without staging; where anything is wrong, it goes the way that can tell what it is.
        """
        counts, table = self.outcome.counts, self.tables["transactions"]
        merged = merging.first_purchases(self._staged(table, strict=True)) if self._welcome else None
        if merged is None:
            counts["transactions"].lines = 0
            staging.load(table, self._staged(table))
            self._check_doubles("transactions")
            counts["transactions"].left_out = staging.execute(
                "DELETE FROM import_transactions WHERE sku IN (SELECT sku FROM import_left_out)"
            )
            merging.follow_merged_members()
            counts["transactions"].left_out += erased.leave_out(table)
            checking.check_references(table, self._take_out)
            if not self._welcome:
                return
            self.progress(_("writing"), 0)
            merged = merging.merge_purchases()
        counts["transactions"].added, counts["transactions"].changed = merged
        counts["products"].changed += merging.merge_offers()
        if staging.is_postgresql():
            # Here, where a refusal is still ours to explain.
            check_foreign_keys()


def _arranged(table: Table, lines: list[int], columns: list[tuple[str, ...]]) -> list[Sequence[Any]]:
    """The columns of a staging table for some lines; raises Refused for the first value that is wrong."""
    parsed = [parsing.column(parse, raws) for parse, raws in zip(table.columns.values(), columns, strict=True)]
    return [list(map(str, lines)), *table.arrange(parsed)]


def _problems(file: str, table: Table, line: int, values: Sequence[str], last: Refused) -> Iterator[Reject]:
    """Every problem of a line at once: of each column on its own, or else what its arrangement was refused for."""
    told = False
    for (name, parse), value in zip(table.columns.items(), values, strict=True):
        try:
            parse(value)
        except Refused as refused:
            yield Reject(file, line, name, value, refused.problem, refused.mend)
            told = True
    if not told:
        value = values[list(table.columns).index(last.column)]
        yield Reject(file, line, last.column, value, last.problem, last.mend)
