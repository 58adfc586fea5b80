"""The project's settings as the tests want them: nothing outside the test process is needed.

DATABASE_URL still chooses the database, so that `make test-services` runs the same suite on PostgreSQL.
"""

import atexit
import os
import shutil
import tempfile
from urllib.parse import urlsplit

if "MYLIST_DATA_DIR" not in os.environ:  # the workers of xdist inherit it
    os.environ["MYLIST_DATA_DIR"] = tempfile.mkdtemp(prefix="mylist-tests-")
    atexit.register(shutil.rmtree, os.environ["MYLIST_DATA_DIR"], ignore_errors=True)
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("ALLOWED_HOSTS", "*")
if "CELERY_BROKER_URL" in os.environ:
    # Not the queues of a shop that may run on this broker; tests/conftest.py removes them in the end.
    os.environ["CELERY_QUEUE"] = f"mylist-tests-{os.getpid()}"

from config.settings import *  # noqa: F403

# Every thread of a test has its own connection, closed with it: a pool would keep the test database in use.
DATABASES["default"].get("OPTIONS", {}).pop("pool", None)  # noqa: F405
if "CELERY_BROKER_URL" not in os.environ:
    CELERY_BROKER_URL = "memory://"
    CELERY_BROKER_TRANSPORT_OPTIONS: dict = {}
if "REDIS_URL" not in os.environ:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
elif REDIS_URL.startswith("redis"):  # noqa: F405
    # Every test begins with an empty cache, and to empty it is to drop a whole database of the server: each process has
    # one to itself, away from 0 with its broker and perhaps somebody's own things.
    _process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    CACHES["default"]["LOCATION"] = urlsplit(REDIS_URL)._replace(path=f"/{8 + _process}").geturl()  # noqa: F405
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "private": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SMS_URL = "locmem://"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DOOR_SECONDS = 0  # nobody holds a stopwatch, but the tests that say so
LANGUAGE_CODE = "en"
# WhiteNoise warns of a folder that is not there, and a warning is an error here.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
