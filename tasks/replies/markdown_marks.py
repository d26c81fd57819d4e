"""Find the closing marks of Markdown's emphasis where the web client's patterns find them.

The client tries its patterns one after the other, and takes the first place that fits, whatever
stands in between. Here all places are noted once, so no search reads the text again.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

_RUN: Final = re.compile(r"\*+|_+|~~+")
# After a closing underscore the client wants one of these, a blank, or the end.
_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[^_{|}~")
# The client does not take a star for the beginning of slanted text right before one of these.
_AFTER_STAR: Final = frozenset('"<')


class Marked(NamedTuple):
    """A text between marks: where the text begins and ends, and where its closing mark ends."""

    start: int
    end: int
    after: int


def is_blank(char: str) -> bool:
    """Return whether the client takes the character, or no character at all, for a blank."""
    return not char or char.isspace() or char == "\ufeff"


@dataclass(frozen=True, slots=True)
class Marks:
    """The places of a text at which marks may close a marked text.

    ``_ends`` has the places in order, by kind. Two marks close bold text. One mark closes slanted
    text: by the pattern ``loose`` also right behind another mark, by ``strict`` not. ``_lone`` has
    the places of marks that mark nothing.
    """

    _source: str
    _ends: dict[str, list[int]]
    _lone: frozenset[int]

    @classmethod
    def of(cls, source: str, *, is_in_address: Callable[[int], bool]) -> Self:
        """Return the marks of the text; in an address, nothing is a mark."""
        ends: defaultdict[str, list[int]] = defaultdict(list)
        lone: set[int] = set()
        for run in _RUN.finditer(source):
            if is_in_address(run.start()) or _is_between_digits(source, run):
                lone.update(range(*run.span()))
                continue
            for kind, place in _ends_of(source, run):
                ends[kind].append(place)
        return cls(source, ends, frozenset(lone))

    def bold(self, position: int, end: int) -> Marked | None:
        """Return the text that two marks at the position make bold; None: there is none."""
        mark = self._source[position] * 2
        if position in self._lone or not self._source.startswith(mark, position, end):
            return None
        return self._marked(mark, mark, position, end)

    def struck(self, position: int, end: int) -> Marked | None:
        """Return the text that the tildes at the position strike out; None: there is none."""
        if is_blank(self._source[position + 2 : position + 3]):
            return None
        return self._marked("~~", "~~", position, end)

    def slanted(self, position: int, end: int) -> Marked | None:
        """Return the text that the mark at the position makes slanted; None: there is none."""
        source, mark = self._source, self._source[position]
        first = source[position + 1 : end][:1]
        if position in self._lone or is_blank(first) or (mark == "*" and first in _AFTER_STAR):
            return None
        if first != mark and self._ends_single(mark, position + 2, end):
            return Marked(position + 1, position + 2, position + 3)
        found = self._marked(mark + "strict", mark, position, end)
        if found is None and first != mark:
            found = self._marked(mark + "loose", mark, position, end)
        return found

    def _ends_single(self, mark: str, place: int, end: int) -> bool:
        """Return whether a mark at the place closes a text of one character."""
        following = self._source[place : min(place + 2, end)]
        return following[:1] == mark and following[1:] != mark and place not in self._lone

    def _marked(self, kind: str, mark: str, position: int, end: int) -> Marked | None:
        """Return the text up to the first closing place of this kind, of one character at least."""
        size = len(mark)
        least = position + (3 if size == 1 else size + 1)
        places = self._ends.get(kind, [])
        index = bisect_left(places, least)
        place = places[index] if index < len(places) else end
        if place + size > end:
            place = end - size
            if place < least or not self._ends_at_the_end(kind, mark, place):
                return None
        return Marked(position + size, place, place + size)

    def _ends_at_the_end(self, kind: str, mark: str, place: int) -> bool:
        """Return whether a mark closes a text when an outer text's end cuts its run in two."""
        source = self._source
        if not source.startswith(mark, place) or place in self._lone or mark == "~~":
            return False
        before = source[place - 1]
        if len(mark) == 2:
            return True
        return not is_blank(before) and (kind.endswith("loose") or before != mark)


def _is_between_digits(source: str, run: re.Match[str]) -> bool:
    """Return whether the run stands between digits, which would be another number without it."""
    start, end = run.span()
    return source[start - 1 : start].isdigit() and source[end : end + 1].isdigit()


def _ends_of(source: str, run: re.Match[str]) -> Iterator[tuple[str, int]]:
    """Yield the kinds of text that a run of marks may close, each with the place."""
    (start, end), mark = run.span(), run[0][0]
    is_apart = is_blank(source[start - 1 : start]) if start else True
    if mark == "~":
        yield from (("~~", place) for place in range(start + is_apart, end - 1))
        return
    if end - start > 1:
        yield mark * 2, end - 2
    after = source[end : end + 1]
    if mark == "_" and not (is_blank(after) or after in _PUNCTUATION):
        return
    if end - start > 1:
        yield mark + "loose", end - 1
    elif not is_apart:
        yield mark + "strict", start
        yield mark + "loose", start


def backticks(source: str) -> dict[int, list[int]]:
    """Return the ends of all runs of backticks, by the run's length, the last end first."""
    ends: defaultdict[int, list[int]] = defaultdict(list)
    for run in re.finditer("`+", source):
        ends[len(run[0])].append(run.end())
    for found in ends.values():
        found.reverse()
    return ends
