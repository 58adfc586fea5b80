"""`python -m config.prepare`: the database and the static files as this version wants them. Again is harmless."""

import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command("migrate", interactive=False)
    call_command("collectstatic", interactive=False)


if __name__ == "__main__":
    main()
