"""A post's text: as it is stored, as plain text, and who may read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from models import ReplyMode, Visibility
from tasks.licences.access import LicenceAccess
from tasks.replies.notes import NotePrefixes, begins_a_command, leading_mentions, prefixes_of
from tasks.replies.plain_text import Reading
from tasks.replies.reply_prefixes import ReplyPrefixes, reply_prefixes_of

# The longest post that Mattermost itself takes (its setting MaxPostSize).
MAX_TEXT_LENGTH = 65_535
# Mentions of all members: a post that begins with one is for the team.
_EVERYBODY = frozenset({"all", "channel", "here"})
# Spaces, and characters that show nothing when they stand alone: letters and signs that are drawn
# as a space, joiners, and variation selectors.
_BLANK = re.compile(
    "[\\s\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u2065\u2800\u3164"
    "\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159"
    "\U0001d173-\U0001d17a\U000e0100-\U000e01ef]*"
)


@dataclass(frozen=True, slots=True)
class Content:
    """The text of a reply or a note, and who may read it."""

    text: str = field(repr=False)
    plain_text: str = field(repr=False)
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class PostText:
    """A post's text, which is parsed once, and the note prefixes of its licence.

    ``visitor_text`` is what the visitor reads: the whole plain text, or the part behind the reply
    prefix if the licence requires one. None: the text lacks that prefix.
    """

    text: str = field(repr=False)
    visitor_text: str | None = field(repr=False)
    _reading: Reading = field(repr=False)
    _prefixes: NotePrefixes

    @classmethod
    def of(
        cls, message: str, prefixes: NotePrefixes, *, wanted: ReplyPrefixes | None = None
    ) -> Self:
        """Return the message's text; ``wanted`` are the prefixes of which a reply needs one."""
        text = _storable(message)
        reading = Reading.of(text)
        visitor_text = reading.text if wanted is None else wanted.rest(reading)
        return cls(text, visitor_text, reading, prefixes)

    @classmethod
    def for_licence(cls, message: str, licence: LicenceAccess) -> Self:
        """Return the message's text, read by the settings of this licence."""
        is_explicit = licence.reply_mode is ReplyMode.EXPLICIT
        wanted = reply_prefixes_of(licence.reply_prefixes) if is_explicit else None
        return cls.of(message, prefixes_of(licence.note_prefixes), wanted=wanted)

    @property
    def begins_a_note(self) -> bool:
        """Whether it begins with a note prefix or a mention of all members."""
        return any(
            self._prefixes.matches(*begins)
            or any(name.rstrip("._-") in _EVERYBODY for name in leading_mentions(*begins))
            for begins in self._beginnings()
        )

    @property
    def begins_a_command(self) -> bool:
        """Whether it begins as a command does."""
        return any(begins_a_command(*begins) for begins in self._beginnings())

    @property
    def mentions(self) -> tuple[str, ...]:
        """The user names that it begins with; if one is a colleague's, it is a note."""
        found = (leading_mentions(*begins) for begins in self._beginnings())
        return tuple(dict.fromkeys(name for names in found for name in names))

    @property
    def is_blank(self) -> bool:
        """Whether a visitor would see nothing."""
        return _BLANK.fullmatch(self._plain) is not None

    def as_note(self) -> Content:
        """Return the content of a note; its plain text lacks the note prefix."""
        plain = self._prefixes.without_prefix(self._reading.text)
        return Content(self.text, plain, Visibility.INTERNAL)

    def as_reply(self) -> Content:
        """Return the content of a reply to the visitor."""
        return Content(self.text, self._plain, Visibility.PUBLIC)

    @property
    def _plain(self) -> str:
        """What the visitor reads; all of the plain text if the reply prefix is missing."""
        return self._reading.text if self.visitor_text is None else self.visitor_text

    def _beginnings(self) -> list[tuple[str, Reading]]:
        """Return the text, and the part behind its reply prefix, where a note may begin too."""
        all_of_it = (self.text, self._reading)
        behind = self.visitor_text
        if behind is None or behind == self._reading.text:
            return [all_of_it]
        return [all_of_it, (behind, Reading.of(behind))]


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL, and no database stores half of a surrogate pair.
    return text[:MAX_TEXT_LENGTH].replace("\0", "").encode(errors="replace").decode()
