import json
from datetime import UTC, datetime
from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone


class Command(BaseCommand):
    help = "Say which code the app of the demo's staff shows now. Only where there is a demo."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.DATA_DIR / "demo.json"
        secret = json.loads(path.read_text()).get("staff", {}).get("totp") if path.exists() else ""
        if not secret:
            raise CommandError("There is no demo here whose staff have an app with codes.")
        now = timezone.now()
        period = app_settings.TOTP_PERIOD
        counter = int(now.timestamp()) // period
        until = datetime.fromtimestamp((counter + 1 + app_settings.TOTP_TOLERANCE) * period, UTC)
        code = format_hotp_value(hotp_value(secret, counter))
        self.stdout.write(f"Staff code at {_clock(now)}: {code}, good for one sign-in until {_clock(until)}.")


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M:%S}"
