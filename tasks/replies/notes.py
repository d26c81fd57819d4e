"""Internal notes: posts for the team alone, recognised by how they begin.

In doubt a post is a note. A post that the visitor misses by mistake costs a question, but a post
that the visitor reads by mistake cannot be taken back. So a post is a note if it begins with a
prefix as Mattermost shows it (``**Note:** x``, ``# note: x``, ``&#110;ote: x``). It is also a note
if nothing but signs, pictures and names stands before the prefix (see ``leads``). Quoted text and
code do not count: ``> note: x`` and `` ``note: x`` `` are another person's words or an example.

``//`` begins a note for every licence. Mattermost's clients take it for a command at first, so no
guide for the team names it. A member who sends it all the same means a note. ``//example.com/x`` is
a note too, since members do not write an address like this in a chat.
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
# The settings that are kept parsed: most licences have the default one.
MAX_SETTINGS = 1_000
_LINE_ENDING = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_QUOTED_LINES = re.compile(r"(?:[^\S\n]*(?:>[^\n]*)?\n)+")
_UNCLOSED = re.compile(r"`+|~{3,}")
_CODE = re.compile(r"\s*(?:`|~~~)")
_COMMAND = re.compile(rf"\s*[{''.join(REFUSED_STARTS)}][^\W\d_]")
# Behind more characters than this, a command's sign is a part of a text.
_COMMAND_LENGTH = 50


@dataclass(frozen=True, slots=True)
class NotePrefixes:
    """The note prefixes of a licence."""

    _prefixes: tuple[str, ...]

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Return the prefixes of a setting, which are separated by spaces."""
        return cls((*words_of(setting), ALWAYS))

    def matches(self, text: str, reading: Reading | None = None) -> bool:
        """Return whether this Markdown is a note; ``reading`` is its plain text, if known."""
        return any(
            self._end(begins) is not None or has_endless_lead(begins)
            for begins in _beginnings(text, reading or Reading.of(text))
        )

    def without_prefix(self, plain: str) -> str:
        """Return a note's plain text without its prefix, if it begins with one."""
        end = self._end(plain)
        return plain if end is None else plain[end:].strip()

    def _end(self, text: str) -> int | None:
        """Return where the text's note prefix ends; None: the text begins with none."""
        for position in lead_positions(text):
            if not is_seen(text[position : position + 1] or " "):
                continue
            end = end_of_prefix(text, position, self._prefixes)
            if end is not None:
                return end
        return None


@lru_cache(maxsize=MAX_SETTINGS)
def prefixes_of(setting: str) -> NotePrefixes:
    """Return the prefixes of a setting, which is parsed once and then cached."""
    return NotePrefixes.parse(setting)


def leading_mentions(text: str, reading: Reading) -> tuple[str, ...]:
    """Return the user names that a text begins with, in small letters: ``@Anna`` as ``anna``."""
    found = (mentions_at(begins) for begins in _beginnings(text, reading))
    return tuple(dict.fromkeys(name for names in found for name in names))


def begins_a_command(text: str, reading: Reading) -> bool:
    """Return whether the text begins as a command does, such as ``/close`` or ``!take``."""
    found = (
        _COMMAND.match(folded(begins[:_COMMAND_LENGTH])) for begins in _beginnings(text, reading)
    )
    return any(found)


def _beginnings(text: str, reading: Reading) -> Iterator[str]:
    """Yield the beginnings of the text as it was written and as Mattermost shows it."""
    written = _LINE_ENDING.sub("\n", text)
    unquoted = _QUOTED_LINES.match(written + "\n")
    written = written[unquoted.end() :] if unquoted else written
    is_code = _CODE.match("".join(filter(is_seen, written[:100]))) is not None
    if not is_code:
        yield written
        if "&" in written:
            yield html.unescape(written)
    # Backticks without a closing pair are text. If the text begins with code, its opening is empty.
    opening = _UNCLOSED.sub("", reading.opening)
    if is_code or opening != written:
        yield opening
    # NFKC turns letters in circles and squares, which else count as pictures, into plain letters.
    if not opening.isascii():
        yield unicodedata.normalize("NFKC", opening)
