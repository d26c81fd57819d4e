"""A text too long for one message, cut at sensible places."""

from typing import NamedTuple, Protocol

import regex

_GRAPHEME = regex.compile(r"\X")
# From the most sensible place to the least: after a paragraph, a line, a sentence, a word.
# They search backwards, so that the last one in the window is found first.
_WORD = regex.compile(r"(?r)\s")
_PLACES = (
    regex.compile(r"(?r)\n[^\S\n]*\n"),
    regex.compile(r"(?r)\n"),
    regex.compile(r"""(?r)[.!?…][)\]"'”’]{0,3}\s|[。！？]"""),
    _WORD,
)
# A place in the first half of the window would waste more than half of the message.
_WINDOW = 2
# This many places of one kind are tried before the next kind is; almost always the first one
# will do, and a text made to have none must not cost more than reading it.
_MAX_TRIES = 8


class Sliceable(Protocol):
    """A text of which any slice can be written as Markdown."""

    @property
    def source(self) -> str:
        """The text that is cut."""

    def length(self, start: int, end: int) -> int:
        """Return an upper bound of the slice's length when written; it grows with the slice."""

    def separable(self, position: int) -> bool:
        """Return whether a cut here damages nothing."""


class Slice(NamedTuple):
    """A piece of a text, from ``start`` to before ``end``."""

    start: int
    end: int


def split(text: Sliceable, *, budget: int) -> list[Slice]:
    """Return the slices of the text, each of which is at most ``budget`` long when written.

    Joined they are the text. No grapheme is cut, unless it is longer than the budget itself.
    """
    slices: list[Slice] = []
    start = 0
    while start < len(text.source):
        end = _farthest(text, start, budget)
        if end < len(text.source):
            end = _place(text, start, end)
        slices.append(Slice(start, end))
        start = end
    return slices


def _farthest(text: Sliceable, start: int, budget: int) -> int:
    """Return the last end with which the slice fits; at least one character is taken."""
    low, high = start + 1, max(start + 1, min(len(text.source), start + budget))
    while low < high:
        middle = (low + high + 1) // 2
        if text.length(start, middle) <= budget:
            low = middle
        else:
            high = middle - 1
    return low


def _place(text: Sliceable, start: int, end: int) -> int:
    """Return the most sensible place to cut, after ``start`` and not after ``end``."""
    half = start + (end - start) // _WINDOW
    for pattern in _PLACES:
        if place := _last(text, pattern, half, end):
            return place
    return _last(text, _WORD, start, half) or _between_graphemes(text, start, end)


def _last(text: Sliceable, pattern: "regex.Pattern[str]", start: int, end: int) -> int | None:
    """Return the end of the last match at which a cut is allowed."""
    for _ in range(_MAX_TRIES):
        match = pattern.search(text.source, start, end)
        if match is None:
            return None
        place = match.end()
        # Whether the last character and what follows are one grapheme (a space with an accent)
        # can be told from that character on: no mark joins a separator to what is before it.
        grapheme = _GRAPHEME.match(text.source, place - 1)
        if text.separable(place) and grapheme is not None and grapheme.end() == place:
            return place
        end = place - 1
    return None


def _between_graphemes(text: Sliceable, start: int, end: int) -> int:
    """Return the last boundary between graphemes at which a cut is allowed."""
    # One character more than fits shows whether there is a boundary at the very end.
    graphemes = _GRAPHEME.finditer(text.source, start, end + 1)
    boundaries = [grapheme.end() for grapheme in graphemes]
    for place in reversed(boundaries):
        if place <= end and text.separable(place):
            return place
    # A single grapheme fills the message: only now is it cut, not through an escape.
    return next((place for place in range(end, start, -1) if text.separable(place)), end)
