"""A text with the replacements that turn it into Markdown."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

# A replacement: start, end, and the text that replaces the source between them. It is a plain
# tuple, because a text of a million backslashes needs a million replacements.
Replacement = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Replacements:
    """The source and its replacements, in order. No replacement shortens the text.

    The written length of any slice is known without writing the slice. So a long text can be split
    in linear time.
    """

    source: str
    starts: list[int]
    ends: list[int]
    texts: list[str]
    # growth[i]: how many characters the first i replacements add to the text.
    growth: list[int]

    @classmethod
    def of(cls, source: str, replacements: Iterable[Replacement]) -> Self:
        """Return the source with these replacements, which must not overlap."""
        listed = list(replacements)
        growth = accumulate((len(text) - (end - start) for start, end, text in listed), initial=0)
        return cls(
            source,
            [start for start, _, _ in listed],
            [end for _, end, _ in listed],
            [text for _, _, text in listed],
            list(growth),
        )

    def length(self, start: int, end: int) -> int:
        """Return the length of the written slice."""
        low, high = bisect_left(self.starts, start), bisect_left(self.starts, end)
        return end - start + self.growth[high] - self.growth[low]

    def write(self, start: int, end: int) -> str:
        """Return the slice with its replacements applied."""
        low, high = bisect_left(self.starts, start), bisect_left(self.starts, end)
        pieces: list[str] = []
        position = start
        for index in range(low, high):
            pieces.append(self.source[position : self.starts[index]])
            pieces.append(self.texts[index])
            position = self.ends[index]
        pieces.append(self.source[position:end])
        return "".join(pieces)

    def can_cut_at(self, position: int) -> bool:
        """Return whether a cut at this position leaves every replacement whole."""
        index = bisect_left(self.starts, position) - 1
        return index < 0 or self.ends[index] <= position

    def begins_at(self, position: int) -> bool:
        """Return whether a replacement begins at this position."""
        index = bisect_left(self.starts, position)
        return index < len(self.starts) and self.starts[index] == position
