"""A post's words: as they are stored, as they read, and who may read them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from models import ReplyMode, Visibility
from tasks.licences.access import LicenceAccess
from tasks.replies.notes import NotePrefixes, begins_a_command, leading_mentions, prefixes_of
from tasks.replies.plain_text import Reading
from tasks.replies.reply_prefixes import ReplyPrefixes, reply_prefixes_of

# The most that Mattermost itself takes for a post (its setting MaxPostSize).
MAX_TEXT_LENGTH = 65_535
# Mentions of all: nothing but a note is meant for them.
_EVERYBODY = frozenset({"all", "channel", "here"})
# Beside blanks: letters and signs by Unicode's book that are drawn as one, joiners of nothing, and
# selectors of a form where nothing stands that has one.
_BLANK = re.compile(
    "[\\s\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u2065\u2800\u3164"
    "\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159"
    "\U0001d173-\U0001d17a\U000e0100-\U000e01ef]*"
)


@dataclass(frozen=True, slots=True)
class Content:
    """A post as a reply or a note."""

    text: str = field(repr=False)
    plain_text: str = field(repr=False)
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Words:
    """A post's text, which is parsed once, and the words that begin a note of its licence.

    ``told`` is what the visitor reads: all of it, or what follows a reply prefix where the licence
    wants one; None: it has none.
    """

    text: str = field(repr=False)
    told: str | None = field(repr=False)
    _reading: Reading = field(repr=False)
    _prefixes: NotePrefixes

    @classmethod
    def of(
        cls, message: str, prefixes: NotePrefixes, *, wanted: ReplyPrefixes | None = None
    ) -> Self:
        """Return what the message says; ``wanted`` are the prefixes that a reply must have."""
        text = _storable(message)
        reading = Reading.of(text)
        told = reading.text if wanted is None else wanted.rest(reading)
        return cls(text, told, reading, prefixes)

    @classmethod
    def for_licence(cls, message: str, licence: LicenceAccess) -> Self:
        """Return what the message says to this licence."""
        is_explicit = licence.reply_mode is ReplyMode.EXPLICIT
        wanted = reply_prefixes_of(licence.reply_prefixes) if is_explicit else None
        return cls.of(message, prefixes_of(licence.note_prefixes), wanted=wanted)

    @property
    def begin_a_note(self) -> bool:
        """Whether they begin as a note does, with a prefix or a mention of all."""
        return any(
            self._prefixes.matches(*begins)
            or any(name.rstrip("._-") in _EVERYBODY for name in leading_mentions(*begins))
            for begins in self._beginnings()
        )

    @property
    def begin_a_command(self) -> bool:
        """Whether they begin as a command does."""
        return any(begins_a_command(*begins) for begins in self._beginnings())

    @property
    def mentions(self) -> tuple[str, ...]:
        """The names with which they begin: if one is a colleague's, they are a note."""
        found = (leading_mentions(*begins) for begins in self._beginnings())
        return tuple(dict.fromkeys(name for names in found for name in names))

    @property
    def are_blank(self) -> bool:
        """Whether a visitor would see nothing."""
        return _BLANK.fullmatch(self._plain) is not None

    def as_note(self) -> Content:
        """Return them for the team alone, without the prefix in the plain text."""
        plain = self._prefixes.without_prefix(self._reading.text)
        return Content(self.text, plain, Visibility.INTERNAL)

    def as_reply(self) -> Content:
        """Return them for the visitor."""
        return Content(self.text, self._plain, Visibility.PUBLIC)

    @property
    def _plain(self) -> str:
        """What the visitor reads; what lacks its prefix by now is read as it is."""
        return self._reading.text if self.told is None else self.told

    def _beginnings(self) -> list[tuple[str, Reading]]:
        """Return the text, and what follows its reply prefix: a note may begin there, too."""
        whole = (self.text, self._reading)
        is_all = self.told is None or self.told == self._reading.text
        return [whole] if is_all else [whole, (self.told or "", Reading.of(self.told or ""))]


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and no database half of a broken emoji.
    return text[:MAX_TEXT_LENGTH].replace("\0", "").encode(errors="replace").decode()
