"""Who is mentioned on a conversation's root, as an operator writes it.

Mattermost tells only those of a thread's replies who follow it. A name on the root makes its
member follow, and nothing else that a bot may do does.
"""

from __future__ import annotations

import re

from models.licence import HANDLE_LENGTH

CHANNEL = "@channel"
# Each name takes its place on every root, and is looked up by doctor; for more there is @channel.
MAX_MEMBERS = 10
# What Mattermost 6.7 to 11 take for a user name; all of these signs are typed as they are.
_USER_NAME = re.compile(rf"[a-z0-9._-]{{1,{HANDLE_LENGTH}}}")
# @all is another word for @channel. @here reaches no member who is away, who then never follows.
_OTHER_GROUPS = frozenset({"@all", "@here"})


class MentionError(ValueError):
    """The setting names no member; says which word, and what to write."""


def parse_mention(setting: str) -> str:
    """Return the mention as it is stored and drawn: ``@anna @bert``, ``@channel``, or nothing.

    Names are separated by blanks or commas, with or without ``@``; each is stored once.

    Raises:
        MentionError: a word cannot be a member's user name, or there are too many.
    """
    words = re.split(r"[\s,]+", setting.strip(" \t\n,"))
    found = list(dict.fromkeys("@" + word.removeprefix("@").lower() for word in words if word))
    if CHANNEL in found and len(found) > 1:
        raise MentionError(f"{CHANNEL} already reaches every member: give it alone")
    if len(found) > MAX_MEMBERS:
        raise MentionError(f"at most {MAX_MEMBERS} members; {CHANNEL} reaches all of the channel")
    for word in found:
        _check(word)
    return " ".join(found)


def _check(word: str) -> None:
    if word in _OTHER_GROUPS:
        raise MentionError(f"{word}: give the members' user names, or {CHANNEL}")
    if not _USER_NAME.fullmatch(word.removeprefix("@")):
        raise MentionError(
            f"{word!r} is no user name of Mattermost: letters without accents, digits and . - _, "
            f"at most {HANDLE_LENGTH}"
        )


def mentioned_members(mention: str) -> tuple[str, ...]:
    """Return the user names in a stored mention, without ``@``; none for ``@channel``."""
    return tuple(word.removeprefix("@") for word in mention.split() if word != CHANNEL)
