"""The project's settings and one more task: something for the worker to have in hand while the shop is stopped."""

from config.settings import *  # noqa: F403

CELERY_IMPORTS = ["tests.run_tasks"]
