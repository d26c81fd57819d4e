"""Internal notes: replies that are for the team alone, told by how they begin.

In doubt a reply is a note: one that is kept from the visitor by mistake costs a question, one that
is shown by mistake cannot be taken back. So a note is what begins with a prefix when it is read
(``**Note:** x``, ``# note: x``, ``&#110;ote: x``), and also what begins with one when everything
in front of it is passed over that is no text (see ``leads``). Quoted text and code are not looked
at: ``> note: x`` and `` ``note: x`` `` are another person's words or an example.

``//`` begins a note for every licence. Mattermost's clients take it for a command at first, so
that nothing names it any more; but who sends it all the same means a note. ``//example.com/x`` is
a note as well: an address is not written like this in a chat.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from tasks.replies.leads import has_endless_lead, lead_positions, mentions_at
from tasks.replies.plain_text import Reading
from tasks.replies.prefixes import REFUSED_STARTS, end_of_prefix, folded, is_seen, words_of

ALWAYS = "//"
# Licences that chose words of their own; most have the default ones.
MAX_SETTINGS = 1_000
_LINE_ENDING = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_QUOTED_LINES = re.compile(r"(?:[^\S\n]*(?:>[^\n]*)?\n)+")
_UNCLOSED = re.compile(r"`+|~{3,}")
_CODE = re.compile(r"\s*(?:`|~~~)")
_COMMAND = re.compile(rf"\s*[{''.join(REFUSED_STARTS)}][^\W\d_]")
# More than this in front of a command's sign is a text.
_COMMAND_LENGTH = 50


@dataclass(frozen=True, slots=True)
class NotePrefixes:
    """The words of a licence with which a note begins."""

    _prefixes: tuple[str, ...]

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Return the prefixes of a setting, which are separated by spaces."""
        return cls((*words_of(setting), ALWAYS))

    def matches(self, text: str, reading: Reading | None = None) -> bool:
        """Return whether this Markdown is a note; ``reading`` is how it reads, if that is known."""
        return any(
            self._end(begins) is not None or has_endless_lead(begins)
            for begins in _beginnings(text, reading or Reading.of(text))
        )

    def without_prefix(self, plain: str) -> str:
        """Return a note's plain text without its prefix, if it begins with one."""
        end = self._end(plain)
        return plain if end is None else plain[end:].strip()

    def _end(self, text: str) -> int | None:
        """Return where the prefix ends with which the text begins; None: with none."""
        for position in lead_positions(text):
            if not is_seen(text[position : position + 1] or " "):
                continue
            end = end_of_prefix(text, position, self._prefixes)
            if end is not None:
                return end
        return None


@lru_cache(maxsize=MAX_SETTINGS)
def prefixes_of(setting: str) -> NotePrefixes:
    """Return the prefixes of a setting, which is parsed once."""
    return NotePrefixes.parse(setting)


def leading_mentions(text: str, reading: Reading) -> tuple[str, ...]:
    """Return the names that a text begins with, ``@anna`` as ``anna``, in small letters."""
    found = (mentions_at(begins) for begins in _beginnings(text, reading))
    return tuple(dict.fromkeys(name for names in found for name in names))


def begins_a_command(text: str, reading: Reading) -> bool:
    """Return whether the text begins as a command does, such as ``/close`` or ``!take``."""
    found = (
        _COMMAND.match(folded(begins[:_COMMAND_LENGTH])) for begins in _beginnings(text, reading)
    )
    return any(found)


def _beginnings(text: str, reading: Reading) -> Iterator[str]:
    """Yield how the text begins as it was written, and as it is read."""
    written = _LINE_ENDING.sub("\n", text)
    unquoted = _QUOTED_LINES.match(written + "\n")
    written = written[unquoted.end() :] if unquoted else written
    is_code = _CODE.match("".join(filter(is_seen, written[:100]))) is not None
    if not is_code:
        yield written
        if "&" in written:
            yield html.unescape(written)
    # Backticks that are never closed are text; what begins with code has no opening.
    opening = _UNCLOSED.sub("", reading.opening)
    if is_code or opening != written:
        yield opening
    # Letters in circles and squares are pictures by themselves.
    if not opening.isascii():
        yield unicodedata.normalize("NFKC", opening)
