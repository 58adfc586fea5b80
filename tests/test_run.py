"""The supervisor with real processes: Valkey, worker, web and beat in a folder of their own."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
import redis
from celery import Celery
from kombu import Connection

ROOT = Path(__file__).resolve().parent.parent
PARTS = {"valkey-server", "gunicorn", "worker", "beat"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited {seconds} s in vain: {what}"
        time.sleep(0.05)


class Run:
    """A `python -m config.run` and what it has said so far."""

    def __init__(self, data_dir: Path, *, port: int | None = None) -> None:
        self.data_dir, self.port = data_dir, port or free_port()
        data_dir.mkdir(exist_ok=True)
        self.console = data_dir / "console.log"
        with self.console.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.run"],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "LANG": "C.UTF-8",
                    "DJANGO_SETTINGS_MODULE": "tests.run_settings",
                    "MYLIST_DATA_DIR": str(data_dir),
                    "PORT": str(self.port),
                    "DEMO": "0",
                    "WEB_CONCURRENCY": "1",
                    "CELERY_CONCURRENCY": "1",
                },
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.console.read_text(errors="replace")

    def wait_until_open(self) -> "Run":
        def opened() -> bool:
            assert self.process.poll() is None, self.said()
            return "Ctrl-C stops" in self.said()

        wait_for(opened, seconds=120, what=f"the shop to open; it said:\n{self.console}")
        return self

    def status(self, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def children(self) -> dict[int, str]:
        """pid -> command line of every process that uses the data folder, but the supervisor itself."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # ended meanwhile
                continue
            # Valkey writes its title over its environment, and names its socket there.
            mine = f"MYLIST_DATA_DIR={self.data_dir}\0".encode() in environment or str(self.data_dir) in command
            if mine and command and int(folder.name) != self.process.pid:
                found[int(folder.name)] = command
        return found

    def child(self, part: str) -> int:
        """The first process of a part."""
        return min(pid for pid, command in self.children().items() if part in command)

    def end(self, number: int) -> int:
        """As the terminal does on Ctrl-C: the signal goes to the whole group. Returns the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(timeout=60)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests here, so that only the first start has to migrate."""
    return tmp_path_factory.mktemp("run") / "var"


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def starter(**options: int) -> Run:
        runs.append(Run(data_dir, **options))
        return runs[-1]

    yield starter
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        for pid in run.children():
            os.kill(pid, signal.SIGKILL)


def test_run_names_a_taken_port_before_anything_starts(start, data_dir):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = start(port=port)
        assert run.process.wait(timeout=60) == 1
    assert f"Port {port}" in run.said()
    assert f"PORT={port + 1} make run" in run.said()
    assert "Traceback" not in run.said()
    assert run.children() == {}


def test_run_refuses_a_data_folder_in_use(start, data_dir):
    data_dir.mkdir(exist_ok=True)
    with (data_dir / "run.lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        run = start()
        assert run.process.wait(timeout=60) == 1
    assert str(data_dir) in run.said()
    assert "Traceback" not in run.said()
    assert run.children() == {}


def test_run_serves_stops_in_order_and_goes_on_where_it_was(start, data_dir, tmp_path):
    first = start().wait_until_open()
    assert f"http://127.0.0.1:{first.port}/" in first.said()
    assert first.status("/accounts/login/") == 200
    assert {part for part in PARTS for command in first.children().values() if part in command} == PARTS
    key = (data_dir / "secret_key").read_text()
    with redis.Redis(unix_socket_path=str(data_dir / "valkey.sock")) as valkey:
        valkey.set("from-the-first-run", "kept")

    note = tmp_path / "note"
    arguments = {"path": str(note), "seconds": 2}
    # The address is given with the connection: for an app of its own Celery would prefer CELERY_BROKER_URL.
    with Celery() as producer, Connection(f"redis+socket://{data_dir}/valkey.sock") as valkey:
        producer.send_task("tests.run_tasks.write_slowly", kwargs=arguments, queue="mylist", connection=valkey)
    wait_for(note.exists, seconds=20, what="the task to begin")
    assert first.end(signal.SIGINT) == 0
    assert note.read_text() == "begun, ended"  # the task in flight ended first
    assert first.children() == {}
    assert first.said().endswith("Stopped.\n")

    second = start().wait_until_open()
    with redis.Redis(unix_socket_path=str(data_dir / "valkey.sock")) as valkey:
        assert valkey.get("from-the-first-run") == b"kept"
    assert (data_dir / "secret_key").read_text() == key

    os.kill(second.child("celery -A config worker"), signal.SIGKILL)
    assert second.process.wait(timeout=60) == 1
    assert "worker ended unexpectedly" in second.said()
    assert second.children() == {}


def test_children_end_when_the_supervisor_is_killed_outright(start):
    run = start().wait_until_open()
    run.process.kill()
    run.process.wait()
    wait_for(lambda: not run.children(), seconds=20, what="the children to end")
