"""Agent text: Markdown, kept as it is except that it cannot mention everybody."""

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tasks.rendering.characters import ZWSP, clean
from tasks.rendering.edits import Edit, Edits

# An "@" can be written as an entity; the server decodes it before it looks for mentions. After
# a letter or digit it is part of an address, which the server reads as one word.
_AT = re.compile(r"(?<![A-Za-z0-9])(?:@|&#0*64;|&#[xX]0*40;|&commat;)")
_EVERYBODY = re.compile(r"(?:channel|here|all)(?![^\W_])", re.IGNORECASE)
_ENDS_IN_EVERYBODY = re.compile(r"@(?:channel|here|all)\Z", re.IGNORECASE)
# The longest name, with each of its letters and what is next to it written as an entity.
_NAME_LENGTH = 8 * len("&#x0000068;")
# How many backslashes in a row are counted; an even number, and far more than a person types.
_BACKSLASHES = 1000
# How far back an address is looked for that the "@" may be part of.
_ADDRESS_LENGTH = 500

_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
# A longer line is no fence that a person types, and repeating it would fill the message.
_MAX_FENCE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class _Fence:
    """A fenced code block: its first line, and the inner and outer end of its last line."""

    start: int
    body: int
    body_end: int
    end: int
    opening: str
    marks: str


@dataclass(frozen=True, slots=True)
class AgentText:
    """Agent text that can be written whole or in slices; code blocks go on in the next slice.

    Only fences at the left margin are carried over. Lists, quotes and tables are cut like text.
    """

    source: str
    _edits: Edits
    _fences: list[_Fence]
    _starts: list[int]
    _fence_room: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the text, cleaned, with its mentions of everybody and its code blocks found."""
        source = clean(text)
        fences = list(_find_fences(source))
        room = max((len(fence.opening) + len(fence.marks) + 2 for fence in fences), default=0)
        edits = Edits.of(source, _mentions(source))
        return cls(source, edits, fences, [fence.start for fence in fences], room)

    def length(self, start: int, end: int) -> int:
        """Return an upper bound of the slice's length when written."""
        return self._edits.length(start, end) + self._fence_room

    def write(self, start: int, end: int) -> str:
        """Return the slice as Markdown, with a code block cut in two closed and opened again."""
        end = start + len(self.source[start:end].rstrip())
        before = after = ""
        if fence := self._fence_around(start):
            before = fence.opening + "\n"
        if fence := self._fence_around(end):
            after = "\n" + fence.marks
        return before + self._edits.write(start, end) + after if start < end else ""

    def separable(self, position: int) -> bool:
        """Return whether a cut here leaves mentions, escapes and fence lines whole."""
        if not self._edits.separable(position) or self._escapes_next(position):
            return False
        if self._would_mention(position):
            return False
        fence = self._last_fence(position - 1)
        if fence is None:
            return True
        return fence.body < position < fence.body_end or position >= fence.end

    def _escapes_next(self, position: int) -> bool:
        before = self.source[max(0, position - _BACKSLASHES) : position]
        return (len(before) - len(before.rstrip("\\"))) % 2 == 1

    def _would_mention(self, position: int) -> bool:
        """Return whether a cut makes a mention of what is none: "@all" of "@allard" or "x@all"."""
        after = self.source[position : position + 1]
        if after in ("@", "&") and self.source[position - 1].isalnum():
            return True
        before = self.source[max(0, position - _NAME_LENGTH) : position]
        return after.isalnum() and bool(_ENDS_IN_EVERYBODY.search(html.unescape(before)))

    def _last_fence(self, position: int) -> _Fence | None:
        """Return the last fenced block that starts at or before the position."""
        index = bisect_right(self._starts, position) - 1
        return self._fences[index] if index >= 0 else None

    def _fence_around(self, position: int) -> _Fence | None:
        """Return the fenced block inside which the position is."""
        fence = self._last_fence(position)
        inside = fence is not None and fence.start < position < fence.end
        return fence if inside else None


def agent_text(text: str) -> str:
    """Return agent text as Markdown in which @channel, @here and @all are no mentions."""
    agent = AgentText.of(text)
    return agent.write(0, len(agent.source))


def _mentions(source: str) -> Iterator[Edit]:
    """Yield the edits that keep @channel, @here and @all, in whatever form, from mentioning.

    They are made in code as well: where code begins and ends is read differently by the three
    parsers, and a mention must not hang on that.
    """
    for match in _AT.finditer(source):
        following = source[match.end() : match.end() + _NAME_LENGTH]
        if _EVERYBODY.match(html.unescape(following)):
            address = _is_in_address(source, match.start())
            text = "%40" if address else match[0] + ZWSP
            yield match.start(), match.end(), text


def _is_in_address(source: str, position: int) -> bool:
    """Return whether the position is in a web address, which a zero width space would break."""
    words = source[max(0, position - _ADDRESS_LENGTH) : position].split(" ")
    return "://" in words[-1].rsplit("\n", 1)[-1]


def _find_fences(source: str) -> Iterator[_Fence]:
    """Yield the fenced code blocks at the left margin; one left open ends with the text."""
    opening: re.Match[str] | None = None
    for line in _FENCE.finditer(source):
        if opening is None:
            if len(line[0]) <= _MAX_FENCE_LENGTH and _may_open(line):
                opening = line
        elif line["marks"].startswith(opening["marks"]) and not line["info"].strip():
            yield _fence(opening, line.start(), line.end())
            opening = None
    if opening is not None:
        # One past the end: the end of the text is still inside.
        yield _fence(opening, len(source) + 1, len(source) + 1)


def _may_open(line: re.Match[str]) -> bool:
    return line["marks"].startswith("~") or "`" not in line["info"]


def _fence(opening: re.Match[str], body_end: int, end: int) -> _Fence:
    return _Fence(
        start=opening.start(),
        body=opening.end() + 1,
        body_end=body_end,
        end=end,
        opening=opening[0].strip(),
        marks=opening["marks"],
    )
