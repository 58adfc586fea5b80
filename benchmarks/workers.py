"""Does the nightly round spread over workers? Is anything lost when one is killed? See --help.

A database of its own beside the one DATABASE_URL names is filled with simulated customers, predicted once (the first
night makes the list items, which is more work than all later ones) and again by one Celery worker with one process and
by two of them. With ``--kill`` one of two workers is killed with -9 halfway instead. After each night every customer
must have exactly one current forecast of each product bought. The database is dropped in the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from replenish import simulate
from tests.faults.processes import ROOT, Beat, Database, Worker, broker, run, wait_for

CUSTOMERS = 200_000
GOAL = 0.65
"""Two workers take at most this share of the time of one."""

SEED = 7
DAYS = 60
PRODUCTS = 600
NEEDS = 200
CATEGORIES = 20
SHARE = 0.6
"""Of the lines simulated, so that a customer has about nine of seven products."""

HOUSEHOLDS = 20_000
"""Simulated at once."""

PATIENCE = 3600
EPOCH = date(1970, 1, 1)

CATALOGUE = f"""
INSERT INTO shop_store (code, name_en, name_zh, tagline_zh, tagline_en, accent_light, accent_dark, currency, country,
    position, is_active) VALUES ('s', 'Store', '', '', '', '#1f6f5c', '#7fd1b9', 'TWD', 'TW', 0, true);
INSERT INTO shop_channel (code, name, kind, store_id) SELECT 'c', 'Online', 'online', id FROM shop_store;
INSERT INTO shop_category (code, name_en, name_zh) SELECT n, n, '' FROM generate_series(1, {CATEGORIES}) n;
INSERT INTO shop_need (code, name_en, name_zh, category_id)
    SELECT n, n, '', (n - 1) % {CATEGORIES} + 1 FROM generate_series(1, {NEEDS}) n;
INSERT INTO shop_product (sku, name_en, name_zh, brand, department, package_size, package_unit, picture, need_id,
    category_id) SELECT n, n, '', '', '', 30, 'piece', '', (n - 1) % {NEEDS} + 1, (n - 1) % {NEEDS} % {CATEGORIES} + 1
    FROM generate_series(1, {PRODUCTS}) n;
INSERT INTO shop_offer (store_id, product_id, price, currency, is_active)
    SELECT s.id, p.id, 100 + p.id % 400, 'TWD', true FROM shop_store s, shop_product p;
"""

MEMBERS = """
INSERT INTO accounts_user (password, is_superuser, member_no, name, email, phone, language, time_zone, joined_at,
    home_channel, birthday_source, birthday_doubts, order_channel, email_consent, sms_consent, reminder_channel,
    is_active, is_staff)
    SELECT '', false, 'C' || n, 'Customer ' || n, '', '', 'en', 'Asia/Taipei', now(), '', '', '[]', 'email', false,
    false, 'email', true, false FROM generate_series(1, %s) n
"""

PURCHASES = """
COPY shop_purchase (transaction_no, line_no, member_id, product_id, channel_id, purchased_at, purchased_on, quantity,
    unit_price, currency) FROM STDIN
"""

FIT = """
import django
django.setup()
from django.utils import timezone
from mylist import predictions
predictions.running_model(at=timezone.now())
"""

NIGHT = "SELECT count(*) FILTER (WHERE done_at IS NULL), count(*) FROM mylist_shard WHERE began_at > '{}'"

# As sets: a join would hang on what the planner thinks of tables that are written all the time.
FORECASTS = """
WITH bought AS (SELECT member_id, product_id FROM shop_purchase GROUP BY 1, 2 HAVING sum(quantity) > 0),
current AS (SELECT i.member_id, i.product_id FROM mylist_listitem i JOIN mylist_prediction p ON p.item_id = i.id
    WHERE p.as_of >= '{}'),
