"""Workers killed with -9 while they send two hundred reminders: none lost, and no more repeats than were in flight.

Real processes: the project's own settings, a broker (the embedded Valkey, or what CELERY_BROKER_URL names), a database
(SQLite, or a database of its own beside the one DATABASE_URL names), `celery worker`, and an SMTP server on loopback.
"""

import asyncio
import logging
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes

from aiosmtpd.controller import Controller

from tests.faults.processes import ROOT, Beat, Database, Worker, broker, run, wait_for

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
        worker = Worker(env, data_dir / "worker.log", concurrency=CONCURRENCY)
        beat = Beat(broker_url, queue, "notify.tasks.dispatch_messages")
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
                sys.stdout.write(worker.log.read_text()[-5000:])  # shown by pytest
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
