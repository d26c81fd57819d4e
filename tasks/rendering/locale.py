"""The locale of a team: the language and the time zone of what it reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tasks.rendering.dutch import DUTCH
from tasks.rendering.english import ENGLISH
from tasks.rendering.german import GERMAN
from tasks.rendering.wording import Wording


class Language(StrEnum):
    """The languages of teams, by their ISO 639 codes."""

    ENGLISH = "en"
    DUTCH = "nl"
    GERMAN = "de"


WORDINGS = {Language.ENGLISH: ENGLISH, Language.DUTCH: DUTCH, Language.GERMAN: GERMAN}


@dataclass(frozen=True, slots=True)
class Locale:
    """The wording and the time zone of what a team reads."""

    wording: Wording = ENGLISH
    zone: tzinfo = UTC

    @classmethod
    def of(cls, *, language: str, time_zone: str) -> "Locale":
        """Return the locale of a licence's team.

        An unknown language becomes English, and an unknown time zone becomes UTC. A message in
        another language is better than no message.
        """
        wording = WORDINGS[Language(language)] if language in set(Language) else ENGLISH
        return cls(wording, _zone(time_zone))

    def moment(self, moment: datetime) -> str:
        """Return an aware time as the team reads it.

        "UTC" is added in UTC. The offset is added where the local time is ambiguous, in the hour
        that occurs twice when summer time ends.
        """
        there = moment.astimezone(self.zone)
        text = self.wording.moment.format(
            day=there.day,
            month=self.wording.months[there.month - 1],
            year=there.year,
            time=f"{there:%H:%M}",
        )
        return " ".join([text, *_clock(there)])


DEFAULT_LOCALE = Locale()


def _zone(name: str) -> tzinfo:
    # datetime's own UTC needs no time zone database, and ``_clock`` recognises this object.
    if name in {"UTC", "Etc/UTC"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _clock(there: datetime) -> Iterator[str]:
    """Yield "UTC" or the offset from UTC where the time alone would be unclear."""
    if there.tzinfo is UTC:
        yield "UTC"
    elif there.utcoffset() != there.replace(fold=1 - there.fold).utcoffset():
        sign_and_hours, minutes = f"{there:%z}"[:3], f"{there:%z}"[3:5]
        yield f"(UTC{int(sign_and_hours):+d}{'' if minutes == '00' else ':' + minutes})"
