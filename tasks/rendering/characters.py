"""The characters of a text: which are kept, which are dropped, how a piece is shortened."""

import re

import regex

# Zero width space. It is no whitespace and no punctuation to any of the three parsers that
# read a post (web client, mobile app, server), so it separates without being seen.
ZWSP = "\u200b"

# U+FFFD stands for what cannot be sent: a lone surrogate has no UTF-8 form, and the
# request with the whole message would fail on it.
REPLACEMENT = "\ufffd"

# C0 (but tab and newline), DEL and C1: Mattermost answers 500 to a NUL, and the others show
# nothing. The bidirectional embeddings, overrides and isolates go too: they make text, links
# and file names read differently from what they are, and one left open would turn around the
# rest of the line. The harmless marks (U+200E, U+200F, U+061C) that Hebrew and Arabic text
# needs are kept.
_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDING = re.compile("\r\n?")
# U+FEFF is whitespace to JavaScript, and "**" beside whitespace does not make bold.
_WHITESPACE = re.compile(r"[\s\ufeff]+")
_GRAPHEME = regex.compile(r"\X")


def clean(text: str) -> str:
    """Return the text with plain newlines and without control characters.

    Cleaning comes before everything else: a character dropped later could bring two
    others together that mean something side by side.
    """
    text = _LINE_ENDING.sub("\n", text)
    return _SURROGATE.sub(REPLACEMENT, _DROPPED.sub("", text))


def one_line(text: str, *, limit: int) -> str:
    """Return the cleaned text on one line, of at most ``limit`` code points ("…" included)."""
    return shorten(_WHITESPACE.sub(" ", clean(text)).strip(), limit=limit)


def shorten(text: str, *, limit: int) -> str:
    """Return the text, or as many whole graphemes of it as fit before a final "…"."""
    if len(text) <= limit:
        return text
    end = 0
    for grapheme in _GRAPHEME.finditer(text, 0, limit):
        if grapheme.end() < limit:
            end = grapheme.end()
    return text[:end].rstrip() + "…"
