"""What every test may ask for. Nothing here is automatic but the empty cache, the language and leaving no tasks."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from config import celery_app

# A busy machine is no fault of the code: how long an example may take is not tested by chance.
hypothesis_settings.register_profile("mylist", deadline=None)
hypothesis_settings.load_profile("mylist")


@pytest.fixture(scope="session", autouse=True)
def _leave_no_tasks():
    """With a real broker (make test-services), what tests enqueued is gone when they end."""
    yield
    if not settings.CELERY_BROKER_URL.startswith("memory:"):
        with celery_app.connection_for_write() as connection:
            queue = celery_app.amqp.queues[settings.CELERY_TASK_DEFAULT_QUEUE].bind(connection.default_channel)
            queue.declare()  # on Redis only what was declared over the same connection is deleted
            queue.delete()


@pytest.fixture(autouse=True)
def _empty_cache():
    """Rate limits count in the cache; a test starts with none used."""
    cache.clear()


@pytest.fixture(autouse=True)
def _default_language():
    """A request leaves its language active; the next test begins with the settings' one."""
    translation.deactivate()


@pytest.fixture
def now() -> datetime:
    """A Wednesday noon in Taipei; tests hand it in wherever the code asks for a moment."""
    return datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
