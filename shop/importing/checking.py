"""Checks across lines, by SQL on the staged rows: doubles, references, contacts that two members share."""

# ruff: noqa: S608 - the names in the SQL are this package's own; what an export says is always a parameter

from collections.abc import Callable

from django.utils.translation import gettext as _

from shop.importing.spec import Table
from shop.importing.staging import count, execute, sort_out_doubles

# Takes the lines in import_refused out of a table and reports them: how many.
TakeOut = Callable[[Table], int]


def reasons() -> dict[str, tuple[str, str]]:
    """(problem, mend) for every reason that a check gives; filled with the `value` and a `detail`."""
    return {
        "double": (
            _("stands on line %(detail)s too, with other content"),
            _("keep the line that is right"),
        ),
        "member": (
            _("is no member of members.csv or of the shop"),
            _("add %(value)s to members.csv, or mend its line there"),
        ),
        "channel": (
            _("is no channel of channels.csv or of the shop"),
            _("add %(value)s to channels.csv, or mend its line there"),
        ),
        "product": (
            _("is no product of products.csv or of the shop"),
            _("add %(value)s to products.csv, or mend its line there"),
        ),
        "email": (
            _("is the e-mail of member %(detail)s too"),
            _("leave it with one of them and empty with the other, or make them one member"),
        ),
        "phone": (
            _("is the phone of member %(detail)s too"),
            _("leave it with one of them and empty with the other, or make them one member"),
        ),
    }


def check_doubles(table: Table, take_out: TakeOut) -> int:
    """Take out lines whose key comes again with other content; drop harmless repetitions and tell how many."""
    repeated = sort_out_doubles(table)
    take_out(table)
    return repeated


def check_home_channels(members: Table, take_out: TakeOut) -> None:
    """A home channel, where one is given, is one of the shop's (those of the export are merged already)."""
    execute(
        "INSERT INTO import_refused SELECT s.line, 'home_channel', s.home_channel, 'channel', '' "
        "FROM import_members s LEFT JOIN shop_channel t ON t.code = s.home_channel "
        "WHERE s.home_channel <> '' AND t.id IS NULL"
    )
    take_out(members)


def check_contacts(members: Table, take_out: TakeOut) -> None:
    """No e-mail (whatever its case) and no phone belongs to two members, in the file or in the shop.

    Of members of the file who share one, all are refused. A member refused keeps what the shop has of them, which may
    be what another line of the file wants: so the second check is repeated until it finds nothing.
    """
    for column in ("email", "phone"):
        execute(
            f"INSERT INTO import_refused SELECT s.line, %s, s.{column}, %s, "
            f"CASE WHEN s.member_no = g.one THEN g.other ELSE g.one END FROM import_members s JOIN "
            f"(SELECT lower({column}) AS shared, min(member_no) AS one, max(member_no) AS other FROM import_members "
            f"WHERE {column} <> '' GROUP BY lower({column}) HAVING count(*) > 1) AS g ON g.shared = lower(s.{column})",
            [column, column],
        )
    take_out(members)
    again = True
    while again:
        for column in ("email", "phone"):
            execute(
                f"INSERT INTO import_refused SELECT s.line, %s, s.{column}, %s, u.member_no "
                f"FROM import_members s JOIN accounts_user u ON lower(u.{column}) = lower(s.{column}) "
                f"LEFT JOIN import_members o ON o.member_no = u.member_no "
                f"WHERE s.{column} <> '' AND u.member_no <> s.member_no AND o.member_no IS NULL",
                [column, column],
            )
        again = take_out(members) > 0


def check_references(transactions: Table, take_out: TakeOut) -> None:
    """Every line's member, channel and product are the shop's (those of the export are merged already)."""
    targets = (
        "import_transactions s LEFT JOIN accounts_user m ON m.member_no = s.member_no "
        "LEFT JOIN shop_channel c ON c.code = s.channel_code LEFT JOIN shop_product p ON p.sku = s.sku"
    )
    if not count(f"{targets} WHERE m.id IS NULL OR c.id IS NULL OR p.id IS NULL"):
        return
    for column, reason, found in (
        ("member_no", "member", "m"),
        ("channel_code", "channel", "c"),
        ("sku", "product", "p"),
    ):
        execute(
            f"INSERT INTO import_refused SELECT s.line, %s, s.{column}, %s, '' FROM {targets} WHERE {found}.id IS NULL",
            [column, reason],
        )
    take_out(transactions)
