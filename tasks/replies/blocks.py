"""Read a team member's Markdown line by line, and remove the marks of its blocks.

The marks of lists and quotes stay as they were typed, since a star or a dash before a number may
have a meaning. The marks of headings, code blocks and tables are removed. Nothing here recurses, so
quotes and lists may have any depth. Where the clients differ, the web client's reading is taken.
"""

import re
from dataclasses import dataclass, field

from tasks.replies.spans import Spans, without_marks

_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r" *(?:[*+-]|\d{1,9}\.)(?: +|$)")
_RULE = re.compile(r"(?: *[-*_]){3,} *$")
_HEADING = re.compile(r" {0,3}#{1,6} +(?=\S)")
_AFTER_HEADING = re.compile(r" +#+ *$")
_UNDERLINE = re.compile(r" {0,3}[=-]{2,} *$")
_FENCE = re.compile(r"(?P<indent> *)(?P<marks>`{3,}|~{3,})(?P<info>[^`~]*)$")
# The patterns of a table's first row and the row below it: without a left edge, and with one.
_TABLE = re.compile(r" *\S.*\|"), re.compile(r" *[-:]+ *\|[-| :]*$")
_TABLE_WITH_EDGE = re.compile(r" *\|."), re.compile(r" *\| *[-:]+[-| :]*$")
_CELL_END = re.compile(r"(?<!\\)\|")
_INDENTED = 4


@dataclass(frozen=True, slots=True)
class _Line:
    """A line: the marks of its quotes, those of its lists, and its text."""

    quotes: str
    items: str
    text: str

    @classmethod
    def of(cls, line: str) -> "_Line":
        """Return the parts of the line."""
        start = 0
        while mark := _QUOTE.match(line, start):
            start = mark.end()
        end, only_marks = start, len(line.rstrip(" -*_"))
        while mark := _ITEM.match(line, end):
            if end >= only_marks and _RULE.match(line, end):
                break
            end = mark.end()
        return cls(line[:start], line[start:end], line[end:])

    @property
    def start(self) -> str:
        """The marks in front of the text."""
        return self.quotes + self.items


@dataclass(slots=True)
class _Paragraph:
    """Lines that are read as one text, so that marks in one line may close in a later one."""

    quotes: str
    start: str
    text: list[str]
    is_item: bool
    line_starts: dict[int, str] = field(default_factory=dict)
    length: int = 0

    @classmethod
    def of(cls, line: _Line) -> "_Paragraph":
        """Return a paragraph that begins with this line."""
        is_item = bool(line.items and line.text)
        return cls(line.quotes, line.start, [line.text], is_item, length=len(line.text))

    def add(self, start: str, text: str) -> None:
        """Add a line: the marks in front of it, and its text."""
        self.text.append(text)
        self.length += 1
        self.line_starts[self.length] = start
        self.length += len(text)

    def read(self) -> Spans:
        """Return the paragraph without its marks."""
        return Spans.of("\n".join(self.text), line_starts=self.line_starts)


