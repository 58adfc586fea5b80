"""What is in the copy of all data: a zip of data.json (everything, by table), a CSV for each table and README.txt.

Which tables: accounts.belongings finds them, so that a new one is in it without being named anywhere.
"""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from zoneinfo import ZoneInfo

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from accounts import belongings
from accounts.models import User
from notify.models import Message

_CHUNK = 500

# What opens doors is named but not given, whoever holds the file; "*" stands for a history of the table, too.
SECRETS: dict[tuple[str, str], str] = {
    ("accounts.User", "password"): "opens the account",
    ("mfa.Authenticator", "data"): "opens the account",
    ("usersessions.UserSession", "session_key"): "opens the account",
    ("account.EmailConfirmation", "key"): "opens the account",
    ("socialaccount.SocialToken", "token"): "opens an account elsewhere",
    ("socialaccount.SocialToken", "token_secret"): "opens an account elsewhere",
    ("shop.Basket", "token"): "opens the basket",
    ("accounts.DataExport", "file"): "where the file lies in this shop's storage",
}
LEFT_OUT = gettext_lazy("(left out)")
# Beginnings that a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Table:
    """One table of the copy: which rows, which columns, and what stands in for what is not given."""

    def __init__(self, model: type[models.Model], rows: models.QuerySet[Any], *, only_act: bool = False) -> None:
        self.model, self.rows = model, rows
        self.label = model._meta.label
        self.file = f"{self.label}-done.csv" if only_act else f"{self.label}.csv"
        self.name = str(model._meta.verbose_name_plural)
        self.columns = [column for column in model._meta.concrete_fields if not only_act or _tells_no_other(column)]
        tracked = getattr(model, "instance_type", None)
        labels = {self.label, tracked._meta.label if tracked else ""}
        self.secret = {name for label, name in SECRETS if label in labels}

    def heads(self) -> list[str]:
        return [str(column.verbose_name) for column in self.columns]


def tables(member: User) -> Iterator[_Table]:
    """Every table that says something of the member; labels may come twice, as the own rows and as what was done."""
    ids = belongings.people(member)
    yield _Table(User, User.objects.filter(pk__in=ids).order_by("pk"))
    histories = dict(belongings.histories())
    for model in belongings.own_tables():
        if model not in histories:
            yield _Table(model, belongings.rows(model, ids).order_by("pk"))
    for history, tracked in histories.items():
        yield _Table(history, belongings.history_rows(history, tracked, ids).order_by("pk"))
    yield _Table(Message, belongings.messages(ids).order_by("pk"))
    yield _Table(LogEntry, belongings.admin_log(User, ids).order_by("pk"))
    for model, path in belongings.acts():
        # Staff: what they did is theirs, what it says of others is not.
        done = model._base_manager.filter(**{f"{path}__in": ids})
        if path_to_own := {ref.path for ref in belongings.own() if ref.model is model}:
            done = done.exclude(_any(path_to_own, ids))
        yield _Table(model, done.order_by("pk"), only_act=True)


def _any(paths: Iterable[str], ids: list[int]) -> Q:
    found = Q(pk__in=[])
    for path in paths:
        found |= Q(**{f"{path}__in": ids})
    return found


def _tells_no_other(column: models.Field) -> bool:
    """Of what staff did: when, and what kind of thing, but not to whom."""
    if column.is_relation:
        return column.related_model in (User, ContentType) and belongings.names_who_acted(column)
    return bool(column.primary_key or column.choices) or isinstance(column, models.DateField)


def write(file: IO[bytes], *, member: User, at: datetime) -> None:
    """Write the zip, a few hundred rows at a time, in the member's language and time zone."""
    zone = ZoneInfo(member.time_zone)
    with (
        translation.override(member.language),
        timezone.override(zone),
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile("w+", encoding="utf-8") as everything,
    ):
        everything.write(json.dumps({"made_at": at.astimezone(zone).isoformat(), "member": member.member_no})[:-1])
        everything.write(', "tables": [')
        listed: list[tuple[str, str, int]] = []
        for table in tables(member):
            everything.write(",\n" if listed else "\n")
            listed.append((table.file, table.name, _write_table(archive, everything, table, member, zone)))
        everything.write("\n]}\n")
        everything.seek(0)
        with archive.open("data.json", "w", force_zip64=True) as whole:
            while part := everything.read(1 << 16):
                whole.write(part.encode())
        words = {"member": member, "at": at, "tables": listed, "left_out": LEFT_OUT}
        archive.writestr("README.txt", "\ufeff" + render_to_string("accounts/export_readme.txt", words))


def _write_table(archive: zipfile.ZipFile, everything: IO[str], table: _Table, member: User, zone: ZoneInfo) -> int:
    """One CSV in the archive and one entry of data.json; how many rows."""
    head = {"table": table.label, "name": table.name, "columns": _columns(table)}
    everything.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": [')
    written = 0
    # With the mark of UTF-8, which Excel needs to see.
    with archive.open(table.file, "w", force_zip64=True) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
        sheet = csv.writer(text)
        sheet.writerow(map(_harmless, table.heads()))
        for rows in _chunks(table.rows):
            for values in _values(table, rows, member, zone):
                sheet.writerow([_harmless(_flat(value)) for value in values])
                said = dict(zip((column.name for column in table.columns), values, strict=True))
                everything.write(",\n" if written else "\n")
                everything.write(json.dumps(said, ensure_ascii=False, cls=_Encoder))
                written += 1
    everything.write("]}")
    return written


def _columns(table: _Table) -> dict[str, str]:
    return {column.name: head for column, head in zip(table.columns, table.heads(), strict=True)}


def _chunks(rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows.iterator(chunk_size=_CHUNK):
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _values(table: _Table, rows: Sequence[Any], member: User, zone: ZoneInfo) -> Iterator[list[Any]]:
    names = {column: _names(column, rows) for column in table.columns if _has_name(column)}
    for row in rows:
        values: list[Any] = []
        for column in table.columns:
            value = getattr(row, column.attname)
            if column.name in table.secret:
                value = str(LEFT_OUT) if value else value
            elif column in names:
                value = names[column].get(value)
            elif column.is_relation and column.related_model is User and value not in (None, member.pk):
                # Another record of the member, or staff: who that is, is theirs.
                value = None
            elif column.choices:
                value = str(dict(column.flatchoices).get(value, value))
            elif isinstance(value, datetime):
                value = value.astimezone(zone).isoformat(timespec="seconds")
            elif isinstance(value, models.fields.files.FieldFile):
                value = value.name
            values.append(value)
        yield values


def _has_name(column: models.Field) -> bool:
    """A key to a thing of the shop's, such as a product, is told by its name; one to a row of the copy stays."""
    others = (User, *belongings.own_tables())
    return column.is_relation and column.related_model not in others


def _names(column: Any, rows: Sequence[Any]) -> dict[Any, str]:
    """The names of all that these rows refer to by one column, in one query."""
    keys = {getattr(row, column.attname) for row in rows} - {None}
    things = column.related_model._base_manager.all()
    if parents := [f.name for f in column.related_model._meta.concrete_fields if f.is_relation and not f.null]:
        things = things.select_related(*parents)
    return {key: str(thing) for key, thing in things.in_bulk(list(keys), field_name=column.target_field.name).items()}


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return str(o) if isinstance(o, bytes | memoryview) else super().default(o)


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, cls=_Encoder) if isinstance(value, dict | list) else value


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula, with the mark in front that makes it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
