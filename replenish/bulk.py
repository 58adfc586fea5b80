"""A whole shop from Parquet to Parquet: fitted and scored apart, in memory that hardly grows with the history.

The history may be in any order. It is read a few times over, each time only the lines of the customers whose turn it
is; these are parted into shards of whole customers, small enough for the processor's cache, and the forecasts of one
shard are on their way to the disk before the next is begun.

What a product is for (need, category) and how much is in it is taken from the file once a product, not once a line;
where its lines differ, the text that comes last in the alphabet counts.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source
from tqdm import tqdm

import replenish
from replenish.files import EPOCH, NEEDED, NOT_GOODS, Identifiers, InputError, answers, sizes
from replenish.stored import pack, unpack
from replenish.types import Floats, Ints, Purchases

SHARD = 100_000
"""Lines forecast at a time, about: what the processor's cache holds."""

PASS = 4_000_000
"""Lines held in memory at a time, about."""

VERSION = "shop-1"

TRAITS = ("category", "subcategory", "package_size")
"""Columns that tell something of the product; any of them may be missing."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a model stand for. ``products`` is empty where the shop numbers them itself."""

    products: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def dump(model: replenish.Model, names: Names) -> bytes:
    """A model and its names as bytes, see ``stored.py``."""
    texts = {name: np.array(getattr(names, name), str) for name in Names.__slots__}
    return pack(VERSION, {"model": np.frombuffer(replenish.dump(model), np.uint8), **texts})


def load(data: bytes) -> tuple[replenish.Model, Names]:
    """Raises ValueError for bytes that ``dump`` has not written, or another version of it."""
    version, arrays = unpack(data)
    if version != VERSION:
        raise ValueError(f"this is a stored {version}, not a {VERSION}")
    model = replenish.load(arrays.pop("model").tobytes())
    return model, Names(**{name: tuple(texts.tolist()) for name, texts in arrays.items()})


