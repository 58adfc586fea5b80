"""Staged rows into the shop's tables: what is new is added, what differs is changed, the rest is not touched."""

# ruff: noqa: S608 - the names in the SQL are this package's own; what an export says is always a parameter

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connection, transaction

from accounts import consents
from shop.importing.aside import set_aside
from shop.importing.parsing import in_both_languages
from shop.importing.problems import Refused
from shop.importing.spec import Options
from shop.importing.staging import copy, count, differs, execute, fetch, is_postgresql
from shop.models import Category, Need, Purchase, Store

# Of a purchase, as staged and as written.
_FACTS = ("purchased_at", "purchased_on", "quantity", "unit_price", "currency")
# Members and products whose ids an import keeps in mind: 100 MB at most.
_KNOWN = 500_000


@dataclass(frozen=True, slots=True)
class Upsert:
    """Staged rows into the table `target`.

    `rows` is SQL after FROM that gives each row once and all that `key` needs, `joins` what `values` need besides.
    `key` and `values` map columns of the target to SQL; `defaults` are the further columns of a new row, which are
    never changed afterwards.
    """

    target: str
    rows: str
    joins: str
    key: dict[str, str]
    values: dict[str, str]
    defaults: dict[str, str]
    params: Sequence[object] = ()

    @property
    def _due(self) -> str:
        """The rows to write: those whose key is new and those with any value that differs."""
        same_key = " AND ".join(f"t.{name} = {value}" for name, value in self.key.items())
        different = " OR ".join(differs(f"t.{name}", value) for name, value in self.values.items())
        return f"{self.rows} {self.joins} LEFT JOIN {self.target} t ON {same_key} WHERE t.id IS NULL OR {different}"

    def touched(self, column: str) -> str:
        """SQL: the values of `column` in the rows to write."""
        return f"SELECT {column} FROM {self._due}"

    def run(self) -> tuple[int, int]:
        """Write them; how many were added, how many changed."""
        columns = {**self.key, **self.values, **self.defaults}
        insert = f"INSERT INTO {self.target} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM "
        if _is_empty(self.target):
            with set_aside(self.target):
                new = written = execute(f"{insert} {self.rows} {self.joins}", self.params)
        else:
            same_key = " AND ".join(f"t.{name} = {value}" for name, value in self.key.items())
            new = count(f"{self.rows} LEFT JOIN {self.target} t ON {same_key} WHERE t.id IS NULL")
            changes = ", ".join(f"{name} = excluded.{name}" for name in self.values)
            written = execute(
                f"{insert} {self._due} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changes}", self.params
            )
        if is_postgresql():
            execute(f"ANALYZE {self.target}")
        return new, written - new


def _is_empty(table: str) -> bool:
    return not any(fetch(f"SELECT 1 FROM {table} LIMIT 1"))


def merge_channels() -> tuple[int, int]:
    """Stores for new brands, then the channels; a store that is there keeps its name and looks."""
    newest = next(
        fetch(
            "SELECT currency, count(*) FROM import_products WHERE currency <> '' "
            "GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1"
        ),
        None,
    )
    for code, brand in list(fetch("SELECT store, min(brand) FROM import_channels GROUP BY store ORDER BY store")):
        if not Store.objects.filter(code=code).exists():
            name_zh, name_en = in_both_languages(brand)
            store = Store(code=code, name_zh=name_zh, name_en=name_en, position=Store.objects.count())
            if newest:
                store.currency = newest[0]
            store.save()
    return Upsert(
        target="shop_channel",
        rows="import_channels s",
        joins="JOIN shop_store st ON st.code = s.store",
        key={"code": "s.code"},
        values={"name": "s.name", "kind": "s.kind", "store_id": "st.id"},
        defaults={},
    ).run()


