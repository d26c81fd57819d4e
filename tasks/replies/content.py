"""A post's words: as they are stored, as they read, and who may read them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from models import Visibility
from tasks.replies.notes import NotePrefixes, leading_mentions
from tasks.replies.plain_text import Reading

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
    """A post's text, which is parsed once, and the words that begin a note of its licence."""

    _text: str = field(repr=False)
    _reading: Reading = field(repr=False)
    _prefixes: NotePrefixes

    @classmethod
    def of(cls, message: str, prefixes: NotePrefixes) -> Self:
        """Return what the message says."""
        text = _storable(message)
        return cls(text, Reading.of(text), prefixes)

    @property
    def begin_a_note(self) -> bool:
        """Say whether they begin as a note does, with a prefix or a mention of all."""
        if self._prefixes.matches(self._text, self._reading):
            return True
        return any(name.rstrip("._-") in _EVERYBODY for name in self.mentions)

    @property
    def mentions(self) -> tuple[str, ...]:
        """Return the names with which they begin: if one is a colleague's, they are a note."""
        return leading_mentions(self._text, self._reading)

    @property
    def are_blank(self) -> bool:
        """Say whether a visitor would see nothing."""
        return _BLANK.fullmatch(self._reading.text) is not None

    def as_note(self) -> Content:
        """Return them for the team alone, without the prefix in the plain text."""
        plain = self._prefixes.without_prefix(self._reading.text)
        return Content(self._text, plain, Visibility.INTERNAL)

    def as_reply(self) -> Content:
        """Return them for the visitor."""
        return Content(self._text, self._reading.text, Visibility.PUBLIC)


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and no database half of a broken emoji.
    return text[:MAX_TEXT_LENGTH].replace("\0", "").encode(errors="replace").decode()
