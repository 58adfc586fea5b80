"""How fast is the engine, next to DuckDB doing far less? ``make bench``, or ``python -m benchmarks.speed --help``.

Everything is measured in one run on one machine, each step in a process of its own: CPU seconds are user and system
time of all its threads, start of the interpreter included; memory is the most it ever held. What counts are ratios,
so that they can be compared between machines.

The reference is the least that any forecast must do: DuckDB reads the same lines from Parquet, works out number, mean,
median and deviation of the gaps between the purchase days of every pair, and writes them to Parquet.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import replenish

SEED = 7
START = dt.date(2025, 1, 1)
DAYS = 365
CUTOFF = START + dt.timedelta(days=DAYS - 1)

LINES = 10_000_000
FEW = 1_000
SHARES = (0.1, 0.3, 1.0)
"""The sizes at which cost per line is compared; the model is fitted on the first."""

LINES_A_PAIR = 3.0
LINES_A_CUSTOMER = 60.0
PRODUCTS, NEEDS, CATEGORIES = 20_000, 2_000, 300

TIMES_DUCKDB = 3.0
GIGABYTES = 2.0
FIT_SECONDS = 300.0
FLAT = 1.2
CUSTOMER_MILLISECONDS = 50.0

GAPS = """
COPY (
    SELECT customer_id, product_id, count(gap) AS gaps, avg(gap) AS mean, median(gap) AS median,
        stddev_samp(gap) AS deviation
    FROM (
        SELECT customer_id, product_id, day - lag(day) OVER (PARTITION BY customer_id, product_id ORDER BY day) AS gap
        FROM (SELECT DISTINCT customer_id, product_id, purchased_at::DATE AS day FROM read_parquet('{history}'))
    )
    GROUP BY customer_id, product_id
) TO '{out}' (FORMAT parquet)
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took: CPU seconds, seconds by the clock, gigabytes at most."""

    cpu: float
    wall: float
    memory: float


@dataclass(frozen=True, slots=True)
class Row:
    """One promise (an upper limit) and what was measured; a promise of None is told for comparison only."""

    kind: str
    what: str
    measured: float
    promise: float | None
    unit: str

    @property
    def kept(self) -> bool:
        return self.promise is None or self.measured <= self.promise

    def __str__(self) -> str:
        promise = "" if self.promise is None else f"<= {self.promise:g}"
        share = "" if self.promise is None else f"{self.measured / self.promise:.2f}"
        verdict = "" if self.promise is None else "ok" if self.kept else "NOT OK"
        return (
            f"{self.kind:<8} {self.what:<58} {self.measured:>9.3f} {self.unit:<10} {promise:>8} {share:>6}  {verdict}"
        )


def main(arguments: list[str] | None = None) -> int:
    """Prints the table as it grows; 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help=f"lines of the largest history ({LINES:,})")
    parser.add_argument("--kinds", default=",".join(replenish.KINDS), help="such as light,full (all there are)")
    parser.add_argument("--json", type=Path, help="the table for machines")
    options = parser.parse_args(arguments)
    print(f"{'model':<8} {'what':<58} {'measured':>9} {'':<10} {'promise':>8} {'share':>6}", flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="replenish-speed-") as folder:
        for row in measure(Path(folder), options.lines, options.kinds.split(",")):
            print(row, flush=True)
            rows.append(row)
    if options.json:
        found = [asdict(row) | {"kept": row.kept} for row in rows]
        options.json.write_text(json.dumps({"lines": options.lines, "rows": found}, indent=1) + "\n")
    return 0 if all(row.kept for row in rows) else 1


def measure(folder: Path, lines: int, kinds: list[str]) -> Iterator[Row]:
    """Row by row, as they are found."""
    sizes = [round(lines * share) for share in SHARES]
    files = {size: folder / f"{size}.parquet" for size in (FEW, *sizes)}
    for size, path in files.items():
        _run("write_lines", str(path), size)
    # Twice, at the beginning and at the end, and the better one counts: the machine may have other things to do.
    reference = _run("gaps", str(files[lines]), str(folder / "gaps.parquet"))
    scored = {}
    for kind in kinds:
        model, out = folder / f"{kind}.model", folder / f"{kind}.parquet"
        fitted = _replenish("fit", history=files[sizes[0]], out=model, kind=kind)
        yield Row(kind, f"fit on {sizes[0]:,} lines", fitted.cpu, FIT_SECONDS, "CPU s")
        each = {size: _replenish("score", history=files[size], model=model, out=out) for size in sizes}
        # It is taken off the others, and the first start on a machine takes longer than the next.
        start = min(_replenish("score", history=files[FEW], model=model, out=out).cpu for _ in range(3))
        scored[kind] = each[lines]
        yield Row(kind, f"score {lines:,} lines: memory", each[lines].memory, GIGABYTES, "GB")
        yield Row(kind, "score next to nothing", start, None, "CPU s")
        cost = {size: 1e6 * (each[size].cpu - start) / size for size in sizes}
        for size in sizes:
            yield Row(kind, f"score {size:,} lines: a line, without the start", cost[size], None, "CPU us")
        yield Row(kind, "the same, largest over smallest", cost[lines] / cost[sizes[0]], FLAT, "times")
        took = float(_output("one_customer", str(model), str(files[lines])))
        yield Row(kind, "forecast the customer with most lines", took, CUSTOMER_MILLISECONDS, "CPU ms")
    again = _run("gaps", str(files[lines]), str(folder / "gaps.parquet"))
    least = min(reference.cpu, again.cpu)
    yield Row("duckdb", f"gaps of {lines:,} lines", least, None, "CPU s")
    yield Row("duckdb", f"gaps of {lines:,} lines: memory", reference.memory, None, "GB")
    for kind, usage in scored.items():
        yield Row(kind, f"score {lines:,} lines", usage.cpu, None, "CPU s")
        yield Row(kind, f"score {lines:,} lines over DuckDB's gaps", usage.cpu / least, TIMES_DUCKDB, "times")