def respect_claimed_members() -> None:
    """What a claimed member controls is taken from the member: an import fills only what is empty.

    Name, e-mail, phone and birthday of a member who proved to be that person stay as they are unless empty; consents
    and the choice about reminders always stay. So does what anybody said who needs no proof: a wish that came by the
    link in a message, a birthday that staff mended. Done on the staged rows, so that every later check and count sees
    the rows as they will be.
    """
    own = ", ".join(
        f"{name} = CASE WHEN u.{name} <> '' THEN u.{name} ELSE import_members.{name} END"
        for name in ("name", "email", "phone")
    )
    execute(
        f"UPDATE import_members SET {own} FROM accounts_user u "
        "WHERE u.member_no = import_members.member_no AND u.claimed_at IS NOT NULL"
    )
    execute(
        "UPDATE import_members SET birthday = u.birthday, birthday_source = u.birthday_source FROM accounts_user u "
        "WHERE u.member_no = import_members.member_no AND (u.birthday_source IN ('member', 'staff') "
        "OR u.claimed_at IS NOT NULL AND u.birthday IS NOT NULL)"
    )
    execute(
        "UPDATE import_members SET email_consent = u.email_consent, sms_consent = u.sms_consent, "
        "reminder_channel = u.reminder_channel FROM accounts_user u "
        "WHERE u.member_no = import_members.member_no AND (u.claimed_at IS NOT NULL OR EXISTS "
        "(SELECT 1 FROM accounts_consententry e WHERE e.member_id = u.id AND e.source <> 'import'))"
    )
    execute(
        "UPDATE import_members SET joined_at = u.joined_at "
        "FROM accounts_user u WHERE u.member_no = import_members.member_no AND import_members.joined_at IS NULL"
    )


def respect_merged_members() -> None:
    """A record that staff merged with another stays as they left it, the kept one keeps what it took over from it."""
    merges = "accounts_merge g JOIN accounts_user u ON u.id = g.{side}_id"
    where = "WHERE g.undone_at IS NULL AND u.member_no = import_members.member_no"
    names = ("name", "email", "phone", "birthday", "birthday_source", "joined_at", "home_channel")
    same = ", ".join(f"{name} = u.{name}" for name in names)
    execute(f"UPDATE import_members SET {same} FROM {merges.format(side='merged')} {where}")
    kept = f"FROM {merges.format(side='kept')} {where}"
    execute(f"UPDATE import_members SET joined_at = u.joined_at {kept}")
    for name in ("name", "email", "phone", "home_channel"):
        execute(f"UPDATE import_members SET {name} = u.{name} {kept} AND import_members.{name} = ''")
    execute(
        f"UPDATE import_members SET birthday = u.birthday, birthday_source = u.birthday_source {kept} "
        "AND import_members.birthday IS NULL"
    )


def follow_merged_members() -> None:
    """Staged purchases of a record that staff merged with another are the kept one's, over any number of merges."""
    while execute(
        "UPDATE import_transactions SET member_no = k.member_no FROM accounts_merge g "
        "JOIN accounts_user u ON u.id = g.merged_id JOIN accounts_user k ON k.id = g.kept_id "
        "WHERE g.undone_at IS NULL AND u.member_no = import_transactions.member_no"
    ):
        pass


def merge_members(options: Options) -> tuple[int, int]:
    """New members are unclaimed and have no password: they sign in by proving an e-mail or phone."""
    execute("UPDATE import_members SET joined_at = %s WHERE joined_at IS NULL", [_moment(options.at)])
    upsert = Upsert(
        target="accounts_user",
        rows="import_members s",
        joins="",
        key={"member_no": "s.member_no"},
        values={
            name: f"s.{name}"
            for name in (
                "name",
                "email",
                "phone",
                "birthday",
                "birthday_source",
                "joined_at",
                "home_channel",
                "email_consent",
                "sms_consent",
                "reminder_channel",
            )
        },
        defaults={
            "password": "%s",
            "birthday_doubts": "%s",
            "order_channel": "CASE WHEN s.email = '' AND s.phone <> '' THEN 'sms' ELSE 'email' END",
            "language": "%s",
            "time_zone": "%s",
            "is_superuser": "%s",
            "is_staff": "%s",
            "is_active": "%s",
        },
        params=(make_password(None), "[]", options.language, options.time_zone, False, False, True),
    )
    # One member's old e-mail may be another's new one: first let go of those, or the index would refuse the swap.
    for column in ("email", "phone"):
        execute(
            f"UPDATE accounts_user SET {column} = '' WHERE member_no IN (SELECT s.member_no FROM import_members s "
            f"JOIN accounts_user u ON u.member_no = s.member_no JOIN import_members o "
            f"ON lower(o.{column}) = lower(u.{column}) AND o.member_no <> u.member_no WHERE u.{column} <> '')"
        )
    merged = upsert.run()
    if any(merged):
        with set_aside("accounts_consententry") if _is_empty("accounts_consententry") else nullcontext():
            consents.record_unclaimed(at=options.at)
    return merged


