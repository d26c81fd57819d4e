"""Rows for people: a table if it fits the terminal's width, else one block for each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

# The last column holds sentences, which need this width: less makes a column of single words.
READABLE = 36
_GAP = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Headings, and rows of cells; None becomes a dash."""

    headings: Sequence[str]
    cells: Sequence[Sequence[Text]]

    def shown(self, console: Console) -> Iterable[RenderableType]:
        """Return what to print on a console of this width."""
        if self._fits(console.width):
            return [_table(self.headings, self.cells)]
        return self._blocks()

    def _fits(self, width: int) -> bool:
        """Return whether each cell fits on one line, except those of the last column."""
        widest = [max(map(_width, column)) for column in zip(*self._lines(), strict=True)]
        others = sum(widest[:-1]) + _GAP * (len(widest) - 1)
        return others + min(widest[-1], READABLE) <= width

    def _lines(self) -> list[Sequence[Text]]:
        return [[Text(heading) for heading in self.headings], *self.cells]

    def _blocks(self) -> Iterable[RenderableType]:
        """Yield each row as lines of heading and cell, without the empty cells."""
        for row in self.cells:
            named = zip(self.headings, row, strict=True)
            filled = [(Text(name), cell) for name, cell in named if cell.plain not in {"", "-"}]
            yield _table(("", ""), filled)
            yield Text()


def table(headings: Sequence[str], cells: Iterable[Sequence[object]]) -> Rows:
    """Return these headings and cells as rows."""
    return Rows(headings, [[_cell(each) for each in row] for row in cells])


def _cell(value: object) -> Text:
    return value if isinstance(value, Text) else Text(cell_text(value))


def _width(cell: Text) -> int:
    return max((cell_len(line) for line in cell.plain.split("\n")), default=0)


def _table(headings: Sequence[str], cells: Iterable[Sequence[Text]]) -> Table:
    made = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0),
        show_header=any(headings),
    )  # fmt: skip
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in cells:
        made.add_row(*row)
    return made


def cell_text(value: object) -> str:
    """Return a value as text for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    return str(value)
