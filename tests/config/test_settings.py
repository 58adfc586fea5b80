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


PRODUCTION = {
    "DATABASE_URL": "sqlite://:memory:",
    "SECRET_KEY": "Xk3-" + "0aB9_zQ7" * 8,
    "ALLOWED_HOSTS": "shop.example.com",
    "SITE_URL": "https://shop.example.com",
    "HSTS_SECONDS": "31536000",
    "HSTS_SUBDOMAINS": "1",
    "HSTS_PRELOAD": "1",
}


def test_check_for_deployment_finds_nothing_and_is_told_to_overlook_nothing(tmp_path):
    """What `make check` runs, with the settings of a production."""
    found = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "DEBUG"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "MYLIST_DATA_DIR": str(tmp_path), **PRODUCTION},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "no issues (0 silenced)" in found.stdout + found.stderr


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.LANGUAGE_COOKIE_SECURE", "True True True"),
        ("s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY, s.LANGUAGE_COOKIE_HTTPONLY", "True True True"),
        ("s.SECURE_SSL_REDIRECT, s.SECURE_PROXY_SSL_HEADER, s.ALLAUTH_TRUSTED_PROXY_COUNT", "True None 0"),
        ("s.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", "False"),
    ],
)
def test_https_makes_everything_insist_on_it(tmp_path, expression, expected):
    assert settings(expression, tmp_path, **PRODUCTION).stdout.strip() == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"BEHIND_PROXY": "1"}, "('HTTP_X_FORWARDED_PROTO', 'https') 1 True"),
        ({"BEHIND_PROXY": "1", "TRUSTED_PROXIES": "2"}, "('HTTP_X_FORWARDED_PROTO', 'https') 2 True"),
        ({"HTTPS_REDIRECT": "0"}, "None 0 False"),
    ],
)
def test_proxies_are_trusted_as_told(tmp_path, environment, expected):
    asked = "s.SECURE_PROXY_SSL_HEADER, s.ALLAUTH_TRUSTED_PROXY_COUNT, s.SECURE_SSL_REDIRECT"
    assert settings(asked, tmp_path, **PRODUCTION, **environment).stdout.strip() == expected


def test_limits_of_what_costs_money_come_from_the_environment(tmp_path):
    asked = "s.SMS_CODES_PER_DAY, s.ACCOUNT_RATE_LIMITS['sms_ip']"
    found = settings(asked, tmp_path, SMS_CODES_PER_DAY="50", SMS_CODES_PER_IP="7")
    assert found.stdout.strip() == "50 7/d/ip"