def _moment(at: datetime) -> object:
    return connection.ops.adapt_datetimefield_value(at)


def _merge_words() -> None:
    """Categories and needs that are new; those that are there keep the names that staff gave them."""
    missing = (
        "SELECT s.{code}, min(s.{name}) FROM import_products s LEFT JOIN {table} t ON t.code = s.{code} "
        "WHERE s.{code} <> '' AND t.id IS NULL GROUP BY s.{code} ORDER BY s.{code}"
    )
    for code, name in list(fetch(missing.format(code="category_code", name="category", table="shop_category"))):
        name_zh, name_en = in_both_languages(name)
        Category.objects.create(code=code, name_zh=name_zh, name_en=name_en)
    categories = dict(
        fetch(
            "SELECT DISTINCT s.need_code, c.id FROM import_products s JOIN shop_category c ON c.code = s.category_code"
        )
    )
    needs = []
    for code, name in list(fetch(missing.format(code="need_code", name="subcategory", table="shop_need"))):
        name_zh, name_en = in_both_languages(name)
        needs.append(Need(code=code, name_zh=name_zh, name_en=name_en, category_id=categories.get(code)))
    Need.objects.bulk_create(needs, batch_size=500)


def merge_products() -> tuple[int, int]:
    """Categories, needs and products. Their skus that were written are remembered in import_touched.

    A name stands in one language only; what the shop has in the other stays. A product without any name is called by
    its sku until somebody names it.
    """
    _merge_words()
    execute(
        "UPDATE import_products SET "
        "name_zh = CASE WHEN import_products.name_zh = '' THEN t.name_zh ELSE import_products.name_zh END, "
        "name_en = CASE WHEN import_products.name_en = '' THEN t.name_en ELSE import_products.name_en END "
        "FROM shop_product t WHERE t.sku = import_products.sku"
    )
    execute("UPDATE import_products SET name_en = sku WHERE name_zh = '' AND name_en = ''")
    same = ("name_zh", "name_en", "brand", "department", "package_size", "package_unit")
    upsert = Upsert(
        target="shop_product",
        rows="import_products s",
        joins="LEFT JOIN shop_category c ON c.code = s.category_code LEFT JOIN shop_need n ON n.code = s.need_code",
        key={"sku": "s.sku"},
        values={**{name: f"s.{name}" for name in same}, "category_id": "c.id", "need_id": "n.id"},
        defaults={"picture": "''"},
    )
    execute(f"CREATE TEMPORARY TABLE import_touched AS {upsert.touched('s.sku')}")
    return upsert.run()


def merge_purchases() -> tuple[int, int]:
    return Upsert(
        target="shop_purchase",
        rows="import_transactions s",
        joins="JOIN accounts_user m ON m.member_no = s.member_no "
        "JOIN shop_channel c ON c.code = s.channel_code JOIN shop_product p ON p.sku = s.sku",
        key={"transaction_no": "s.transaction_no", "line_no": "s.line_no"},
        values={
            "member_id": "m.id",
            "channel_id": "c.id",
            "product_id": "p.id",
            **{name: f"s.{name}" for name in _FACTS},
        },
        defaults={},
    ).run()


