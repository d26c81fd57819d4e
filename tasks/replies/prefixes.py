"""The prefixes of notes and replies: find them as a person reads them, and check settings of them.

Letters may be capital or wide, invisible characters are ignored, and blanks may stand before a
colon: ``NOTE :`` is ``note:``.
"""

import unicodedata
from collections.abc import Iterator, Sequence

from tasks.replies.leads import is_picture

# A client takes a text with this start for a command, and does not send it.
REFUSED_STARTS = ("/", "!")
# Unicode calls these letters, but they are drawn as a blank and so would hide a prefix.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"})
# Marks of Markdown that may stand between a prefix's word and its signs.
_MARKS = frozenset("\\*_~")
# Characters that look like a colon.
_COLONS = str.maketrans("\u2236\ua789\u02d0\u0589", "::::")


class PrefixError(ValueError):
    """A prefix cannot be used in Mattermost; the message names it and the reason."""


def words_of(setting: str) -> tuple[str, ...]:
    """Return the prefixes of a setting, which are separated by spaces, each ``folded``."""
    return tuple(filter(None, map(folded, setting.split())))


def require_sendable_prefixes(setting: str) -> None:
    """Require that clients send texts with these prefixes.

    Raises:
        PrefixError: clients take one of the prefixes for a command.
    """
    for word in setting.split():
        if folded(word).startswith(REFUSED_STARTS):
            raise PrefixError(
                f"{word}: Mattermost's clients take a message that begins with "
                f"{' or '.join(REFUSED_STARTS)} for a command; choose a word such as note:"
            )


def end_of_prefix(text: str, position: int, prefixes: Sequence[str]) -> int | None:
    """Return where the prefix at the position ends; None: no prefix stands there."""
    ends = (_prefix_end(text, position, prefix) for prefix in prefixes)
    return next((end for end in ends if end is not None), None)


def _prefix_end(text: str, position: int, prefix: str) -> int | None:
    """Return where this folded prefix ends, if it stands at the position; None: it does not.

    Blanks and marks of Markdown may stand before its signs ("note :", "**note**:"). If it ends with
    a letter, the word must end there too ("note" does not match "notebook").
    """
    done = 0
    for end, seen in _folded_from(text, position):
        if done == len(prefix):
            return None if prefix[-1].isalnum() and seen[0].isalnum() else position
        if prefix.startswith(seen, done):
            done += len(seen)
            position = end
        elif not (done and _may_be_apart(prefix, done) and (seen.isspace() or seen in _MARKS)):
            return None
    return position if done == len(prefix) else None


def _may_be_apart(prefix: str, position: int) -> bool:
    return prefix[position - 1].isalnum() and not prefix[position].isalnum()


def _folded_from(text: str, position: int) -> Iterator[tuple[int, str]]:
    """Yield the visible characters from the position on: where each ends, and its folded form."""
    while position < len(text):
        end = position + 1
        while end < len(text) and unicodedata.category(text[end]) in ("Mn", "Me"):
            end += 1
        seen = folded(text[position:end])
        if seen:
            yield end, seen
        position = end


def folded(text: str) -> str:
    """Return the text in small letters, without invisible characters, with wide signs as plain."""
    plain = "".join(map(_plain, unicodedata.normalize("NFC", text)))
    return "".join(filter(is_seen, plain.translate(_COLONS))).casefold()


def _plain(char: str) -> str:
    return char if is_picture(char) else unicodedata.normalize("NFKC", char)


def is_seen(char: str) -> bool:
    """Return whether the character is drawn, or is a blank."""
    return char.isspace() or (
        unicodedata.category(char) not in _UNSEEN and char not in _BLANK_LETTERS
    )
