"""A first import goes into an empty table: what looks after every row there is set aside, and made again in bulk."""

from collections.abc import Iterator
from contextlib import contextmanager

from shop.importing.staging import execute, fetch, is_postgresql

# Foreign keys, and the primary and unique keys to which no other table refers; in order, what is looked up first.
_CONSTRAINTS = (
    "SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint k "
    "WHERE conrelid = %s::regclass AND (contype = 'f' OR contype IN ('p', 'u') AND NOT EXISTS "
    "(SELECT 1 FROM pg_constraint r WHERE r.contype = 'f' AND r.conindid = k.conindid)) "
    "ORDER BY contype = 'f', conname"
)
_INDEXES = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass "
    "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid) ORDER BY 1"
)


def check_foreign_keys() -> None:
    """Check all rows written so far, which otherwise is done at the commit, where a refusal explains itself to nobody.

    One lookup for every row and key. PostgreSQL only: SQLite checks at the commit whatever one does.
    """
    # Without this the check of a table of few pages scans all of it for every line.
    execute("SET LOCAL enable_seqscan = off")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")
    execute("SET LOCAL enable_seqscan = on")


@contextmanager
def set_aside(table: str) -> Iterator[None]:
    """While the block fills the empty `table`, it has no foreign keys, no further indexes, and no key but those
    that others refer to.

    Afterwards they are made again as they were, by one sort or join for each instead of one lookup for each row: that
    refuses (IntegrityError) what they would have refused row by row. Should the block or that fail, the rollback of
    the transaction brings everything back. On SQLite, and where the tables belong to another role, nothing is done.

    Until the commit nobody can read `table` nor any table that its foreign keys refer to.
    """
    if not is_postgresql() or not _ours(table):
        yield
        return
    # Rows whose check is still due would forbid it.
    check_foreign_keys()
    constraints, indexes = list(fetch(_CONSTRAINTS, [table])), list(fetch(_INDEXES, [table]))
    for name, _ in constraints:
        execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        execute(definition)
    for name, definition in constraints:
        execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _ours(table: str) -> bool:
    """Whether this role may change the table: one that only reads and writes imports too, only slower."""
    return next(fetch("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass", [table]))[0]
