"""The --as-of of commands: a day or a moment, as typed."""

from datetime import datetime, time

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str, *, of_day: time) -> datetime:
    """The moment typed, or that hour of the day typed, in the shop's time zone; CommandError with examples else."""
    try:
        if day := parse_date(text):
            return timezone.make_aware(datetime.combine(day, of_day))
        if at := parse_datetime(text):
            return at if timezone.is_aware(at) else timezone.make_aware(at)
    except ValueError:
        pass
    raise CommandError(f"--as-of {text}: write a day such as 2026-11-18 or a moment such as 2026-11-18T09:00+08:00.")
