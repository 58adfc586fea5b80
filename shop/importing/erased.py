"""Whoever was erased is not brought back by an export that still has the person."""

# ruff: noqa: S608 - the names in the SQL are this package's own; what an export says is always a parameter

from accounts.erasure import erased_numbers
from shop.importing.spec import Table
from shop.importing.staging import execute, fetch

_BATCH = 500


def leave_out(table: Table) -> int:
    """Take the lines of erased members out of a staging table; how many.

    Of an erased member's number only a keyed hash is kept, which SQL does not know: each number that is no member's is
    looked up, and none at all where nobody was ever erased.
    """
    strangers = (
        f"SELECT DISTINCT s.member_no FROM {table.staging} s "
        "LEFT JOIN accounts_user u ON u.member_no = s.member_no WHERE u.id IS NULL"
    )
    numbers = list(erased_numbers(number for (number,) in fetch(strangers)))
    left_out = 0
    for start in range(0, len(numbers), _BATCH):
        batch = numbers[start : start + _BATCH]
        places = ", ".join(["%s"] * len(batch))
        left_out += execute(f"DELETE FROM {table.staging} WHERE member_no IN ({places})", batch)
    return left_out
