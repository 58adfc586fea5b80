"""A night's round whose workers are killed with -9, or whose messages are lost: one current forecast for every pair.

Real processes, as in test_reminders_survive_kill.py.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.processes import ROOT, Beat, Database, Worker, broker, run, wait_for

MEMBERS = 400
SHARDS = 80
CONCURRENCY = 2
KILL_AT = (10, 30)  # shards done

# Each has two products, bought three times; everybody was predicted the night before.
PREPARE = f"""
import django
django.setup()
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from mylist import predictions
from shop.models import Purchase
from tests.factories import ChannelFactory, MemberFactory, OfferFactory, PurchaseFactory

now = timezone.now()
channel, products = ChannelFactory(), [OfferFactory().product for _ in range(2)]
members = User.objects.bulk_create(MemberFactory.build() for _ in range({MEMBERS}))
Purchase.objects.bulk_create(
    PurchaseFactory.build(member=m, product=p, channel=channel, purchased_at=now - timedelta(days=days))
    for m in members for p in products for days in (70, 40, 10)
)
predictions.predict_all(at=now - timedelta(days=1))
"""

BEGIN = f"""
import django
django.setup()
from mylist import rounds, tasks

rounds.MEMBERS = {MEMBERS // SHARDS}
assert tasks.predict_all() == {SHARDS}
"""

LATER = """
import django
django.setup()
from django.db.models import F
from mylist import rounds
from mylist.models import Shard

Shard.objects.update(began_at=F("began_at") - rounds.STALLED, done_at=F("done_at") - rounds.STALLED)
"""


@contextmanager
def shop(data_dir: Path) -> Iterator[tuple[Worker, Beat, Database, dict[str, str]]]:
    """A shop whose customers were predicted yesterday, and what belongs to it."""
    database, queue = Database(data_dir), f"faults-{os.getpid()}"
    with broker(data_dir) as broker_url:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MYLIST_DATA_DIR": str(data_dir),
            "DATABASE_URL": database.url,
            "REDIS_URL": broker_url.replace("redis+socket", "unix")
            if "redis" in broker_url
            else os.environ["REDIS_URL"],
            "CACHE_PREFIX": queue,
            "CELERY_BROKER_URL": broker_url,
            "CELERY_QUEUE": queue,
            "CELERY_TASK_TIME_LIMIT": "5",
            "CELERY_VISIBILITY_TIMEOUT": "6",
            "PYTHONPATH": str(ROOT),
        }
        worker = Worker(env, data_dir / "worker.log", concurrency=CONCURRENCY)
        beat = Beat(broker_url, queue, "mylist.tasks.predict_all_when_due")
        try:
            run(env, "manage.py", "migrate", "--verbosity=0")
            run(env, "-c", PREPARE)
            yield worker, beat, database, env
        except AssertionError:
            with suppress(FileNotFoundError):
                sys.stdout.write(worker.log.read_text()[-5000:])  # shown by pytest
            raise
        finally:
            worker.stop()
            beat.close()
            database.drop()


def count(database: Database, rows: str) -> int:
    return database.rows(f"SELECT count(*) FROM {rows}")[0][0]


def done(database: Database) -> int:
    return count(database, "mylist_shard WHERE done_at IS NOT NULL")


def left(database: Database) -> int:
    return count(database, "mylist_shard WHERE done_at IS NULL")


def check(database: Database) -> None:
    """Everybody has one forecast of each product, and it is tonight's."""
    night = "(SELECT max(began_at) FROM mylist_shard)"
    item = "mylist_listitem i JOIN mylist_prediction p ON p.item_id = i.id"
    assert count(database, f"{item} WHERE p.as_of >= {night}") == 2 * MEMBERS
    assert count(database, "mylist_listitem") == count(database, "mylist_prediction") == 2 * MEMBERS


def test_a_round_survives_two_kills_of_the_worker(data_dir):
    with shop(data_dir) as (worker, beat, database, env):
        run(env, "-c", BEGIN)
        worker.start()
        for shards in KILL_AT:
            wait_for(lambda: done(database) >= shards, f"{shards} shards", seconds=40)  # noqa: B023
            worker.kill()
            assert done(database) < SHARDS, "killed too late to show anything"
            worker.start()
        # What the killed ones had in hand comes back, but for a message that one had just taken off Redis.
        with suppress(AssertionError):
            wait_for(lambda: left(database) == 0, "the rest is done", seconds=20)
        assert done(database) >= SHARDS - CONCURRENCY * len(KILL_AT)
        run(env, "-c", LATER)
        beat.send()
        wait_for(lambda: left(database) == 0, "the rest is done", seconds=60)
        check(database)


def test_a_round_survives_the_loss_of_its_messages(data_dir):
    with shop(data_dir) as (worker, beat, database, env):
        run(env, "-c", BEGIN)
        beat.close()  # and with it the queues and all that was in them
        worker.start()
        wait_for(lambda: "ready." in worker.log.read_text(), "the worker", seconds=60)
        run(env, "-c", LATER)
        assert done(database) == 0
        beat.send()
        wait_for(lambda: left(database) == 0, "all is done", seconds=60)
        check(database)
