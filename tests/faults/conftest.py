import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Short, because a socket's path has to be."""
    path = Path(tempfile.mkdtemp(prefix="mylist-faults-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)
