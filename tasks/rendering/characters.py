"""Clean texts of characters that Mattermost cannot take or show, and shorten them."""

import re

import regex

# Zero width space, which separates characters and stays invisible. Three parsers read a post: web
# client, mobile app and server. None of them treats this character as whitespace or punctuation.
ZWSP = "\u200b"

# U+FFFD replaces a lone surrogate, which has no UTF-8 form: the request with the whole message
# would fail.
REPLACEMENT = "\ufffd"

# C0 (except tab and newline), DEL and C1: Mattermost answers 500 to a NUL, and the others are
# invisible. The bidirectional embeddings, overrides and isolates are dropped too. They make text,
# links and file names look different from what they are, and an open one reverses the rest of the
# line. The harmless marks (U+200E, U+200F, U+061C) that Hebrew and Arabic text needs are kept.
_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDING = re.compile("\r\n?")
# JavaScript treats U+FEFF as whitespace, and "**" next to whitespace does not make bold text.
_WHITESPACE = re.compile(r"[\s\ufeff]+")
_GRAPHEME = regex.compile(r"\X")


def clean(text: str) -> str:
    """Return the text with plain newlines and without control characters.

    Clean a text before anything else is done to it: a character that is dropped later could bring
    together two others that form a sign.
    """
    text = _LINE_ENDING.sub("\n", text)
    return _SURROGATE.sub(REPLACEMENT, _DROPPED.sub("", text))


def one_line(text: str, *, limit: int) -> str:
    """Return the cleaned text on one line, of at most ``limit`` code points ("…" included)."""
    return shorten(_WHITESPACE.sub(" ", clean(text)).strip(), limit=limit)


def shorten(text: str, *, limit: int) -> str:
    """Return the text, cut after a whole grapheme and ended by "…" if it exceeds ``limit``."""
    if len(text) <= limit:
        return text
    end = 0
    for grapheme in _GRAPHEME.finditer(text, 0, limit):
        if grapheme.end() < limit:
            end = grapheme.end()
    return text[:end].rstrip() + "…"
