"""What every test may ask for. Automatic are only the empty cache, no SMS, the language and leaving no tasks."""

import os
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from config import celery_app

# The same examples every time, and no deadline: a red run means that the code changed, not that the dice or a busy
# machine were against it. HYPOTHESIS_PROFILE=explore rolls the dice, to find what nobody has thought of yet.
hypothesis_settings.register_profile("mylist", deadline=None, derandomize=True)
hypothesis_settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "mylist"))


@pytest.fixture(scope="session", autouse=True)
def _leave_no_tasks():
    """With a real broker (make test-services), what tests enqueued is gone when they end."""
    yield
    if not settings.CELERY_BROKER_URL.startswith("memory:"):
        with celery_app.connection_for_write() as connection:
            for queue in settings.CELERY_TASK_QUEUES:
                bound = queue.bind(connection.default_channel)
                bound.declare()  # on Redis only what was declared over the same connection is deleted
                bound.delete()


@pytest.fixture(autouse=True)
def _empty_cache():
    """Rate limits count in the cache; a test starts with none used."""
    cache.clear()


@pytest.fixture(autouse=True)
def _no_sms_yet():
    """As Django does with mails: a test finds only the SMS it has caused, in notify.channels.sms.outbox."""
    from notify.channels import sms

    sms.outbox.clear()


@pytest.fixture(autouse=True)
def _default_language():
    """A request leaves its language active; the next test begins with the settings' one."""
    translation.deactivate()


@pytest.fixture
def now() -> datetime:
    """A Wednesday noon in Taipei; tests hand it in wherever the code asks for a moment."""
    return datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
