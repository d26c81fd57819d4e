"""Reply prefixes: in mode ``explicit`` the words with which a post is for the visitor.

In doubt a post is a note, so nothing is passed over here: the prefix is the first thing that a
person reads. In front of it a quote, a name, an emoji or a bullet leaves the post to the team, and
so does code. ``**Reply:** x`` reads as it should, and is a reply.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from tasks.replies.notes import MAX_SETTINGS, NotePrefixes, leading_mentions
from tasks.replies.plain_text import Reading
from tasks.replies.prefixes import PrefixError, check_typed, end_of_prefix, words_of


@dataclass(frozen=True, slots=True)
class ReplyPrefixes:
    """The words of a licence with which a reply to the visitor begins."""

    _prefixes: tuple[str, ...]

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Return the prefixes of a setting, which are separated by spaces."""
        return cls(words_of(setting))

    def rest(self, reading: Reading) -> str | None:
        """Return what is read behind the prefix; None: the text does not begin with one."""
        # What begins with code or a quote reads like a prefix, and is none.
        if end_of_prefix(reading.opening, 0, self._prefixes) is None:
            return None
        end = end_of_prefix(reading.text, 0, self._prefixes)
        return None if end is None else reading.text[end:].strip()


@lru_cache(maxsize=MAX_SETTINGS)
def reply_prefixes_of(setting: str) -> ReplyPrefixes:
    """Return the prefixes of a setting, which is parsed once."""
    return ReplyPrefixes.parse(setting)


def check_reply_prefixes(setting: str, *, notes: NotePrefixes) -> None:
    """Return whether a setting can be used, beside the words with which a note begins.

    Raises:
        PrefixError: there is no prefix, or one of them would begin no reply; says which, and why.
    """
    check_typed(setting)
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
