"""Words with which a post says for whom it is: read as a person reads them, and checked.

Letters may be capital or wide, what is not seen is passed over, and blanks may stand before a
colon: ``NOTE :`` is ``note:``.
"""

import unicodedata
from collections.abc import Iterator, Sequence

from tasks.replies.leads import is_picture

# What a client takes for a command, or for the start of one, and does not send.
REFUSED_STARTS = ("/", "!")
# Letters by Unicode's book that are drawn as a blank, and so hide a prefix behind them.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"})
# What a word of the prefix may be closed with, before the prefix's own signs.
_MARKS = frozenset("\\*_~")
# What looks like a colon.
_COLONS = str.maketrans("\u2236\ua789\u02d0\u0589", "::::")


class PrefixError(ValueError):
    """A prefix that could not be used in Mattermost; says which, and why."""


def words_of(setting: str) -> tuple[str, ...]:
    """Return the prefixes of a setting, folded; they are separated by spaces."""
    return tuple(filter(None, map(folded, setting.split())))


def check_typed(setting: str) -> None:
    """Return whether a client sends what begins with these prefixes.

    Raises:
        PrefixError: one of them begins with what a client takes for a command.
    """
    for word in setting.split():
        if folded(word).startswith(REFUSED_STARTS):
            raise PrefixError(
                f"{word}: Mattermost's clients take a message that begins with "
                f"{' or '.join(REFUSED_STARTS)} for a command; choose a word such as note:"
            )


def end_of_prefix(text: str, position: int, prefixes: Sequence[str]) -> int | None:
    """Return where the prefix ends that stands at the position; None: none does."""
    ends = (_prefix_end(text, position, prefix) for prefix in prefixes)
    return next((end for end in ends if end is not None), None)


def _prefix_end(text: str, position: int, prefix: str) -> int | None:
    """Return where a folded prefix ends that stands at the position; None: it does not.

    Blanks and marks of Markdown may stand before its signs ("note :", "**note**:"), and a letter
    at its end ends a word ("note" is not the beginning of "notebook").
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
    """Yield the characters that are seen from a position on, folded, each with where it ends."""
    while position < len(text):
        end = position + 1
        while end < len(text) and unicodedata.category(text[end]) in ("Mn", "Me"):
            end += 1
        seen = folded(text[position:end])
        if seen:
            yield end, seen
        position = end


def folded(text: str) -> str:
    """Return the text in small letters, without what is not seen, and with plain signs for wide."""
    plain = "".join(map(_plain, unicodedata.normalize("NFC", text)))
    return "".join(filter(is_seen, plain.translate(_COLONS))).casefold()


def _plain(char: str) -> str:
    return char if is_picture(char) else unicodedata.normalize("NFKC", char)


def is_seen(char: str) -> bool:
    """Return whether a person sees the character, or a blank in its place."""
    return char.isspace() or (
        unicodedata.category(char) not in _UNSEEN and char not in _BLANK_LETTERS
    )
