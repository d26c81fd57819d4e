"""Internal notes: replies that are for the team alone, told by how they begin.

In doubt a reply is a note: one that is kept from the visitor by mistake costs a question, one that
is shown by mistake cannot be taken back. So a note is what begins with a prefix when it is read
(``**Note:** x``, ``# note: x``, ``&#110;ote: x``) and also what begins with one when signs, blanks,
emoji, bullets and quoted lines in front of it are passed over. Quoted text and code are not looked
at: ``> note: x`` and `` `note: x` `` are somebody else's words or an example.

``//example.com/x`` is a note as well: nobody writes addresses like this in a chat.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from tasks.replies.plain_text import Reading

# A prefix stands at the beginning of what is read, after a bullet or quotation mark at the most.
_MAX_LEAD = 300
# Licences that chose words of their own; most have the default ones.
MAX_SETTINGS = 1_000
# Letters by Unicode's book that are drawn as a blank, and so hide a prefix behind them.
_BLANK_LETTERS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"), " ")
_LINE_ENDING = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_QUOTED_LINES = re.compile(r"(?:[^\S\n]*(?:>[^\n]*)?\n)+")
_FENCE = re.compile(r"\s*(?:`|~~~)")


@dataclass(frozen=True, slots=True)
class NotePrefixes:
    """The words of a licence with which a note begins."""

    _pattern: re.Pattern[str] | None

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Return the prefixes of a setting, which are separated by spaces; empty: no notes."""
        prefixes = [_prefix_pattern(_folded(word)) for word in setting.split()]
        if not prefixes:
            return cls(None)
        # What may stand in front: anything but words, code (`) and quotes (>).
        return cls(re.compile(rf"(?:[^\w`>]|_)*?(?:{'|'.join(prefixes)})"))

    def matches(self, text: str, reading: Reading | None = None) -> bool:
        """Say whether this Markdown is a note; ``reading`` is how it reads, if that is known."""
        if self._pattern is None:
            return False
        opening = (reading or Reading.of(text)).opening
        return any(self._pattern.match(_folded(begins)) for begins in _beginnings(text, opening))

    def without_prefix(self, plain: str) -> str:
        """Return a note's plain text without its prefix, if it begins with one."""
        if self._pattern is None:
            return plain
        # Folding changes lengths, so the end of the prefix is found by trying; one character more
        # tells whether a longer word begins there.
        for end in range(1, min(len(plain), _MAX_LEAD) + 1):
            whole, more = _folded(plain[:end]), _folded(plain[: end + 1])
            if self._pattern.fullmatch(whole) and self._pattern.match(more):
                return plain[end:].strip()
        return plain


@lru_cache(maxsize=MAX_SETTINGS)
def prefixes_of(setting: str) -> NotePrefixes:
    """Return the prefixes of a setting, which is parsed once."""
    return NotePrefixes.parse(setting)


def _prefix_pattern(prefix: str) -> str:
    """Return the pattern of a folded prefix.

    Blanks may stand before its signs ("note :"), and a letter at its end ends a word ("note" is not
    the beginning of "notebook").
    """
    signs = re.sub(r"(?<=\w)(?=[^\w\s])", "\0", prefix)
    pattern = r"[\s\\]*".join(map(re.escape, signs.split("\0")))
    return pattern + (r"(?!\w)" if prefix[-1].isalnum() else "")


def _beginnings(text: str, opening: str) -> list[str]:
    """Return how the text begins as it was written, and as it is read (``opening``)."""
    written = _LINE_ENDING.sub("\n", text)
    unquoted = _QUOTED_LINES.match(written + "\n")
    written = written[unquoted.end() :] if unquoted else written
    if _FENCE.match(_visible(written)):
        return [opening]
    return [written, opening]


def _folded(text: str) -> str:
    """Return the text in small letters, without what is not seen, and with plain signs for wide."""
    return _visible(unicodedata.normalize("NFKC", text)).casefold()


def _visible(text: str) -> str:
    shown = (char for char in text if char.isspace() or unicodedata.category(char) not in _UNSEEN)
    return "".join(shown).translate(_BLANK_LETTERS)


_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"})
