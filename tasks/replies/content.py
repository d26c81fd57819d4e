"""A post's words: as they are stored, as they read, and who may read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from models import Visibility
from tasks.replies.notes import NotePrefixes
from tasks.replies.plain_text import Reading


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
        """Say whether they begin as a note does."""
        return self._prefixes.matches(self._text, self._reading)

    def as_note(self) -> Content:
        """Return them for the team alone, without the prefix in the plain text."""
        plain = self._prefixes.without_prefix(self._reading.text)
        return Content(self._text, plain, Visibility.INTERNAL)

    def as_reply(self) -> Content:
        """Return them for the visitor."""
        return Content(self._text, self._reading.text, Visibility.PUBLIC)


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and no database half of a broken emoji.
    return text.replace("\0", "").encode(errors="replace").decode()
