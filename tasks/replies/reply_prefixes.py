"""Reply prefixes: in mode ``explicit`` a post for the visitor begins with one.

In doubt a post is a note, so the prefix must be the first thing that a person reads. A post with a
quote, a name, an emoji, a bullet or code in front of it stays with the team. Emphasis is allowed:
``**Reply:** x`` is a reply.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from tasks.replies.notes import MAX_SETTINGS, NotePrefixes, leading_mentions
from tasks.replies.plain_text import Reading
from tasks.replies.prefixes import PrefixError, end_of_prefix, require_sendable_prefixes, words_of


@dataclass(frozen=True, slots=True)
class ReplyPrefixes:
    """The reply prefixes of a licence."""

    _prefixes: tuple[str, ...]

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Return the prefixes of a setting, which are separated by spaces."""
        return cls(words_of(setting))

    def rest(self, reading: Reading) -> str | None:
        """Return the plain text behind the prefix; None: the text does not begin with one."""
        # The plain text of code or a quote may look like a prefix; the opening leaves both out.
        if end_of_prefix(reading.opening, 0, self._prefixes) is None:
            return None
        end = end_of_prefix(reading.text, 0, self._prefixes)
        return None if end is None else reading.text[end:].strip()


@lru_cache(maxsize=MAX_SETTINGS)
def reply_prefixes_of(setting: str) -> ReplyPrefixes:
    """Return the prefixes of a setting, which is parsed once and then cached."""
    return ReplyPrefixes.parse(setting)


def require_usable_reply_prefixes(setting: str, *, notes: NotePrefixes) -> None:
    """Require that a setting of reply prefixes can be used beside these note prefixes.

    Raises:
        PrefixError: there is no prefix, or no reply could begin with one of them.
    """
    require_sendable_prefixes(setting)
    if not words_of(setting):
        raise PrefixError("there is no word in it; --replies alerts keeps all posts in the team")
    for word in setting.split():
        text = f"{word} x"
        reading = Reading.of(text)
        if notes.matches(text, reading) or leading_mentions(text, reading):
            raise PrefixError(f"{word}: what begins like this is a note; choose another word")
        if ReplyPrefixes.parse(word).rest(reading) != "x":
            raise PrefixError(
                f"{word}: Mattermost shows it as something else; choose a word such as reply:"
            )
