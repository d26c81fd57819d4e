"""Parse the setting that names the members who are mentioned on a conversation's root post.

Mattermost notifies only the members who follow a thread of its replies. A mention on the root post
makes a member follow the thread. A bot has no other way to do this.
"""

from __future__ import annotations

import re

from models.licence import HANDLE_LENGTH

CHANNEL = "@channel"
# Each name takes room on every root post, and `doctor` looks it up. For more members there is
# @channel.
MAX_MEMBERS = 10
# What Mattermost 6.7 to 11 accept as a username. None of these characters needs an escape.
_USER_NAME = re.compile(rf"[a-z0-9._-]{{1,{HANDLE_LENGTH}}}")
# @all is another word for @channel. @here does not reach a member who is away, and so does not make
# this member follow the thread.
_OTHER_GROUPS = frozenset({"@all", "@here"})


class MentionError(ValueError):
    """The setting is invalid. The message names the word, and what to write instead."""


def parse_mention(setting: str) -> str:
    """Return the mention as it is stored and drawn: ``@anna @bert``, ``@channel``, or "".

    Names are separated by spaces or commas, with or without ``@``. Each name is stored once.

    Raises:
        MentionError: a word cannot be a username, or there are too many.
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
    """Return the usernames in a stored mention, without ``@``; none for ``@channel``."""
    return tuple(word.removeprefix("@") for word in mention.split() if word != CHANNEL)
