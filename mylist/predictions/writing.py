"""Forecast pairs -> list items and their predictions, in the same few statements however many there are.

The rows go into a temporary table first (by COPY on PostgreSQL) and from there to where they are new or differ: from
one night to the next most facts stay as they are.
"""

# ruff: noqa: S608 - the names in the SQL are those of the models and of this module

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

from mylist.models import ListItem, Prediction

PAIR = ("member", "product")
FACTS = ("offer", "last_bought_at", "last_quantity", "last_unit_price", "last_currency", "times_bought")
FORECAST = (
    "p7",
    "p14",
    "p28",
    "expected_on",
    "lower_on",
    "upper_on",
    "interval_days",
    "supply_left",
    "suggested_quantity",
    "score",
)

_ITEM, _PREDICTION, _STAGED = ListItem._meta.db_table, Prediction._meta.db_table, "staged_predictions"


def write(rows: Sequence[Sequence[Any]], *, model_version: str, as_of: datetime) -> None:
    """Make or bring up to date the items of `rows` (PAIR, FACTS, FORECAST; a pair once) and their predictions.

    In a transaction that holds the locks of their members, so that nobody else writes the same.
    """
    if not rows:
        return
    pair, facts = _columns(ListItem, PAIR), _columns(ListItem, FACTS)
    given, forecast = _columns(Prediction, ("model_version", "as_of")), _columns(Prediction, FORECAST)
    same = f"{_STAGED} s {{}} JOIN {_ITEM} i ON " + " AND ".join(f"i.{name} = s.{name}" for name in pair)
    with connection.cursor() as cursor:
        # The types are those of the columns that the values are meant for.
        cursor.execute(
            f"CREATE TEMPORARY TABLE {_STAGED} AS SELECT {_list([*pair, *facts], 'i')}, {_list(forecast, 'p')} "
            f"FROM {_ITEM} i JOIN {_PREDICTION} p ON p.item_id = i.id WHERE false"
        )
        _stage(rows)
        cursor.execute(
            f"INSERT INTO {_ITEM} ({_list([*pair, *facts])}) SELECT {_list([*pair, *facts], 's')} "
            f"FROM {same.format('LEFT')} WHERE i.id IS NULL OR {_differ(facts)} {_or_update(pair, facts)}"
        )
        cursor.execute(
            f"INSERT INTO {_PREDICTION} ({_list(['item_id', *given, *forecast])}) "
            f"SELECT i.id, %s, %s, {_list(forecast, 's')} "
            f"FROM {same.format('')} WHERE true {_or_update(['item_id'], [*given, *forecast])}",
            [model_version, connection.ops.adapt_datetimefield_value(as_of)],
        )
        cursor.execute(f"DROP TABLE {_STAGED}")


def _stage(rows: Iterable[Sequence[Any]]) -> None:
    fields = [*_fields(ListItem, (*PAIR, *FACTS)), *_fields(Prediction, FORECAST)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {_STAGED} FROM STDIN (FORMAT BINARY)") as into:
                into.set_types([str(field.db_type(connection)).partition("(")[0] for field in fields])
                for row in rows:
                    into.write_row(row)
        else:
            stored = [
                [field.get_db_prep_save(value, connection) for field, value in zip(fields, row, strict=True)]
                for row in rows
            ]
            cursor.executemany(f"INSERT INTO {_STAGED} VALUES ({', '.join(['%s'] * len(fields))})", stored)


def _fields(model: type[models.Model], names: Iterable[str]) -> list[models.Field]:
    known = {field.name: field for field in model._meta.concrete_fields}
    return [known[name] for name in names]


def _columns(model: type[models.Model], names: Iterable[str]) -> list[str]:
    return [str(field.column) for field in _fields(model, names)]


def _list(names: Iterable[str], table: str = "") -> str:
    return ", ".join(f"{table}.{name}" if table else name for name in names)


def _differ(names: Iterable[str]) -> str:
    # Older SQLite lacks IS DISTINCT FROM.
    distinct = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return " OR ".join(f"i.{name} {distinct} s.{name}" for name in names)


def _or_update(unique: Iterable[str], names: Iterable[str]) -> str:
    return f"ON CONFLICT ({_list(unique)}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}"
