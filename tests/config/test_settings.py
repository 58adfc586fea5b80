"""What the environment says and what it leaves out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRINT = "from django.conf import settings as s; print({})"


def settings(expression: str, tmp_path, **environment: str) -> subprocess.CompletedProcess:
    """Evaluate an expression of `s`, the settings, in a fresh process with just this environment."""
    return subprocess.run(
        [sys.executable, "-c", PRINT.format(expression)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MYLIST_DATA_DIR": str(tmp_path),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("s.EMAIL_FILE_PATH", "{tmp}/mail"),
        ("s.SMS_URL", "filesms:///{tmp}/sms"),
        ("s.DATABASES['default']['NAME']", "{tmp}/mylist.sqlite3"),
        ("s.CELERY_BROKER_URL", "redis+socket://{tmp}/valkey.sock"),
        ("s.DEBUG", "False"),
    ],
)
def test_with_nothing_set_everything_lies_in_the_data_folder(tmp_path, expression, expected):
    found = settings(expression, tmp_path)
    assert found.stdout.strip() == expected.format(tmp=tmp_path)


def test_in_production_there_are_no_sms_until_a_gateway_is_named(tmp_path):
    production = {"DATABASE_URL": "postgres://db/shop", "SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "a"}
    assert settings("repr(s.SMS_URL)", tmp_path, **production).stdout.strip() == "''"


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first, second = (settings("s.SECRET_KEY", tmp_path).stdout for _ in range(2))
    assert first == second
    assert len(first) > 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_long_data_folder_gets_a_socket_path_the_kernel_takes(tmp_path):
    long = tmp_path / ("x" * 90)
    assert len(settings("s.VALKEY_SOCKET", long).stdout.strip()) < 107


@pytest.mark.parametrize(
    ("environment", "explanation"),
    [
        ({"DATABASE_URL": "postgres://db/shop"}, "SECRET_KEY is missing. Set it to 50 or more random characters"),
        ({"DATABASE_URL": "postgres://db/shop", "SECRET_KEY": "x" * 50}, "ALLOWED_HOSTS is missing."),
        ({"DATABASE_URL": "mysql://db/shop", "SECRET_KEY": "x", "ALLOWED_HOSTS": "a"}, "My List does not run on"),
        ({"SMS_URL": "sms.example.com"}, "SMS_URL names no way to send SMS. Use https://"),
    ],
)
def test_a_missing_or_bad_variable_explains_itself(tmp_path, environment, explanation):
    found = settings("s.DEBUG", tmp_path, **environment)
    assert found.returncode == 1
    assert explanation in found.stderr
