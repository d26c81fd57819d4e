"""Turn visitor text into Mattermost Markdown that reads exactly as it was typed.

Three parsers read a post, and they differ. The web client is a fork of marked, with its own search
for mentions, hashtags, emoji and e-mail addresses. The mobile app is a fork of commonmark.js. The
server looks for mentions and makes previews. So each rule uses what works in all three:

- A backslash, before punctuation that the marked fork can escape. Before any other character
  (``<``, ``&``, ``:``, ``@``, ``$``, ``"``, ``=``) the web client would show the backslash. Only a
  backslash stops emphasis, code, strikethrough and brackets; a zero width space does not.
- A zero width space, after a character that begins a mention, a hashtag, an emoji code, an emoticon
  or a bare address. It also stands at the start of a line that would begin a heading, list, quote,
  table, underline or code block. It also keeps the indentation of a line, and blank lines.
- An entity, where no form of the character itself works.
- The character as it is, where it means nothing to any of the three (see ``escapes``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tasks.rendering.characters import ZWSP, clean, one_line
from tasks.rendering.escapes import (
    defused,
    escaped,
    escaped_label,
    paired_signs,
    previewed,
    rewritten,
    special,
    starts_block,
)
from tasks.rendering.links import Link, destination, find_links
from tasks.rendering.replacements import Replacement, Replacements

# The characters that a slice may need besides its own: a zero width space or a backslash before
# it, and a backslash after it.
_MARGIN = 2
# These signs can stay as they are because of the character before them. At the start of a post they
# would have a meaning.
_PLAIN_INSIDE = "_*$"


@dataclass(frozen=True, slots=True)
class PlainText:
    """Visitor text that can be written as Markdown, whole or in slices."""

    source: str
    _replacements: Replacements

    @classmethod
    def of(cls, text: str, *, budget: int | None = None) -> Self:
        """Clean the text, find its escapes and links, and return it.

        ``budget`` is the maximum length of a slice. An address whose link is longer is written as
        text, because a link cannot be cut.
        """
        source = clean(text)
        return cls(source, Replacements.of(source, _find_replacements(source, budget=budget)))

    def length(self, start: int, end: int) -> int:
        """Return an upper bound of the written slice's length."""
        return self._replacements.length(start, end) + _MARGIN

    def write(self, start: int, end: int) -> str:
        """Return the slice as Markdown, without the invisible whitespace at its end."""
        end = start + len(self.source[start:end].rstrip())
        if start == end:
            return ""
        guard = ZWSP if starts_block(self.source, start) else ""
        # A backslash that is plain before a letter would escape the character that follows now.
        last = "\\" if self._ends_in_plain_backslash(end) else ""
        return guard + self._replacements.write(start, end) + last

    def can_cut_at(self, position: int) -> bool:
        """Return whether a cut here leaves every escape, link and time of day whole."""
        before, after = self.source[position - 1], self.source[position : position + 1]
        # The colon of a time of day stays as it is because of the digits before it.
        depends = after in _PLAIN_INSIDE if after else False
        is_time_of_day = before.isdigit() and after == ":"
        if is_time_of_day or (depends and not self._replacements.begins_at(position)):
            return False
        return self._replacements.can_cut_at(position)

    def _ends_in_plain_backslash(self, end: int) -> bool:
        following = self.source[end : end + 1]
        return self.source[end - 1] == "\\" and following.isascii() and following.isalnum()


def plain_text(text: str) -> str:
    """Return visitor text as Mattermost Markdown that reads exactly as typed.

    Line breaks, blank lines, indentation and runs of spaces are kept. Web and e-mail addresses
    become explicit links. The text can mention no member and link to no channel.
    """
    plain = PlainText.of(text)
    return plain.write(0, len(plain.source))


def plain_line(text: str, *, limit: int) -> str:
    """Return visitor text as Markdown on one line, without links, for use inside a line."""
    return escaped(one_line(text, limit=limit))


def plain_title(text: str, *, limit: int) -> str:
    """Return visitor text as Markdown on one line, for use at the start of a block."""
    line = plain_line(text, limit=limit)
    return ZWSP + line if line and starts_block(line) else line


def bare_line(text: str, *, limit: int) -> str:
    """Return visitor text on one line, without backslashes, for where no Markdown is parsed."""
    return defused(one_line(text, limit=limit))


def preview_line(text: str, *, limit: int) -> str:
    """Return visitor text on one line, for notifications on desktops and phones."""
    return previewed(one_line(text, limit=limit))


def plain_link(label: str, *, url: str) -> str:
    """Return an explicit link with the label as typed."""
    return f"[{escaped_label(label)}]({destination(url)})"


def _find_replacements(source: str, *, budget: int | None) -> Iterator[Replacement]:
    """Yield the replacements of a cleaned text, in order."""
    links = list(_written_links(source, budget=budget))
    paired = paired_signs(source, has_links=bool(links))
    position = 0
    for link in links:
        yield from _escapes(source, position, link[0], paired)
        yield link
        position = link[1]
    yield from _escapes(source, position, len(source), paired)


def _written_links(source: str, *, budget: int | None) -> Iterator[Replacement]:
    for link in find_links(source):
        label = source[link.start : link.end]
        rendered = _apart(source, link) + plain_link(label, url=link.url)
        if budget is None or len(rendered) + _MARGIN <= budget:
            yield link.start, link.end, rendered


def _apart(source: str, link: Link) -> str:
    """Return what separates the link from the character before it, if they must be separated."""
    # "!" before a link would make it an image, and the mobile app reads ":[" as an emoticon.
    # A full stop, hyphen or plus sign can be part of a scheme's name. Right after one, Markdown
    # libraries that look for bare addresses can misread the bracket.
    before = source[max(link.start - 1, 0) : link.start]
    return ZWSP if before and before in "!:.+-" else ""


def _escapes(source: str, start: int, end: int, paired: frozenset[str]) -> Iterator[Replacement]:
    # These underscores follow the last letter of a link. Once the link is written, a bracket stands
    # there instead, so that the underscores have a meaning.
    while start and source.startswith("_", start, end):
        yield start, start + 1, "\\_"
        start += 1
    for match in special(paired).finditer(source, start, end):
        yield match.start(), match.end(), rewritten(match, paired)
