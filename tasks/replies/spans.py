"""The text of a paragraph without its marks, as Mattermost's web client shows it.

The client reads from left to right. At certain signs it tries its patterns in a fixed order, and
reads the text inside a match in the same way. A mark is removed if it makes a text bold, slanted or
a link; a sign that marks nothing stays. In numbers and addresses, signs stay even where the client
removes them (see ``markdown_marks`` and ``addresses``). Each character is read a limited number of
times.
"""

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tasks.replies.addresses import address_spans, url_end
from tasks.replies.destinations import find_destination, is_same, is_unsafe
from tasks.replies.emoji_codes import with_emoji
from tasks.replies.markdown_marks import Marked, Marks, backticks
from tasks.replies.tags import Tags

# In the middle of a text, the client tries its patterns at these places.
# It writes "www\d{0,3}." in a string, where the backslash is lost; so does this pattern.
_STOP: Final = re.compile(
    r"""
      [\\<!\[`*~]
    | (?<![A-Za-z0-9_])(?:_|[a-z][a-z0-9.+-]{1,31}+:|wwwd{0,3}.)
    | (?<=[^ ])\ {2,}\n
    """,
    re.VERBOSE,
)
_LONGEST_STOP: Final = 40
# The client removes a backslash only before these.
_ESCAPE: Final = re.compile(r"\\([`*{}\[\]()#+\-.!_>|~]|\\(?![A-Za-z0-9_]))")
_TICKS: Final = re.compile("`*")
_LINE_BREAK: Final = re.compile(r" {2,}\n")
_LABEL: Final = re.compile(
    r"!?\[((?:\[(?:\\.|[^\[\]\\])*+\]|\\.|`++[^`]*+`++|``++|[^\[\]\\`]++)*+)\](?=\()"
)
_ENTITY: Final = r"&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_IN_TEXT: Final = re.compile(rf"\n|{_ENTITY}")
_ENTITIES: Final = re.compile(_ENTITY)


def without_marks(text: str, *, line_starts: Mapping[int, str] | None = None) -> str:
    """Return the paragraph without its marks.

    ``line_starts`` has, by the index at which a line begins, what is written in front of the line.
    """
    return Spans.of(text, line_starts=line_starts or {}).text()


