"""Check the name of a time zone that an operator gives, and offer the nearest names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from zoneinfo import available_timezones

# Names that stand for a machine's own setting, or for no place.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
# Zones named by their offset. Their signs mean the opposite of what is expected: Etc/GMT+1 is one
# hour behind UTC.
_OFFSET = re.compile(r"(Etc/)?GMT[+-]?\d+")
_EXAMPLES = "Europe/Amsterdam, Europe/Berlin, UTC"
# The least similarity of names that are offered, and how many are offered at most.
_ALIKE = 0.75
_MOST_OFFERED = 4
# IANA's longest name has 32 characters.
MOST_SHOWN = 40


class TimeZoneError(ValueError):
    """No time zone has this name. The message offers the nearest names."""


def parse_time_zone(name: str) -> str:
    """Return the name of the zone as IANA writes it.

    Raises:
        TimeZoneError: no zone has this name.
    """
    zones = available_timezones() - _NO_ZONES
    exact = {zone.casefold(): zone for zone in zones}
    wanted = name.strip().replace(" ", "_")
    if wanted in zones:
        return wanted
    if wanted.casefold() in exact:
        return exact[wanted.casefold()]
    nearest = ", ".join(_nearest(wanted, zones))
    offered = f"the nearest are: {nearest}" if nearest else f"names are such as {_EXAMPLES}"
    raise TimeZoneError(f"no time zone is named {name[:MOST_SHOWN]!r}; {offered}")


def _nearest(wanted: str, zones: Iterable[str]) -> list[str]:
    """Return the zones whose name, or whose city, is similar to the wanted name."""
    by_name: dict[str, list[str]] = {}
    # Of two names for one place, the name with the continent is offered first.
    places = (zone for zone in zones if not _OFFSET.fullmatch(zone))
    for zone in sorted(places, key=lambda each: ("/" not in each, each)):
        for name in {zone.casefold(), _city(zone)}:
            by_name.setdefault(name, []).append(zone)
    found: dict[str, None] = {}
    for words in (_city(wanted), wanted.casefold()):
        for match in get_close_matches(words, by_name, n=_MOST_OFFERED, cutoff=_ALIKE):
            found |= dict.fromkeys(by_name[match])
    return list(found)[:_MOST_OFFERED]


def _city(name: str) -> str:
    return name.casefold().rpartition("/")[2]
