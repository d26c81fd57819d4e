"""Ids and times as Mattermost makes them."""

import re
import secrets
import time

# Mattermost encodes a random UUID in this base-32 alphabet.
_ALPHABET = b"ybndrfg8ejkmcpqxot1uwisza345h769"
_ID_LENGTH = 26
# Each byte value stands for one letter. 256 is a multiple of 32, so all letters are equally likely.
_LETTER_OF_BYTE = _ALPHABET * (256 // len(_ALPHABET))

# The server checks only this pattern of an id.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9]{26}")


def new_id() -> str:
    """Return a new id of 26 characters; tokens are made the same way."""
    return secrets.token_bytes(_ID_LENGTH).translate(_LETTER_OF_BYTE).decode()


def is_id(text: str) -> bool:
    """Return whether the server would accept the text as an id."""
    return _ACCEPTED_ID.fullmatch(text) is not None


def now_ms() -> int:
    """Return the current time as Mattermost counts it: whole milliseconds since 1970."""
    return time.time_ns() // 1_000_000
