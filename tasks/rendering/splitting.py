"""Split a text that is too long for one post, at sensible places."""

from typing import NamedTuple, Protocol

import regex

_GRAPHEME = regex.compile(r"\X")
# The places from best to worst: after a paragraph, a line, a sentence, a word. The patterns search
# backwards, so that they find the last place in the window first.
_WORD = regex.compile(r"(?r)\s")
_PLACES = (
    regex.compile(r"(?r)\n[^\S\n]*\n"),
    regex.compile(r"(?r)\n"),
    regex.compile(r"""(?r)[.!?…][)\]"'”’]{0,3}\s|[。！？]"""),
    _WORD,
)
# Only the second half of a slice is searched: a cut in the first half would waste half of the post.
_WINDOW = 2
# How many places of one kind are tried before the next kind. Almost always the first place works.
# The limit bounds the time for a text that was made to have none.
_MAX_TRIES = 8


class Sliceable(Protocol):
    """A text whose slices can each be written as Markdown."""

    @property
    def source(self) -> str:
        """The text that is split."""

    def length(self, start: int, end: int) -> int:
        """Return an upper bound of the written slice's length, which grows with the slice."""

    def can_cut_at(self, position: int) -> bool:
        """Return whether a cut here damages nothing."""


class Slice(NamedTuple):
    """A piece of a text, from ``start`` to before ``end``."""

    start: int
    end: int


def split(text: Sliceable, *, budget: int) -> list[Slice]:
    """Return the slices of the text, each of at most ``budget`` characters when written.

    The joined slices are the whole text. No grapheme is cut, unless the grapheme is longer than
    the budget.
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
    """Return the last end with which the slice fits; a slice has at least one character."""
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
        # The last character and the next may be one grapheme, as a space with an accent. It is
        # enough to look from that character on: no mark joins a separator to the text before it.
        grapheme = _GRAPHEME.match(text.source, place - 1)
        if text.can_cut_at(place) and grapheme is not None and grapheme.end() == place:
            return place
        end = place - 1
    return None


def _between_graphemes(text: Sliceable, start: int, end: int) -> int:
    """Return the last boundary between graphemes at which a cut is allowed."""
    # One character more than fits shows whether a boundary is at the very end.
    graphemes = _GRAPHEME.finditer(text.source, start, end + 1)
    boundaries = [grapheme.end() for grapheme in graphemes]
    for place in reversed(boundaries):
        if place <= end and text.can_cut_at(place):
            return place
    # A single grapheme fills the post, so it has to be cut, but not through an escape.
    return next((place for place in range(end, start, -1) if text.can_cut_at(place)), end)