def first_purchases(batches: Iterable[list[Sequence[Any]]]) -> tuple[int, int] | None:
    """Lines as they would be staged, straight into a shop without purchases, in a third of the time; PostgreSQL only.

    None, and nothing written, where that cannot be: because the shop has purchases already, has too many codes to be
    kept in mind, a line is doubled, refused or to be left out, or its member, channel or product is not there.
    """
    if not is_postgresql() or Purchase.objects.exists() or count("accounts_merge"):
        return None
    if count("accounts_user") + count("shop_product") > _KNOWN:
        return None
    members = dict(fetch("SELECT member_no, CAST(id AS text) FROM accounts_user"))
    channels = dict(fetch("SELECT code, CAST(id AS text) FROM shop_channel"))
    products = dict(
        fetch("SELECT sku, CAST(id AS text) FROM shop_product WHERE sku NOT IN (SELECT sku FROM import_left_out)")
    )

    def resolved(columns: list[Sequence[Any]]) -> list[Sequence[Any]]:
        _line, transaction_no, line_no, member_no, channel_code, sku, *rest = columns
        try:
            ids = [
                list(map(known.__getitem__, codes))
                for known, codes in ((members, member_no), (channels, channel_code), (products, sku))
            ]
        except KeyError as error:
            raise Refused("", "") from error
        return [transaction_no, line_no, *ids, *rest]

    names = ("transaction_no", "line_no", "member_id", "channel_id", "product_id", *_FACTS)
    try:
        with transaction.atomic(), set_aside("shop_purchase"):
            copy("shop_purchase", names, map(resolved, batches))
    except (Refused, IntegrityError):
        return None
    execute("ANALYZE shop_purchase")
    return count("shop_purchase"), 0


def merge_offers() -> int:
    """An offer in every store that has sold the product, or in the first store if none has; prices from the export.

    A new offer's stock is empty (not counted); what stock an offer has, and whether it is on sale, is never touched.
    Returns how many products had an offer added or changed that merge_products had not counted.
    """
    execute(
        "CREATE TEMPORARY TABLE import_sold AS SELECT d.product_id, d.store_id FROM "
        "(SELECT DISTINCT x.product_id, c.store_id FROM shop_purchase x JOIN shop_channel c ON c.id = x.channel_id) d "
        "JOIN shop_product p ON p.id = d.product_id JOIN import_products s ON s.sku = p.sku"
    )
    execute("CREATE INDEX import_sold_product ON import_sold (product_id)")
    if is_postgresql():
        execute("ANALYZE import_sold")
    execute(
        "INSERT INTO import_sold SELECT p.id, f.id FROM import_products s JOIN shop_product p ON p.sku = s.sku "
        "CROSS JOIN (SELECT st.id FROM shop_store st WHERE st.code IN (SELECT store FROM import_channels) "
        "OR NOT EXISTS (SELECT 1 FROM import_channels) ORDER BY st.position, st.code LIMIT 1) AS f "
        "LEFT JOIN import_sold d ON d.product_id = p.id "
        "LEFT JOIN shop_offer o ON o.product_id = p.id AND o.store_id <> f.id "
        "WHERE d.product_id IS NULL AND o.id IS NULL"
    )
    upsert = Upsert(
        target="shop_offer",
        rows="import_sold d",
        joins="JOIN shop_product p ON p.id = d.product_id "
        "JOIN import_products s ON s.sku = p.sku AND s.unit_price IS NOT NULL",
        key={"store_id": "d.store_id", "product_id": "d.product_id"},
        values={"price": "s.unit_price", "currency": "s.currency"},
        defaults={"is_active": "%s"},
        params=(True,),
    )
    more = count(
        f"(SELECT DISTINCT sku FROM ({upsert.touched('s.sku')}) AS written "
        "WHERE sku NOT IN (SELECT sku FROM import_touched)) AS further"
    )
    upsert.run()
    execute("DROP TABLE import_sold")
    execute("DROP TABLE import_touched")
    return more
