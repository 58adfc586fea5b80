"""Child processes that start, are watched and end in an order.

Every child gets a session of its own: the terminal's Ctrl-C reaches the supervisor alone, and the order of stopping is
the supervisor's. What a child says goes to a log file; its errors show on the console as well.
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1
TICK = 0.1  # seconds between two looks at the children


class Refusal(Exception):
    """The shop cannot run; the text says why and what to do."""


class Interrupted(Exception):
    """Ctrl-C, or the TERM of a service manager."""


def say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone while the children still have to be stopped
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def end_with_parent() -> None:
    """In the child: should the supervisor be killed outright, the kernel (Linux) asks the child to end."""
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Part:
    """One child process and its log file; the log before is kept as .log.1.

    It gets `patience` seconds to end when asked. A part that may be hurried is killed at a second Ctrl-C.
    """

    def __init__(self, name: str, command: list[str], *, logs: Path, patience: float, hurries: bool) -> None:
        self.name, self.log = name, logs / f"{name}.log"
        self.patience, self.hurries = patience, hurries
        logs.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        self.reader = self.log.open(errors="replace")

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def new_errors(self) -> list[str]:
        """The lines logged as ERROR or CRITICAL since the last call."""
        return [line.rstrip() for line in self.reader if re.search(r"\b(ERROR|CRITICAL)\b", line)]

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([*(f"  {self.name} | {line}" for line in lines), f"  (all of it: {self.log})"])

    def end(self, hurried: Callable[[], bool]) -> None:
        """TERM to the main process alone: one to the group would kill tasks in flight. What is left is then killed."""
        self.process.terminate()
        asked_at, told = time.monotonic(), False
        while not self.ended and not (self.hurries and hurried()):
            waited = time.monotonic() - asked_at
            if waited > self.patience:
                break
            if waited > 3 and not told:
                told = True
                say(f"{self.name} has something in hand and may end it; Ctrl-C again does not wait.")
            time.sleep(TICK)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.close()


class Supervisor:
    """The parts that run, and the Ctrl-Cs so far."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.parts: list[Part] = []
        self.interrupts = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        self.interrupts += 1

    def start(self, name: str, command: list[str], *, patience: float = 5, hurries: bool = True) -> None:
        self.parts.append(Part(name, command, logs=self.logs, patience=patience, hurries=hurries))

    def watch(self, until: Callable[[], bool]) -> None:
        """Wait until the condition holds; Interrupted on Ctrl-C, Refusal when a part ends by itself."""
        while not until():
            if self.interrupts:
                raise Interrupted
            for part in self.parts:
                for line in part.new_errors():
                    say(f"{part.name} | {line}")
                if part.ended:
                    code = part.process.returncode
                    raise Refusal(f"{part.name} ended unexpectedly ({code}). Its last lines:\n{part.last_words()}")
            time.sleep(TICK)

    def step(self, name: str, command: list[str]) -> None:
        """Run a command to its end; Refusal with its last lines when it fails."""
        part = Part(name, command, logs=self.logs, patience=5, hurries=True)
        try:
            self.watch(lambda: part.ended)
        finally:
            part.end(lambda: self.interrupts > 1)
        if part.process.returncode != 0:
            raise Refusal(f"The step {name!r} failed. Its last lines:\n{part.last_words()}")

    def stop(self) -> None:
        """End all, the last started first. A Ctrl-C from now on kills what may be hurried."""
        so_far = self.interrupts
        while self.parts:
            self.parts.pop().end(lambda: self.interrupts > so_far)