@dataclass(slots=True)
class Spans:
    """A paragraph that is cut into pieces; in a ``fixed`` piece no emoji code is replaced."""

    source: str
    line_starts: Mapping[int, str]
    begins_with_code: bool = False
    _pieces: list[str] = field(default_factory=list)
    _fixed: list[bool] = field(default_factory=list)
    _addresses: list[tuple[int, int]] = field(default_factory=list)
    _marks: Marks = field(init=False)
    _tags: Tags = field(init=False)
    _code_ends: dict[int, list[int]] = field(init=False)
    _first: int = 0

    @classmethod
    def of(cls, source: str, *, line_starts: Mapping[int, str]) -> "Spans":
        """Read the paragraph, and return its pieces."""
        spans = cls(source, line_starts)
        spans._addresses = address_spans(source)
        spans._marks = Marks.of(source, is_in_address=spans._is_in_address)
        spans._tags = Tags(source)
        spans._code_ends = backticks(source)
        spans._first = len(source) - len(source.lstrip(" "))
        spans._read(0, len(source))
        return spans

    def text(self) -> str:
        """Return the text without marks, and with emoji for their codes."""
        parts: list[str] = []
        words: list[str] = []
        for piece, is_fixed in zip(self._pieces, self._fixed, strict=True):
            if is_fixed:
                parts += [with_emoji("".join(words)), piece]
                words = []
            else:
                words.append(piece)
        return "".join([*parts, with_emoji("".join(words))])

    def _read(self, position: int, end: int, *, in_link: bool = False) -> None:
        while position < end:
            position = self._read_next(position, end, in_link=in_link)

    def _read_next(self, position: int, end: int, *, in_link: bool) -> int:
        """Read the next piece from the position; return where the piece ends."""
        sign = self.source[position]
        after = None
        if sign in "*_":
            after = self._read_marked(position, end, in_link=in_link)
        elif sign in "[!":
            after = self._read_link(position, end)
        elif sign in "\\<`~ ":
            after = self._read_sign(sign, position, end, in_link=in_link)
        elif not in_link:
            after = self._read_fixed(position, url_end(self.source, position, end))
        if after is None:
            after = self._read_fixed(position, self._end_of_address(position, end))
        return self._read_text(position, end) if after is None else after

    def _read_sign(self, sign: str, position: int, end: int, *, in_link: bool) -> int | None:
        if sign == "\\":
            return self._read_escape(position, end)
        if sign == "<":
            return self._read_angles(position, end)
        if sign == "`":
            return self._read_code(position, end)
        if sign == "~":
            return self._read_struck(position, end, in_link=in_link)
        line_break = _LINE_BREAK.match(self.source, position, end)
        return self._read_plain(position, line_break.end()) if line_break else None

    def _write(self, piece: str, *, fixed: bool = False) -> None:
        self._pieces.append(piece)
        self._fixed.append(fixed)

    def _read_text(self, position: int, end: int) -> int:
        first = max(self._end_of_run(position, end), position + 1)
        limit = min(end, self._next_address(position + 1))
        # The pattern needs to see a few characters behind the limit.
        stop = _STOP.search(self.source, first, min(end, limit + _LONGEST_STOP))
        return self._read_plain(position, min(stop.start(), limit) if stop else limit)

    def _read_plain(self, position: int, end: int) -> int:
        """Write a text in which nothing is a mark, with its entities decoded."""
        for match in _IN_TEXT.finditer(self.source, position, end):
            self._write(self.source[position : match.start()])
            position = match.end()
            if match[0] == "\n":
                self._write("\n" + self.line_starts.get(position, ""))
            else:
                self._write(html.unescape(match[0]), fixed=True)
        self._write(self.source[position:end])
        return end

    def _is_in_address(self, position: int) -> bool:
        index = bisect_right(self._addresses, (position, len(self.source))) - 1
        return index >= 0 and position < self._addresses[index][1]

    def _next_address(self, position: int) -> int:
        index = bisect_left(self._addresses, (position, 0))
        return self._addresses[index][0] if index < len(self._addresses) else len(self.source)

    def _end_of_address(self, position: int, end: int) -> int | None:
        index = bisect_left(self._addresses, (position, 0))
        start, after = self._addresses[index] if index < len(self._addresses) else (-1, 0)
        return after if start == position and after <= end else None

    def _read_fixed(self, position: int, end: int | None) -> int | None:
        if end is None:
            return None
        self._write(_decoded(self.source[position:end]), fixed=True)
        return end

    def _read_escape(self, position: int, end: int) -> int | None:
        escape = _ESCAPE.match(self.source, position, end)
        if escape is None:
            return None
        self._write(escape[1])
        return escape.end()

    def _read_angles(self, position: int, end: int) -> int | None:
        address = self._tags.address(position, end)
        if address is not None:
            self._write(_decoded(address.removeprefix("mailto:")), fixed=True)
            return position + len(address) + 2
        return self._read_fixed(position, self._tags.end(position, end))

    def _read_code(self, position: int, end: int) -> int | None:
        size = self._end_of_run(position, end) - position
        after = self._code_end(position + size, size)
        if after is None or after > end:
            return None
        self.begins_with_code |= position == self._first
        code = self.source[position + size : after - size].strip()
        # In a quote or a list, each line of the code gets the same start.
        start = next(iter(self.line_starts.values()), "")
        self._write(code.replace("\n", "\n" + start), fixed=True)
        return after

    def _end_of_run(self, position: int, end: int) -> int:
        """Return where the backticks at the position end."""
        run = _TICKS.match(self.source, position, end)
        return run.end() if run else position

    def _code_end(self, position: int, size: int) -> int | None:
        """Return the end of the next run of ``size`` backticks; None: there is none."""
        ends = self._code_ends.get(size, [])
        while ends and ends[-1] <= position:
            ends.pop()
        return ends[-1] if ends else None

    def _read_marked(self, position: int, end: int, *, in_link: bool) -> int | None:
        found = self._marks.bold(position, end) or self._marks.slanted(position, end)
        return self._read_inside(found, "", in_link=in_link) if found else None

    def _read_struck(self, position: int, end: int, *, in_link: bool) -> int | None:
        if not self.source.startswith("~~", position, end):
            return None
        found = self._marks.struck(position, end)
        # The marks stay: without them the text would say the opposite.
        return self._read_inside(found, "~~", in_link=in_link) if found else None

    def _read_inside(self, found: Marked, mark: str, *, in_link: bool) -> int:
        self._write(mark, fixed=True)
        self._read(found.start, found.end, in_link=in_link)
        self._write(mark, fixed=True)
        return found.after

    def _read_link(self, position: int, end: int) -> int | None:
        label = _LABEL.match(self.source, position, end)
        if label is None:
            return None
        is_image = label[0].startswith("!")
        found = find_destination(self.source, label.end(), end, is_image=is_image)
        if found is None:
            return None
        opened = len(self._pieces)
        if is_image:
            # The web client shows a picture's label as it was typed: "5* hotel".
            self._write(_decoded(_ESCAPE.sub(r"\1", label[1])), fixed=True)
        else:
            self._read(*label.span(1), in_link=True)
        self._write_link(opened, found.address)
        return found.end

    def _write_link(self, opened: int, address: str) -> None:
        label = "".join(self._pieces[opened:]).strip()
        if label and is_unsafe(address):
            return
        if not label or is_same(label, address):
            del self._pieces[opened:], self._fixed[opened:]
            self._write(label or address, fixed=True)
        elif address:
            self._write(f" ({address})", fixed=True)


def _decoded(text: str) -> str:
    return _ENTITIES.sub(lambda entity: html.unescape(entity[0]), text)