def write_lines(path: str, lines: int) -> None:
    """About ``lines`` lines of a supermarket's year, in the order in which they were bought.

    A customer goes out about weekly and has some twenty products, a few of which make up most of the purchases;
    every habit begins and ends somewhere in the year.
    """
    rng = np.random.default_rng(SEED)
    customers = round(lines / LINES_A_CUSTOMER)
    pairs = round(lines / LINES_A_PAIR)
    share = rng.lognormal(0, 0.8, customers)
    customer = np.repeat(np.arange(customers), rng.multinomial(pairs, share / share.sum()))
    popularity = (np.arange(PRODUCTS) + 20.0) ** -0.8
    product = rng.permutation(PRODUCTS)[
        np.searchsorted(np.cumsum(popularity / popularity.sum()), rng.random(pairs)).clip(0, PRODUCTS - 1)
    ]
    key = np.unique(customer * PRODUCTS + product)
    customer, product = key // PRODUCTS, key % PRODUCTS
    extra = lines / len(key) - 1
    count = 1 + rng.poisson(extra * rng.lognormal(-0.72, 1.2, len(key)))
    pair = np.repeat(np.arange(len(key)), count)
    customer, product = customer[pair], product[pair]

    begins = 0.8 * rng.random(len(key))
    lasts = np.minimum(rng.exponential(0.8, len(key)), 1 - begins)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    moment = begins[pair] + lasts[pair] * (place + rng.random(len(pair))) / count[pair]
    between = rng.lognormal(np.log(6.5), 0.4, customers).clip(2, 21)[customer]
    trip = np.floor(moment * DAYS / between)
    day = np.minimum(np.floor((trip + 0.7 * _mixed(customer * 512 + trip)) * between), DAYS - 1)
    minute = np.floor(420 + 840 * _mixed(customer * 1024 + trip))
    order = np.argsort((day * 1440 + minute) * customers + customer, kind="stable")
    customer, product, day, minute = customer[order], product[order], day[order], minute[order]
    quantity = 1 + rng.poisson(0.3, len(pair))
    price = (rng.lognormal(1.0, 0.6, PRODUCTS)[product] * rng.choice([1.0, 1.0, 1.0, 0.8], len(pair))).round(2)
    need = rng.integers(0, NEEDS, PRODUCTS)
    started = np.datetime64(START, "ms")
    pl.DataFrame(
        {
            "customer_id": (customer + 1).astype(np.int32),
            "product_id": (product + 100_000).astype(np.int32),
            "purchased_at": started + ((day * 1440 + minute) * 60_000).astype("timedelta64[ms]"),
            "quantity": quantity.astype(np.int32),
            "price": price.astype(np.float32),
            "category": _names("CATEGORY", need % CATEGORIES, CATEGORIES, product),
            "subcategory": _names("NEED", need, NEEDS, product),
        }
    ).write_parquet(path)


def _mixed(whole: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A number from 0 to 1 for each whole one, always the same one."""
    mixed = whole.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(11)) / 2.0**53


def _names(stem: str, code: np.ndarray[Any, Any], count: int, product: np.ndarray[Any, Any]) -> pl.Series:
    names = pl.Series([f"{stem} {number:04d}" for number in range(count)])
    return names.gather(code[product])


def gaps(history: str, out: str) -> None:
    """The reference."""
    import duckdb

    duckdb.sql(GAPS.format(history=history, out=out))


def one_customer(model: str, history: str, *, times: int = 25) -> None:
    """Prints what one forecast after an order takes in a running worker, in CPU milliseconds."""
    from replenish import bulk, files

    fitted, _ = bulk.load(Path(model).read_bytes())
    lines = pl.scan_parquet(history)
    heaviest = lines.group_by("customer_id").len().sort("len", "customer_id").last().collect()["customer_id"][0]
    purchases = files.history(lines.filter(pl.col("customer_id") == heaviest).collect()).purchases
    as_of = (CUTOFF - files.EPOCH).days
    took = []
    for _ in range(times):
        began = time.process_time()
        replenish.forecast(fitted, purchases, as_of=as_of)
        took.append(1000 * (time.process_time() - began))
    print(float(np.median(took)))


def _replenish(command: str, **options: Path | str) -> Usage:
    named = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return _usage([sys.executable, "-m", "replenish", command, "--cutoff", CUTOFF.isoformat(), *named])


def _run(function: str, *arguments: str | int) -> Usage:
    """A function of this module in a process of its own."""
    return _usage(_call(function, *arguments))


def _output(function: str, *arguments: str | int) -> str:
    return subprocess.run(_call(function, *arguments), check=True, capture_output=True, text=True).stdout


def _call(function: str, *arguments: str | int) -> list[str]:
    return [sys.executable, "-c", f"from benchmarks import speed; speed.{function}(*{arguments!r})"]


def _usage(command: list[str]) -> Usage:
    """A child counts as its own what its parent held when it was started: this process must stay small."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        said = process.stderr.read() if process.stderr else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said.decode()}")
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss * unit / 1e9)


if __name__ == "__main__":
    sys.exit(main())
