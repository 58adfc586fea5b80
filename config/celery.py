"""The Celery application; `celery -A config worker|beat` finds it here."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Work is spread over processes: libraries that would start a thread a core in each of them are told not to, before
# they are loaded. Set OMP_NUM_THREADS to give a fit more.
os.environ.setdefault("OMP_NUM_THREADS", "1")

app = Celery("mylist")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
