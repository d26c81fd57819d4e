"""Agent text: Markdown that stays as it is, but cannot mention a whole channel."""

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tasks.rendering.characters import ZWSP, clean
from tasks.rendering.replacements import Replacement, Replacements

# An "@" can be written as an entity, which the server decodes before it looks for mentions. After
# a letter or digit an "@" is part of an address, which the server reads as one word.
_AT = re.compile(r"(?<![A-Za-z0-9])(?:@|&#0*64;|&#[xX]0*40;|&commat;)")
_EVERYBODY = re.compile(r"(?:channel|here|all)(?![^\W_])", re.IGNORECASE)
_ENDS_IN_EVERYBODY = re.compile(r"@(?:channel|here|all)\Z", re.IGNORECASE)
# The length of "channel" and the character next to it, each written as an entity.
_NAME_LENGTH = 8 * len("&#x0000068;")
# How many backslashes in a row are counted: an even number, and far more than a person types.
_BACKSLASHES = 1000
# How many characters before an "@" are searched for the start of an address.
_ADDRESS_LENGTH = 500

_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
# No person types a longer fence, and each slice repeats the fence.
_MAX_FENCE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class _Fence:
    """A fenced code block.

    ``body`` to ``body_end`` are the lines between the fences. ``opening`` is the whole first line,
    and ``marks`` its backticks or tildes.
    """

    start: int
    body: int
    body_end: int
    end: int
    opening: str
    marks: str


@dataclass(frozen=True, slots=True)
class AgentText:
    """Agent text that can be written whole or in slices; code blocks continue in the next slice.

    Only code blocks at the left margin are continued. Lists, quotes and tables are cut like text.
    """

    source: str
    _replacements: Replacements
    _fences: list[_Fence]
    _starts: list[int]
    _fence_room: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Clean the text, find its channel-wide mentions and its code blocks, and return it."""
        source = clean(text)
        fences = list(_find_fences(source))
        room = max((len(fence.opening) + len(fence.marks) + 2 for fence in fences), default=0)
        replacements = Replacements.of(source, _mentions(source))
        return cls(source, replacements, fences, [fence.start for fence in fences], room)

    def length(self, start: int, end: int) -> int:
        """Return an upper bound of the written slice's length."""
        return self._replacements.length(start, end) + self._fence_room

    def write(self, start: int, end: int) -> str:
        """Return the slice as Markdown; a code block that is cut is closed and opened again."""
        end = start + len(self.source[start:end].rstrip())
        before = after = ""
        if fence := self._fence_around(start):
            before = fence.opening + "\n"
        if fence := self._fence_around(end):
            after = "\n" + fence.marks
        return before + self._replacements.write(start, end) + after if start < end else ""

    def can_cut_at(self, position: int) -> bool:
        """Return whether a cut here leaves mentions, escapes and fence lines whole."""
        if not self._replacements.can_cut_at(position) or self._escapes_next(position):
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
        """Return whether a cut would create a mention, as "@all" from "@allard" or "x@all"."""
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
        """Return the fenced block that contains the position, or None."""
        fence = self._last_fence(position)
        inside = fence is not None and fence.start < position < fence.end
        return fence if inside else None


def agent_text(text: str) -> str:
    """Return agent text as Markdown in which @channel, @here and @all mention no member."""
    agent = AgentText.of(text)
    return agent.write(0, len(agent.source))


def _mentions(source: str) -> Iterator[Replacement]:
    """Yield the replacements that stop @channel, @here and @all, in any form, from being mentions.

    They are made in code as well, because the three parsers differ on where code begins and ends.
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
    """Yield the fenced code blocks at the left margin; a block left open ends with the text."""
    opening: re.Match[str] | None = None
    for line in _FENCE.finditer(source):
        if opening is None:
            if len(line[0]) <= _MAX_FENCE_LENGTH and _may_open(line):
                opening = line
        elif line["marks"].startswith(opening["marks"]) and not line["info"].strip():
            yield _fence(opening, line.start(), line.end())
            opening = None
    if opening is not None:
        # One past the end, so that the end of the text is still inside the block.
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
