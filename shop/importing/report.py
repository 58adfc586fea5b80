"""What came of a run: counts for every file, and the lines that were refused."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from django.utils.translation import gettext as _

from shop.importing.problems import Stopped

COLUMNS = ("file", "line", "column", "value", "problem", "mend")
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Reject:
    """Why one line was refused; `line` is where it begins in `file`, counted from 1 with the header."""

    file: str
    line: int
    column: str
    value: str
    problem: str
    mend: str

    def __str__(self) -> str:
        value = self.value if len(self.value) <= 60 else f"{self.value[:57]}..."
        what = f"{self.column} {value!r} " if self.column else ""
        return _("%(file)s, line %(line)d: %(what)s%(problem)s: %(mend)s.") % {
            "file": self.file,
            "line": self.line,
            "what": what,
            "problem": self.problem,
            "mend": self.mend,
        }


class Rejects:
    """The refused lines of a run: all of them to a CSV (made with the first one), the first twenty kept for the screen.

    A line with two problems takes two rows and counts once, provided that its problems come one after the other.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[Reject] = []
        self.lines: Counter[str] = Counter()
        self._last: tuple[str, int] = ("", 0)
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def total(self) -> int:
        return self.lines.total()

    def add(self, table: str, reject: Reject) -> None:
        if self._file is None:
            try:
                # With the mark of UTF-8, which Excel needs to see.
                self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            except OSError as error:
                raise Stopped(
                    _("%(file)s cannot be written: %(error)s. Name another place with --report.")
                    % {"file": self.path, "error": error.strerror or error}
                ) from error
            self._writer = csv.writer(self._file)
            self._writer.writerow(COLUMNS)
        self._writer.writerow((reject.file, reject.line, reject.column, reject.value, reject.problem, reject.mend))
        if len(self.first) < SHOWN:
            self.first.append(reject)
        if self._last != (table, reject.line):
            self._last = (table, reject.line)
            self.lines[table] += 1


@dataclass(slots=True)
class Counts:
    """Lines of one file by what became of them; `lines` is their sum, without header and blank lines."""

    lines: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    left_out: int = 0
    rejected: int = 0


@dataclass(slots=True)
class Outcome:
    """`written` is False when lines were refused and none may be; then only `lines` and `rejected` mean much."""

    counts: dict[str, Counts] = field(default_factory=dict)
    written: bool = False

    def table(self) -> str:
        """The counts as a table of text, one row a file."""
        headings = [
            "",
            _("lines"),
            _("added"),
            _("changed"),
            _("unchanged"),
            _("repeated"),
            _("left out"),
            _("rejected"),
        ]
        rows = [headings]
        for name, counts in self.counts.items():
            taken = (counts.added, counts.changed, counts.unchanged, counts.repeated, counts.left_out)
            shown = [f"{count:,}" if self.written else "-" for count in taken]
            rows.append([name, f"{counts.lines:,}", *shown, f"{counts.rejected:,}"])
        widths = [max(len(row[place]) for row in rows) for place in range(len(headings))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )
