"""Ids and times as Mattermost makes them."""

import re
import secrets
import time

# Mattermost spells the bits of a random UUID in this base-32 alphabet.
_ALPHABET = b"ybndrfg8ejkmcpqxot1uwisza345h769"
_ID_LENGTH = 26
# Each of the 256 bytes stands for one letter; 256 is a multiple of 32, so none is favoured.
_LETTER_OF_BYTE = _ALPHABET * (256 // len(_ALPHABET))

# The server checks no more than this of an id that it is given.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9]{26}")


def new_id() -> str:
    """A fresh 26-character id, also used for tokens."""
    return secrets.token_bytes(_ID_LENGTH).translate(_LETTER_OF_BYTE).decode()


def is_id(text: str) -> bool:
    """Whether the server would take the text for an id."""
    return _ACCEPTED_ID.fullmatch(text) is not None


def now_ms() -> int:
    """The present as Mattermost counts it: whole milliseconds since 1970."""
    return time.time_ns() // 1_000_000
