"""A time zone as an operator names it: one of IANA's names, or the nearest ones as advice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from zoneinfo import available_timezones

# Names that mean whatever a machine was set to, or no place at all.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
# Zones by their offset, whose signs mean the opposite of what is expected: Etc/GMT+1 is an hour
# behind.
_OFFSET = re.compile(r"(Etc/)?GMT[+-]?\d+")
_EXAMPLES = "Europe/Amsterdam, Europe/Berlin, UTC"
# Names that are that much alike are offered, and no more than this many.
_ALIKE = 0.75
_MOST_OFFERED = 4
# IANA's longest name has 32 characters.
MOST_SHOWN = 40


class TimeZoneError(ValueError):
    """No time zone has this name; the message offers the nearest ones."""


def parse_time_zone(name: str) -> str:
    """Return the name of the zone as IANA writes it.

    Raises:
        TimeZoneError: there is none of this name.
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
    """Return the zones of which the name, or the city in it, is like what was wanted."""
    by_name: dict[str, list[str]] = {}
    # Of two names for one place the one with its continent is offered first.
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
