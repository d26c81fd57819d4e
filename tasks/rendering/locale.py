"""The locale of a team: in which language it is written to, and by which clock."""

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

        A language or a zone that this installation does not know is English or UTC: a message that
        is read with some trouble is better than none.
        """
        wording = WORDINGS[Language(language)] if language in set(Language) else ENGLISH
        return cls(wording, _zone(time_zone))

    def moment(self, moment: datetime) -> str:
        """Return an aware time as the team reads it.

        What its clock does not say is added: that it is UTC, or which of an hour's two passes in
        the night in which summer ends.
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
    # It needs no table of zones; a time in it says so, for it is the time of no team's clock.
    if name in {"UTC", "Etc/UTC"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _clock(there: datetime) -> Iterator[str]:
    """Yield which clock the time is read from, where that is not plain."""
    if there.tzinfo is UTC:
        yield "UTC"
    elif there.utcoffset() != there.replace(fold=1 - there.fold).utcoffset():
        sign_and_hours, minutes = f"{there:%z}"[:3], f"{there:%z}"[3:5]
        yield f"(UTC{int(sign_and_hours):+d}{'' if minutes == '00' else ':' + minutes})"
