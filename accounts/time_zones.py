"""Time zones as people know them: by country and city, in the language of the moment."""

from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from django.utils.translation import get_language, to_locale

_HOME = "Asia/Taipei"
_NOWHERE = "ZZ"  # CLDR's territory of UTC and its kin


def choices() -> list[tuple[str, str]]:
    """(IANA name, label) of every zone people live in: home first, the others by country and city; no old aliases."""
    return _choices(to_locale(get_language() or "en"))


def label(zone: str) -> str:
    """What `choices` calls the zone; its own name where it is an old one."""
    return dict(choices()).get(zone, zone)


@cache
def _choices(language: str) -> list[tuple[str, str]]:
    locale = Locale.parse(language)
    labels = {zone: _label(zone, territory, locale) for zone, territory in get_global("zone_territories").items()}
    living = {zone: label for zone, label in labels.items() if zone in available_timezones() and label}
    others = sorted((label, zone) for zone, label in living.items() if zone != _HOME)
    return [(_HOME, living[_HOME]), *((zone, label) for label, zone in others)]


def _label(zone: str, territory: str, locale: Locale) -> str:
    """`台灣 · 台北`, `United States · New York`; empty for zones of no country."""
    country = locale.territories.get(territory, "")
    return f"{country} · {_city(zone, locale)}" if country and territory != _NOWHERE else ""


def _city(zone: str, locale: Locale) -> str:
    # CLDR names a zone by the oldest of its names (Europe/Kiev), and not where its id says it already.
    for name in [zone, *_aliases().get(zone, [])]:
        if city := locale.time_zones.get(name, {}).get("city"):
            return str(city)
    return zone.rpartition("/")[2].replace("_", " ")


@cache
def _aliases() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for alias, zone in get_global("zone_aliases").items():
        found.setdefault(zone, []).append(alias)
    return found
