"""Angle brackets in a text: around an address, or as an HTML tag, which stays as it was typed."""

import re
from dataclasses import dataclass, field
from typing import Final

# No person writes a value in quotation marks that is longer than 1,000 characters.
_TAG: Final = re.compile(
    r"""
      </[A-Za-z][\w:-]*+\s*+>
    | <[A-Za-z][\w-]*+
        (?:\s++[A-Za-z_:][\w.:-]*+
            (?:\s*+=\s*+(?:"[^"]{0,1000}+"|'[^']{0,1000}+'|[^\s"'=<>`]++))?+)*+
        \s*+/?>
    """,
    re.VERBOSE | re.ASCII,
)
# The beginning of each kind of block, and its end.
_BLOCKS: Final = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>"}
_DECLARATION: Final = re.compile(r"<![a-zA-Z]++\s")
_ADDRESS: Final = re.compile(r".@|.:/|www\d{0,3}\.", re.DOTALL)


@dataclass(slots=True)
class Tags:
    """The angle brackets of a text; a caller asks for them from left to right."""

    _source: str
    _next: dict[str, int] = field(default_factory=dict)

    def address(self, position: int, end: int) -> str | None:
        """Return the address in the brackets that open at the position; None: there is none."""
        close = self._find(">", position)
        blank = min(self._find(" ", position), self._find("\t", position))
        if not position + 2 < close < end or blank < close:
            return None
        inside = self._source[position + 1 : close]
        found = _ADDRESS.search(inside)
        return inside if found is not None and found.end() < len(inside) else None

    def end(self, position: int, end: int) -> int | None:
        """Return where the tag that opens at the position ends; None: no tag opens there."""
        tag = _TAG.match(self._source, position, end)
        if tag is not None:
            return tag.end()
        for begin, close in self._blocks(position, end):
            place = self._find(close, position + len(begin))
            if place + len(close) <= end:
                return place + len(close)
        return None

    def _blocks(self, position: int, end: int) -> list[tuple[str, str]]:
        found = [pair for pair in _BLOCKS.items() if self._source.startswith(pair[0], position)]
        declaration = _DECLARATION.match(self._source, position, end)
        return [*found, (declaration[0], ">")] if declaration else found

    def _find(self, sign: str, position: int) -> int:
        """Return where the sign comes next; a place behind the text if it does not."""
        found = self._next.get(sign, -1)
        if found < position:
            found = self._source.find(sign, position)
            self._next[sign] = found if found >= 0 else 2 * len(self._source)
        return self._next[sign]
