"""What every test may ask for. Nothing here is automatic but the empty cache and the language."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.utils import translation


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