matched AS (SELECT * FROM bought INTERSECT ALL SELECT * FROM current)
SELECT (SELECT count(*) FROM bought), (SELECT count(*) FROM mylist_prediction), (SELECT count(*) FROM matched)
"""


@dataclass(frozen=True, slots=True)
class Night:
    """What one took: seconds by the clock, and CPU seconds of the workers and of PostgreSQL."""

    seconds: float
    workers: float
    database: float


def fill(url: str, customers: int, *, today: date) -> None:
    """Customers, products, and what was bought in the last DAYS days."""
    rng = np.random.default_rng(SEED)
    products = simulate.Products(
        need=np.arange(PRODUCTS) % NEEDS,
        use_days=np.exp(rng.normal(np.log(30), 0.5, PRODUCTS)),
        popularity=rng.pareto(1.2, PRODUCTS) + 0.1,
    )
    with psycopg.connect(url) as connection:
        connection.execute(CATALOGUE)
        connection.execute(MEMBERS, [customers])
        for first in range(0, customers, HOUSEHOLDS):
            found = simulate.simulate(
                products,
                rng,
                members=min(HOUSEHOLDS, customers - first),
                start_day=(today - EPOCH).days - DAYS,
                days=DAYS,
            )
            with connection.cursor().copy(PURCHASES) as into:
                for line in _lines(found, rng.random(len(found)) < SHARE, first):
                    into.write_row(line)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _lines(found: simulate.SimulatedPurchases, kept: Any, first: int) -> Iterator[tuple[Any, ...]]:
    days = found.day[kept].tolist()
    minutes = found.day[kept].astype(np.int64) * 1440 + found.minute_of_day[kept] - 8 * 60
    columns = (found.member[kept] + first + 1, found.product[kept] + 1, minutes, found.quantity[kept])
    rows = zip(days, *(column.tolist() for column in columns), strict=True)
    for number, (day, member, product, minute, quantity) in enumerate(rows):
        moment = datetime.fromtimestamp(minute * 60, UTC)
        on = date.fromordinal(EPOCH.toordinal() + day)
        yield f"{first}-{number}", 1, member, product, 1, moment, on, quantity, 100 + product % 400, "TWD"


class Shop:
    """The shop's database, broker and beat, and a night in it."""

    def __init__(self, database: Database, beat: Beat, env: dict[str, str], folder: Path) -> None:
        self.database, self.beat, self.env, self.folder = database, beat, env, folder

    def night(self, *, workers: int, kill: bool = False) -> Night:
        """A round from the moment it is asked for to its last shard; AssertionError where a forecast is missing."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        logs = [self.folder / f"worker-{time.monotonic_ns()}.log" for _ in range(workers)]
        running = [Worker(self.env, log, concurrency=1) for log in logs]
        try:
            for worker in running:
                worker.start()
            wait_for(lambda: all("ready." in log.read_text() for log in logs), "the workers", seconds=60)
            pids = [worker.process.pid for worker in running if worker.process]
            before, began, asked = _cpu(pids), time.monotonic(), datetime.now(UTC)
            self.beat.send("mylist.tasks.predict_all")
            if kill:
                wait_for(lambda: self._done(asked) >= 0.5, "half of the round", seconds=PATIENCE)
                running[0].kill()
                running[0].start()
            wait_for(lambda: self._done(asked) == 1, "the round", seconds=PATIENCE, meanwhile=self.beat)
            seconds, after = time.monotonic() - began, _cpu(pids)
        finally:
            for worker in running:
                worker.stop()
        bought, kept, current = self.database.rows(FORECASTS.format(asked))[0]
        print(f"  {current:,} current forecasts of {bought:,} products bought, {kept:,} in all", flush=True)
        assert bought == kept == current, "not exactly one current forecast of each"
        return Night(seconds, after[0] - before[0], after[1] - before[1])

    def _done(self, asked: datetime) -> float:
        """The share of the round's shards that are done; 0 before it has begun."""
        time.sleep(0.1)
        left, shards = self.database.rows(NIGHT.format(asked))[0]
        return 1 - left / shards if shards else 0


@contextmanager
def shop(customers: int) -> Iterator[Shop]:
    os.environ.setdefault("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/mylist")
    folder = Path(tempfile.mkdtemp(prefix="mylist-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        database = Database(folder)
        stack.callback(database.drop)
        url, queue = stack.enter_context(broker(folder)), f"bench-{os.getpid()}"
        beat = Beat(url, queue, "mylist.tasks.predict_all_when_due")
        stack.callback(beat.close)
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
            "ALLOWED_HOSTS": "*",
            "MYLIST_DATA_DIR": str(folder),
            "DATABASE_URL": database.url,
            "REDIS_URL": os.environ.get("REDIS_URL", url.replace("redis+socket", "unix")),
            "CACHE_PREFIX": queue,
            "CELERY_BROKER_URL": url,
            "CELERY_QUEUE": queue,
            # What a killed worker had in hand comes back soon.
            "CELERY_TASK_TIME_LIMIT": "20",
            "CELERY_VISIBILITY_TIMEOUT": "25",
            "PYTHONPATH": str(ROOT),
        }
        run(env, "manage.py", "migrate", "--verbosity=0")
        fill(database.url, customers, today=datetime.now(UTC).date())
        run(env, "-c", FIT)
        yield Shop(database, beat, env, folder)


def _cpu(groups: Iterable[int]) -> tuple[float, float]:
    """CPU seconds so far: of the process groups, and of all that PostgreSQL runs on this machine."""
    workers = database = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(") ")
        except OSError:  # ended meanwhile
            continue
        fields = rest.split()
        if int(fields[2]) in groups:
            workers += int(fields[11]) + int(fields[12])
        elif name == "postgres":
            # With those of its children that have ended.
            database += sum(map(int, fields[11:15]))
    tick = os.sysconf("SC_CLK_TCK")
    return workers / tick, database / tick


def _say(what: str, night: Night) -> None:
    print(
        f"{what:<28} {night.seconds:7.1f} s   CPU: workers {night.workers:7.1f} s, PostgreSQL {night.database:6.1f} s",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--kill", action="store_true", help="kill one of two workers halfway instead of measuring")
    chosen = parser.parse_args()
    with shop(chosen.customers) as found:
        if chosen.kill:
            _say("two workers, one killed", found.night(workers=2, kill=True))
            return 0
        _say("the first night, two workers", found.night(workers=2))
        one, two = found.night(workers=1), found.night(workers=2)
    _say("one worker", one)
    _say("two workers", two)
    ratio = two.seconds / one.seconds
    print(f"two workers take {ratio:.2f} of the time of one; promised: {GOAL}")
    return int(ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
