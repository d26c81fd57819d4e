"""Internal notes: replies that are for the team alone, told by how they begin.

In doubt a reply is a note: one that is kept from the visitor by mistake costs a question, one that
is shown by mistake cannot be taken back. So a note is what begins with a prefix when it is read
(``**Note:** x``, ``# note: x``, ``&#110;ote: x``), and also what begins with one when everything
in front of it is passed over that is no text (see ``leads``). Quoted text and code are not looked
at: ``> note: x`` and `` `note: x` `` are another person's words or an example.

``//`` begins a note for every licence. Mattermost's clients take it for a command at first, so
that nothing names it any more; but who sends it all the same means a note. ``//example.com/x`` is
a note as well: an address is not written like this in a chat.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from tasks.replies.leads import has_endless_lead, is_picture, lead_positions, mentions_at
from tasks.replies.plain_text import Reading

ALWAYS = "//"
# Licences that chose words of their own; most have the default ones.
MAX_SETTINGS = 1_000
# What a client takes for a command, or for the start of one, and does not send.
REFUSED_STARTS = ("/", "!")
# Letters by Unicode's book that are drawn as a blank, and so hide a prefix behind them.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"})
# What looks like a colon.
_COLONS = str.maketrans("\u2236\ua789\u02d0\u0589", "::::")
_LINE_ENDING = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_QUOTED_LINES = re.compile(r"(?:[^\S\n]*(?:>[^\n]*)?\n)+")
_FENCE = re.compile(r"(?:`{3,}|~{3,})+")
_CODE = re.compile(r"\s*(?:`|~~~)")


class NotePrefixError(ValueError):
    """A prefix that could not be used in Mattermost; says which, and why."""


@dataclass(frozen=True, slots=True)
class NotePrefixes:
    """The words of a licence with which a note begins."""

    _prefixes: tuple[str, ...]

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Return the prefixes of a setting, which are separated by spaces."""
        return cls(tuple(filter(None, map(_folded, [*setting.split(), ALWAYS]))))

    def matches(self, text: str, reading: Reading | None = None) -> bool:
        """Say whether this Markdown is a note; ``reading`` is how it reads, if that is known."""
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
            if not _is_seen(text[position : position + 1] or " "):
                continue
            for prefix in self._prefixes:
                end = _prefix_end(text, position, prefix)
                if end is not None:
                    return end
        return None


@lru_cache(maxsize=MAX_SETTINGS)
def prefixes_of(setting: str) -> NotePrefixes:
    """Return the prefixes of a setting, which is parsed once."""
    return NotePrefixes.parse(setting)


def check_prefixes(setting: str) -> None:
    """Say whether a setting can be used.

    Raises:
        NotePrefixError: one of the prefixes begins with what a client takes for a command.
    """
    for word in setting.split():
        if _folded(word).startswith(REFUSED_STARTS):
            raise NotePrefixError(
                f"{word}: Mattermost's clients take a message that begins with "
                f"{' or '.join(REFUSED_STARTS)} for a command; choose a word such as note:"
            )


def leading_mentions(text: str, reading: Reading) -> tuple[str, ...]:
    """Return the names that a text begins with, ``@anna`` as ``anna``, in small letters."""
    found = (mentions_at(begins) for begins in _beginnings(text, reading))
    return tuple(dict.fromkeys(name for names in found for name in names))


def _beginnings(text: str, reading: Reading) -> Iterator[str]:
    """Yield how the text begins as it was written, and as it is read."""
    written = _LINE_ENDING.sub("\n", text)
    unquoted = _QUOTED_LINES.match(written + "\n")
    written = written[unquoted.end() :] if unquoted else written
    is_code = _CODE.match("".join(filter(_is_seen, written[:100]))) is not None
    if not is_code:
        yield written
    # A fence that is never closed is text; what begins with code has no opening.
    opening = _FENCE.sub("", reading.opening, count=1) if is_code else reading.opening
    if is_code or opening != written:
        yield opening
    # Letters in circles and squares are pictures by themselves.
    if not opening.isascii():
        yield unicodedata.normalize("NFKC", opening)


def _prefix_end(text: str, position: int, prefix: str) -> int | None:
    """Return where a folded prefix ends that stands at the position; None: it does not.

    Blanks and backslashes may stand before its signs ("note :"), and a letter at its end ends a
    word ("note" is not the beginning of "notebook").
    """
    done = 0
    for end, seen in _folded_from(text, position):
        if done == len(prefix):
            return None if prefix[-1].isalnum() and seen[0].isalnum() else position
        if prefix.startswith(seen, done):
            done += len(seen)
            position = end
        elif not (done and _may_be_apart(prefix, done) and (seen.isspace() or seen == "\\")):
            return None
    return position if done == len(prefix) else None


def _may_be_apart(prefix: str, position: int) -> bool:
    return prefix[position - 1].isalnum() and not prefix[position].isalnum()


def _folded_from(text: str, position: int) -> Iterator[tuple[int, str]]:
    """Yield the characters that are seen from a position on, folded, each with where it ends."""
    while position < len(text):
        end = position + 1
        while end < len(text) and unicodedata.category(text[end]) in ("Mn", "Me"):
            end += 1
        seen = _folded(text[position:end])
        if seen:
            yield end, seen
        position = end


def _folded(text: str) -> str:
    """Return the text in small letters, without what is not seen, and with plain signs for wide."""
    plain = "".join(map(_plain, unicodedata.normalize("NFC", text)))
    return "".join(filter(_is_seen, plain.translate(_COLONS))).casefold()


def _plain(char: str) -> str:
    return char if is_picture(char) else unicodedata.normalize("NFKC", char)


def _is_seen(char: str) -> bool:
    return char.isspace() or (
        unicodedata.category(char) not in _UNSEEN and char not in _BLANK_LETTERS
    )
