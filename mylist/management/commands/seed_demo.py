import json
import os
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mylist import demo


class Command(BaseCommand):
    help = "Fill an empty shop with the demo: three stores, 120 products, 400 members, 18 months of purchases."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there are stores already")
        parser.add_argument("--members", type=int, default=demo.MEMBERS)

    def handle(self, *args: Any, if_empty: bool, members: int, **options: Any) -> None:
        try:
            sign_ins = demo.seed(
                at=timezone.now(), members=members, progress=lambda step: self.stdout.write(f"  {step} ...")
            )
        except demo.AlreadySeeded:
            if if_empty:
                return
            raise CommandError("There are stores already; the demo is only written into an empty shop.") from None
        # Where `make run` finds them to print; readable by its owner only.
        path = settings.DATA_DIR / "demo.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({role: asdict(sign_in) for role, sign_in in sign_ins.items()}, file, indent=1)
        for role, sign_in in sign_ins.items():
            self.stdout.write(f"{role}: {sign_in.email} / {sign_in.password}")
