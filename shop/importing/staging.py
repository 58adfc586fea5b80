"""Good lines in temporary tables: fast in, counted, doubles sorted out."""

# ruff: noqa: S608 - the names in the SQL are this package's own; what an export says is always a parameter

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection

from shop.importing.report import Reject, Rejects
from shop.importing.spec import Table

_BATCH = 1000
_TYPES = {
    "postgresql": {
        "text": "text",
        "number": "bigint",
        "flag": "boolean",
        "decimal": "numeric",
        "day": "date",
        "moment": "timestamptz",
    },
    # The affinities of Django's own columns, so that equal values compare as equal.
    "sqlite": {
        "text": "text",
        "number": "bigint",
        "flag": "bool",
        "decimal": "decimal",
        "day": "date",
        "moment": "datetime",
    },
}


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def differs(left: str, right: str) -> str:
    """SQL: the two are not the same, an empty one counting as a value (older SQLite lacks IS DISTINCT FROM)."""
    return f"{left} IS DISTINCT FROM {right}" if is_postgresql() else f"{left} IS NOT {right}"


def execute(sql: str, params: Sequence[Any] = ()) -> int:
    """Run one statement and tell how many rows it wrote or found."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def fetch(sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, a batch at a time, however many there are."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(_BATCH):
            yield from rows


def count(sql: str, params: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {sql}", params)
        return cursor.fetchone()[0]


def create(tables: Iterable[Table]) -> None:
    """Empty staging tables, and one for the lines that a check refuses."""
    types = _TYPES[connection.vendor]
    for table in tables:
        columns = ", ".join(f"{name} {types[kind]}" for name, kind in table.staged.items())
        execute(f"CREATE TEMPORARY TABLE {table.staging} (line bigint, {columns})")
    execute(
        "CREATE TEMPORARY TABLE import_refused (line bigint, column_name text, value text, reason text, detail text)"
    )
    execute("CREATE TEMPORARY TABLE import_left_out (sku text)")


def drop(tables: Iterable[Table]) -> None:
    for name in (*(table.staging for table in tables), "import_refused", "import_left_out"):
        execute(f"DROP TABLE {name}")


def copy(target: str, names: Iterable[str], batches: Iterable[list[Sequence[Any]]]) -> None:
    """Put columns, some lines at a time, into a table; PostgreSQL only."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} ({', '.join(names)}) FROM STDIN") as into:
        for columns in batches:
            if text := _plain(columns):
                into.write(text)
            else:
                for row in zip(*columns, strict=True):
                    into.write_row(row)


def load(table: Table, batches: Iterable[list[Sequence[Any]]]) -> None:
    """Put columns (line, *those staged), some lines at a time, into the staging table."""
    names = ("line", *table.staged)
    if is_postgresql():
        copy(table.staging, names, batches)
    else:
        insert = f"INSERT INTO {table.staging} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
        with connection.cursor() as cursor:
            for columns in batches:
                cursor.executemany(insert, list(zip(*columns, strict=True)))
    if len(table.key) == 1:
        execute(f"CREATE INDEX {table.staging}_key ON {table.staging} ({table.key[0]})")
    if is_postgresql():
        # Enough to tell a long table from a short one, and many values from few.
        execute("SET LOCAL default_statistics_target = 10")
        execute(f"ANALYZE {table.staging}")
        execute("SET LOCAL default_statistics_target TO DEFAULT")


def refuse(file: str, table: Table, rejects: Rejects, reasons: dict[str, tuple[str, str]]) -> int:
    """Report the lines that a check put into import_refused and take them out of the staging table; how many.

    `reasons` gives (problem, mend) for each reason; %(detail)s and %(value)s in them stand for the row's own.
    """
    if not count("import_refused"):
        return 0
    found = "SELECT line, column_name, value, reason, detail FROM import_refused ORDER BY line, column_name"
    for line, column, value, reason, detail in fetch(found):
        problem, mend = (words % {"detail": detail, "value": value} for words in reasons[reason])
        rejects.add(table.name, Reject(file, line, column, value, problem, mend))
    refused = execute(f"DELETE FROM {table.staging} WHERE line IN (SELECT line FROM import_refused)")
    execute("DELETE FROM import_refused")
    return refused


def sort_out_doubles(table: Table) -> int:
    """Lines with the same key: of equal ones all but the first go (their count is returned); others are refused.

    Which of two that differ is right cannot be told, so all of them land in import_refused, whatever their order.
    """
    keys = ", ".join(table.key)
    execute(
        f"CREATE TEMPORARY TABLE import_doubles AS "
        f"SELECT {keys}, min(line) AS first_line, max(line) AS last_line FROM {table.staging} "
        f"GROUP BY {keys} HAVING count(*) > 1"
    )
    repeated = 0
    if count("import_doubles"):
        same_key = " AND ".join(f"s.{name} = d.{name}" for name in table.key)
        doubled = f"{table.staging} s JOIN import_doubles d ON {same_key}"
        content = ", ".join(f"s.{name}" for name in table.staged)
        shown_key = " || '/' || ".join(f"CAST(s.{name} AS text)" for name in table.key)
        execute(
            f"INSERT INTO import_refused SELECT s.line, %s, {shown_key}, 'double', "
            f"CAST(CASE WHEN s.line = d.first_line THEN d.last_line ELSE d.first_line END AS text) FROM {doubled} "
            f"JOIN (SELECT {keys} FROM (SELECT DISTINCT {content} FROM {doubled}) AS contents "
            f"GROUP BY {keys} HAVING count(*) > 1) AS o ON {same_key.replace('d.', 'o.')}",
            ["/".join(table.shown)],
        )
        repeated = execute(
            f"DELETE FROM {table.staging} WHERE line IN (SELECT s.line FROM {table.staging} s "
            f"JOIN import_doubles d ON {same_key} WHERE s.line > d.first_line "
            f"AND s.line NOT IN (SELECT line FROM import_refused))"
        )
    execute("DROP TABLE import_doubles")
    return repeated


def _plain(columns: list[Sequence[Any]]) -> str | None:
    """Columns as COPY reads them, if all is text in which it would find nothing special: much the fastest way."""
    try:
        text = "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"
    except TypeError:
        return None
    lines = len(columns[0])
    special = "\\" in text or text.count("\n") != lines or text.count("\t") != lines * (len(columns) - 1)
    return None if special else text