@dataclass(slots=True)
class Blocks:
    """A text without the marks of its blocks.

    ``opening`` is its first paragraph that is no quote; it is empty if that is code.
    """

    lines: list[str] = field(default_factory=list)
    opening: str | None = None
    _paragraph: _Paragraph | None = None
    _is_in_list: bool = False
    # For a fence's marks and depth of quotes: up to which line no such fence is closed.
    _unclosed: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str) -> "Blocks":
        """Return the blocks of this Markdown."""
        blocks = cls()
        blocks._read(source.split("\n"))
        blocks._end_paragraph()
        return blocks

    def _read(self, lines: list[str]) -> None:
        position = 0
        while position < len(lines):
            line = _Line.of(lines[position])
            fence = _FENCE.match(line.text)
            code = self._code_lines(lines, position + 1, line, fence) if fence else None
            if fence and code:
                position = self._read_code_block(*code, line, fence)
            elif self._paragraph is None and (
                (edge := _table_edge(lines, position, line)) is not None
            ):
                position = self._read_table(lines, position, line, edge)
            else:
                self._read_line(line)
                position += 1

    def _read_line(self, line: _Line) -> None:
        if not line.text.strip() and not line.items:
            self._read_blank(line)
        elif self._is_code(line):
            self._end_paragraph()
            code = line.items + line.text
            self._write(line.quotes, code[1 if code[0] == "\t" else _INDENTED :])
            self._note_opening("", is_quote=bool(line.quotes))
        elif self._is_underline(line):
            self._end_paragraph()
        elif _RULE.match(line.text):
            self._end_paragraph()
            self._write(line.start, line.text)
        elif heading := _HEADING.match(line.text):
            self._end_paragraph()
            text = _AFTER_HEADING.sub("", line.text[heading.end() :])
            self._paragraph = _Paragraph.of(_Line(line.quotes, line.items, text))
            self._end_paragraph()
        else:
            self._read_text(line)

    def _read_blank(self, line: _Line) -> None:
        self._end_paragraph()
        quotes = line.quotes.rstrip()
        if self.lines[-1:] != [quotes]:
            self._write(quotes, "")

    def _is_code(self, line: _Line) -> bool:
        text = line.items + line.text
        indented = text.startswith((" " * _INDENTED, "\t"))
        self._is_in_list = self._is_in_list and (bool(line.items) or text[:1].isspace())
        # An indented line right under a text continues the text, unless it begins as an item does.
        is_apart = self._paragraph is None or bool(line.items)
        return indented and is_apart and not self._is_in_list

    def _is_underline(self, line: _Line) -> bool:
        paragraph = self._paragraph
        is_text = paragraph is not None and paragraph.start == paragraph.quotes
        return is_text and not line.items and bool(_UNDERLINE.match(line.text))

    def _read_text(self, line: _Line) -> None:
        paragraph = self._paragraph
        if paragraph is None or line.items or not self._goes_on(paragraph, line):
            self._end_paragraph()
            self._is_in_list = self._is_in_list or bool(line.items)
            self._paragraph = _Paragraph.of(line)
        else:
            # A line right under a quote belongs to the quote, even without its mark.
            quotes = line.quotes or ("" if paragraph.is_item else paragraph.quotes)
            text = line.text.lstrip(" \t")
            paragraph.add(quotes + line.text[: len(line.text) - len(text)], text)

    def _goes_on(self, paragraph: _Paragraph, line: _Line) -> bool:
        if paragraph.is_item:
            return line.text[:1].isspace()
        return line.quotes.count(">") in (0, paragraph.quotes.count(">"))

    def _end_paragraph(self) -> None:
        if self._paragraph is None:
            return
        spans, paragraph = self._paragraph.read(), self._paragraph
        self._paragraph = None
        text = spans.text()
        self._write(paragraph.start, text)
        opening = "" if spans.begins_with_code else text
        self._note_opening(opening, is_quote=bool(paragraph.quotes))

    def _note_opening(self, text: str, *, is_quote: bool) -> None:
        if self.opening is None and not is_quote:
            self.opening = text

    def _write(self, start: str, text: str) -> None:
        self.lines.append((start + text).rstrip())

    def _read_code_block(self, code: list[str], end: int, line: _Line, fence: re.Match[str]) -> int:
        """Write the lines of a fenced block as they are; return the position after the block."""
        self._end_paragraph()
        margin, start = len(line.items + fence["indent"]), line.start
        for text in code:
            indent = len(text) - len(text.lstrip(" "))
            self._write(start, text[min(indent, margin) :])
            start = line.quotes + " " * len(line.items)
        opening = "" if any(map(str.strip, code)) else fence["info"].strip()
        self._note_opening(opening, is_quote=bool(line.quotes))
        return end

    def _code_lines(
        self, lines: list[str], start: int, line: _Line, fence: re.Match[str]
    ) -> tuple[list[str], int] | None:
        """Return a fenced block's lines, and the position after it; None: it is not closed."""
        depth, marks = line.quotes.count(">"), fence["marks"]
        is_indented = len(fence["indent"]) >= _INDENTED and not self._is_in_list
        if is_indented or start <= self._unclosed.get((marks, depth), -1):
            return None
        code: list[str] = []
        for position in range(start, len(lines)):
            text = _unquoted(lines[position], depth)
            if text is None:
                self._unclosed[marks, depth] = position
                return None
            if _ends_fence(text, marks):
                return code, position + 1
            code.append(text)
        if lines[-1] == "" and code and not depth:
            # For the web client, a line break at the end of a post also ends the block.
            return code[:-1], len(lines)
        self._unclosed[marks, depth] = len(lines)
        return None

    def _read_table(self, lines: list[str], position: int, line: _Line, edge: str) -> int:
        """Write the rows of a table, which begin with ``edge``; return the position after them."""
        row: str | None = line.text
        while row is not None and "|" in row and row.lstrip().startswith(edge):
            cells = _CELL_END.split(_without_edges(row))
            text = " | ".join(without_marks(cell.strip()) for cell in cells)
            self._write(line.quotes, text)
            self._note_opening(text, is_quote=bool(line.quotes))
            # The row under the first one only makes the lines a table, and is skipped.
            position += 2 if row is line.text else 1
            row = (
                _unquoted(lines[position], line.quotes.count(">"))
                if position < len(lines)
                else None
            )
        return position


def _table_edge(lines: list[str], position: int, line: _Line) -> str | None:
    """Return with what each row of the table at the position begins; None: no table is there."""
    # The web client requires a line break after the second row.
    if "|" not in line.text or line.items or position + 2 >= len(lines):
        return None
    below = _unquoted(lines[position + 1], line.quotes.count(">"))
    for (first, second), edge in ((_TABLE, ""), (_TABLE_WITH_EDGE, "|")):
        if below is not None and first.match(line.text) and second.match(below):
            return edge
    return None


def _without_edges(row: str) -> str:
    text = row.strip().removeprefix("|")
    return text if text.endswith("\\|") else text.removesuffix("|")


def _unquoted(line: str, depth: int) -> str | None:
    """Return the line without the marks of ``depth`` quotes; None: it is in fewer quotes."""
    start = 0
    for _ in range(depth):
        mark = _QUOTE.match(line, start)
        if mark is None:
            return None
        start = mark.end()
    return line[start:]


def _ends_fence(text: str, marks: str) -> bool:
    text = text.strip()
    return text.startswith(marks) and not text.strip("`~")
