"""A task that takes its time, for tests/test_run.py."""

import time
from pathlib import Path

from celery import shared_task


@shared_task
def write_slowly(*, path: str, seconds: float) -> None:
    """Writes "begun", and after the seconds "begun, ended"."""
    file = Path(path)
    file.write_text("begun")
    time.sleep(seconds)
    file.write_text("begun, ended")
