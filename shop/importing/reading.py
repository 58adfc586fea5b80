"""Files to records: found, unpacked, decoded and split, a block at a time, so that memory never follows the file."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.utils.translation import gettext as _

from shop.importing.problems import Stopped

_BLOCK = 1 << 16
_LONGEST_LINE = 1 << 20
# So few that they stay in the processor's cache: with a thousand it takes half as long again.
_BATCH = 100
_BOM = b"\xef\xbb\xbf"

# The lines on which some records begin, and for each column their values.
Batch = tuple[list[int], list[tuple[str, ...]]]

# A wrong line goes here: line, column, value, problem, mend.
Refuse = Callable[[int, str, str, str, str], None]


def find(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Where each of `names` ("members", ...) lies in `folder`, as .csv or .csv.gz; Stopped if that is not clear."""
    if not folder.is_dir():
        raise Stopped(_("%(folder)s: there is no such folder.") % {"folder": folder})
    found: dict[str, Path] = {}
    missing = []
    for name in names:
        forms = [path for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz") if path.is_file()]
        if len(forms) > 1:
            raise Stopped(
                _("%(one)s and %(other)s are both there: remove the one that is not meant.")
                % {"one": forms[0].name, "other": forms[1].name}
            )
        if forms:
            found[name] = forms[0]
        else:
            missing.append(f"{name}.csv")
    if missing:
        raise Stopped(
            _("%(folder)s: missing file: %(files)s. Each may also be gzipped (.csv.gz).")
            % {"folder": folder, "files": ", ".join(missing)}
        )
    return found


def batches(
    path: Path, columns: Sequence[str], refuse: Refuse, advance: Callable[[int], object] = lambda size: None
) -> Iterator[Batch]:
    """Every record, a hundred at a time, as the lines they begin on and, for each of `columns`, their values.

    Other columns are passed over, blank lines too. Lines of a wrong shape go to `refuse`; what makes the rest of the
    file doubtful (encoding, a cut-off gzip, a missing column, a quote that swallows lines) raises Stopped, after the
    records before it were given. The last batch may be empty. `advance` is told how many bytes of the file, packed as
    it is, were read since the last call.
    """
    reader = csv.reader(chain.from_iterable(_blocks(path, advance)), strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise _unbalanced(path, 1) from error
    places = _places(path, header, columns)
    lines: list[int] = []
    rows: list[list[str]] = []

    def batch() -> Batch:
        values = list(zip(*rows, strict=True))
        made = list(lines), [values[place] for place in places] if rows else []
        lines.clear()
        rows.clear()
        return made

    try:
        for _full in _fill(path, reader, len(header or ()), refuse, lines, rows):
            yield batch()
    except Stopped:
        yield batch()
        raise
    yield batch()


def _fill(
    path: Path, reader: Any, width: int, refuse: Refuse, lines: list[int], rows: list[list[str]]
) -> Iterator[None]:
    """Put the records into `rows`, and where they begin into `lines`, stopping for each batch to be taken away."""
    before = reader.line_num
    while True:
        try:
            for row in reader:
                line, before = before + 1, reader.line_num
                if len(row) == width:
                    lines.append(line)
                    rows.append(row)
                    if len(rows) == _BATCH:
                        yield
                elif row:
                    if before > line:
                        raise _unbalanced(path, line)
                    refuse(
                        line,
                        "",
                        ",".join(row),
                        _("has %(found)d values where the header has %(wanted)d")
                        % {"found": len(row), "wanted": width},
                        _("put values that contain a comma in double quotes"),
                    )
            return
        except csv.Error as error:
            line, before = before + 1, reader.line_num
            if before > line:
                raise _unbalanced(path, line) from error
            refuse(
                line,
                "",
                "",
                _("has double quotes that do not balance"),
                _('double a quote inside a quoted value: "12"" ruler"'),
            )


def _unbalanced(path: Path, line: int) -> Stopped:
    return Stopped(
        _(
            "%(file)s, line %(line)d: double quotes do not balance: a quote opened here is not closed on its line, so "
            "where the next lines begin cannot be told. Close it, or double a quote that is part of the value."
        )
        % {"file": path.name, "line": line}
    )


def _places(path: Path, header: list[str] | None, columns: Sequence[str]) -> list[int]:
    if header is None:
        raise Stopped(_("%(file)s is empty: not even a header line is there.") % {"file": path.name})
    names = [name.strip().lower() for name in header]
    missing = [column for column in columns if column not in names]
    if missing:
        raise Stopped(
            _("%(file)s, line 1: missing column: %(missing)s. The header has: %(found)s. Columns are split by commas.")
            % {"file": path.name, "missing": ", ".join(missing), "found": ", ".join(names)}
        )
    doubled = [column for column in columns if names.count(column) > 1]
    if doubled:
        raise Stopped(
            _("%(file)s, line 1: the column %(column)s is there twice: remove one.")
            % {"file": path.name, "column": doubled[0]}
        )
    return [names.index(column) for column in columns]


def _blocks(path: Path, advance: Callable[[int], object]) -> Iterator[io.StringIO]:
    """Some lines at a time, decoded; each block ends where a line ends."""
    try:
        with path.open("rb") as raw:
            yield from _decoded(path, raw, advance)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Stopped(
            _("%(file)s: the gzip is cut off or damaged (%(error)s). Copy or export it again.")
            % {"file": path.name, "error": error}
        ) from error
    except OSError as error:
        raise Stopped(
            _("%(file)s cannot be read: %(error)s.") % {"file": path.name, "error": error.strerror or error}
        ) from error


def _decoded(path: Path, raw: BinaryIO, advance: Callable[[int], object]) -> Iterator[io.StringIO]:
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw)
    offset = told = 0
    while block := stream.read(_BLOCK):
        block += stream.readline(_LONGEST_LINE)
        if len(block) > _LONGEST_LINE and not block.endswith(b"\n") and stream.read(1):
            raise Stopped(
                _("%(file)s: after byte %(offset)d no line ends for a million bytes. Is it a CSV file?")
                % {"file": path.name, "offset": offset}
            )
        # A mark at the very start is allowed, and counted in the offsets that are told.
        start = len(_BOM) if offset == 0 and block.startswith(_BOM) else 0
        try:
            text = block[start:].decode("utf-8")
        except UnicodeDecodeError as error:
            raise Stopped(
                _(
                    "%(file)s: byte %(offset)d is not UTF-8 (%(byte)s). Save the file as UTF-8; in Excel: "
                    '"CSV UTF-8 (comma delimited)".'
                )
                % {
                    "file": path.name,
                    "offset": offset + start + error.start,
                    "byte": f"0x{block[start + error.start]:02x}",
                }
            ) from error
        offset += len(block)
        here = raw.tell()
        advance(here - told)
        told = here
        yield io.StringIO(text, newline="")
