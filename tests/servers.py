"""`python -m tests.servers`: do the servers of `make test-services` answer? Says what to start, exits with 1."""

import os
import sys

import environ
import psycopg
import redis
from kombu import Connection


def postgresql() -> None:
    wanted = environ.Env.db_url_config(os.environ["DATABASE_URL"])
    with psycopg.connect(
        host=wanted["HOST"] or None,
        port=wanted["PORT"] or None,
        user=wanted["USER"] or None,
        password=wanted["PASSWORD"] or None,
        dbname="postgres",
        connect_timeout=3,
    ) as connection:
        role = connection.execute(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        if not role or not role[0]:
            raise PermissionError(f"its role {wanted['USER']!r} may not create the test database")


def redis_server() -> None:
    redis.Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=3).ping()


def broker() -> None:
    with Connection(os.environ["CELERY_BROKER_URL"], connect_timeout=3) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)


CHECKS = [
    ("DATABASE_URL", postgresql, "PostgreSQL", "service postgresql start"),
    ("REDIS_URL", redis_server, "Redis", "service redis-server start"),
    ("CELERY_BROKER_URL", broker, "RabbitMQ", "service rabbitmq-server start"),
]


def main() -> int:
    missing = 0
    for variable, answers, name, start in CHECKS:
        try:
            answers()
        except Exception as error:
            missing += 1
            reason = " ".join(str(error).split()) or type(error).__name__
            sys.stderr.write(
                f"{name} does not serve the tests at {os.environ[variable]}: {reason}\n"
                f"  Start it (Debian: {start}) or name yours: make test-services {variable}=...\n"
            )
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