def fit(history: Path, *, cutoff: dt.date, kind: str = replenish.KINDS[-1]) -> bytes:
    """A model of a ``kind`` and its names from the lines of ``history`` until the end of ``cutoff``, as bytes.

    Of a shop with more than ``PASS`` lines it sees every second, third ... household. Raises InputError for a file
    that cannot be used.
    """
    shop = _Shop.open(history, cutoff)
    goods, names = _Goods.read(shop, Names())
    step = -(-len(shop.everybody) // PASS)
    some = shop.customer_ids(pl.Series(np.unique(shop.everybody)[::step]))
    lines = goods.purchases(shop.read(goods, pl.col("customer_id").is_in(some.implode())))
    return dump(replenish.fit(lines, as_of=shop.as_of, kind=kind), names)


def score(fitted: tuple[replenish.Model, Names], history: Path, out: Path, *, cutoff: dt.date) -> int:
    """Forecasts of a model, as ``load`` gives it, for every pair bought until ``cutoff``; how many there are.

    ``out`` has the columns of the command ``forecast``, by customer, best first. It is there when it is whole: a run
    cut short leaves none. Raises InputError for a file that cannot be used.
    """
    model, names = fitted
    shop = _Shop.open(history, cutoff)
    goods, _ = _Goods.read(shop, names)
    count = 0

    def frame(lines: Purchases) -> pl.DataFrame:
        found = answers(replenish.forecast(model, lines, as_of=shop.as_of), cutoff)
        customer, product = shop.customer_ids(found["customer"]), goods.product_ids(found["product"])
        return found.select(customer, product, pl.exclude("customer", "product"))

    def rows(*_: object) -> Iterator[pl.DataFrame]:
        nonlocal count
        for lines in shop.shards(goods):
            found = frame(lines)
            count += found.height
            yield found

    part = out.with_name(f"{out.name}.part")
    try:
        register_io_source(rows, schema=frame(Purchases.empty()).schema).sink_parquet(part, compression="lz4")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return count


@dataclass(frozen=True, slots=True)
class _Goods:
    """The n products of a shop, columns by their number ascending: which need, category and size each has."""

    products: Identifiers
    id_type: pl.DataType
    number: Ints
    need: Ints
    category: Ints
    size: Floats

    @classmethod
    def read(cls, shop: _Shop, known: Names) -> tuple[_Goods, Names]:
        """With all names of the file: the ``known`` ones keep their numbers, new ones follow."""
        traits = [name for name in TRAITS if name in shop.columns]
        told = shop.lines.group_by("product_id").agg(pl.col(traits).max()).collect(engine="streaming")
        of_number = told["product_id"].dtype.is_integer()
        products = () if of_number else _with_new(known.products, told["product_id"])
        identifiers = Identifiers(None if of_number else pl.Series(products, dtype=pl.String))
        needs, need = _numbered(told, "subcategory", known.needs)
        categories, category = _numbered(told, "category", known.categories)
        number = identifiers.codes(told["product_id"])
        found = sizes(told, np.where(need >= 0, need, -2 - number))
        size = np.full(len(number), np.nan) if found is None else found
        order = np.argsort(number)
        goods = cls(identifiers, told.schema["product_id"], number[order], need[order], category[order], size[order])
        return goods, Names(products, needs, categories)

    def purchases(self, lines: pl.DataFrame) -> Purchases:
        """What ``_Shop.read`` has read, as the engine wants it."""
        product = lines["product_id"].to_numpy()
        row = np.searchsorted(self.number, product)
        return Purchases.from_columns(
            customer=lines["customer_id"].to_numpy(),
            product=product,
            day=lines["purchased_at"].to_numpy(),
            quantity=lines["quantity"].to_numpy(),
            need=self.need[row],
            category=self.category[row],
            size=self.size[row],
            price=lines["price"].fill_null(np.nan).to_numpy(),
        )

    def product_ids(self, numbers: pl.Series) -> pl.Series:
        return _named(self.products, numbers).cast(self.id_type).alias("product_id")


@dataclass(frozen=True, slots=True)
class _Shop:
    """The lines of goods of a file until ``as_of``, still to be read.

    ``everybody``: the customer of each line, ascending, as numbers.
    """

    lines: pl.LazyFrame
    columns: pl.Schema
    as_of: int
    customers: Identifiers
    everybody: Ints

    @classmethod
    def open(cls, path: Path, cutoff: dt.date) -> _Shop:
        if not path.is_file():
            raise InputError(f"{path} is not there")
        lines = pl.scan_parquet(path)
        try:
            schema = lines.collect_schema()
        except pl.exceptions.PolarsError as problem:
            raise InputError(f"{path} is not a Parquet file: {problem}") from problem
        missing = [name for name in NEEDED if name not in schema]
        if missing:
            raise InputError(f"{path} has no column {', '.join(missing)}. It has: {', '.join(schema)}")
        if schema["purchased_at"] not in (pl.Date, pl.Datetime):
            raise InputError(f"{path}: purchased_at holds {schema['purchased_at']}: write dates or local times")
        lines = lines.drop_nulls(NEEDED).filter(pl.col("purchased_at").dt.date() <= cutoff)
        if "department" in schema:
            lines = lines.filter(pl.col("department").is_not_null() & ~pl.col("department").is_in(NOT_GOODS))
        ids = lines.select("customer_id").collect().to_series()
        if ids.is_empty():
            raise InputError(f"{path}: there is no purchase in it until {cutoff}")
        customers = Identifiers.of(ids.cast(pl.Int64) if ids.dtype.is_integer() else ids.cast(pl.String))
        everybody = np.sort(customers.codes(ids))
        return cls(lines, schema, (cutoff - EPOCH).days, customers, everybody)

    def customer_ids(self, numbers: pl.Series) -> pl.Series:
        return _named(self.customers, numbers).cast(self.columns["customer_id"]).alias("customer_id")

    def shards(self, goods: _Goods) -> Iterator[Purchases]:
        """All lines, some whole customers at a time, in their order."""
        starts = np.unique(self.everybody[::SHARD])
        at_once = max(1, PASS // SHARD)
        with tqdm(total=len(self.everybody), unit="line", unit_scale=True, disable=not sys.stderr.isatty()) as bar:
            for first in range(0, len(starts), at_once):
                mine, later = starts[first : first + at_once], starts[first + at_once :]
                last = np.searchsorted(self.everybody, later[0]) - 1 if len(later) else -1
                start, end = self.customer_ids(pl.Series([mine[0], self.everybody[last]]))
                lines = self.read(goods, pl.col("customer_id").is_between(pl.lit(start), pl.lit(end)))
                shard = np.searchsorted(mine, lines["customer_id"].to_numpy(), side="right") - 1
                # Numbers this small are sorted by counting.
                by_shard = np.argsort(shard.astype(np.uint8), kind="stable")
                for rows in np.split(by_shard, np.cumsum(np.bincount(shard))[:-1]):
                    yield goods.purchases(lines[rows])
                    bar.update(len(rows))

    def read(self, goods: _Goods, some: pl.Expr) -> pl.DataFrame:
        """Those lines for which ``some`` is true, customers and products by their numbers."""
        paid = pl.when(pl.col("quantity") != 0).then(pl.col("price") / pl.col("quantity"))
        columns = (
            "customer_id",
            "product_id",
            pl.col("purchased_at").dt.date().to_physical(),
            "quantity",
            (paid if "price" in self.columns else pl.lit(None)).cast(pl.Float64).alias("price"),
        )
        found = self.lines.filter(some).select(columns).collect()
        numbers = (("customer_id", self.customers), ("product_id", goods.products))
        return found.with_columns(
            pl.Series(name, ids.codes(found[name])) for name, ids in numbers if ids.known is not None
        )


def _named(identifiers: Identifiers, numbers: pl.Series) -> pl.Series:
    return numbers if identifiers.known is None else identifiers.known.gather(numbers)


def _with_new(known: Sequence[str], names: pl.Series) -> tuple[str, ...]:
    """The ``known`` names and after them, in their order, those that are new."""
    return (*known, *sorted(set(names.drop_nulls().to_list()) - set(known)))


def _numbered(goods: pl.DataFrame, column: str, known: tuple[str, ...]) -> tuple[tuple[str, ...], Ints]:
    """All names, and the number of each product's; -1 where it has none."""
    if column not in goods.columns:
        return known, np.full(goods.height, -1)
    texts = goods[column].cast(pl.String).replace("", None)
    names = _with_new(known, texts)
    return names, Identifiers(pl.Series(names, dtype=pl.String)).codes(texts)
