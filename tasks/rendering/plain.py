"""Visitor text as Mattermost Markdown that reads exactly as it was typed.

Three parsers read a post, and they differ: the web client (a fork of marked, followed by its
own search for mentions, hashtags, emoji and e-mail addresses), the mobile app (a fork of
commonmark.js) and the server (mentions and previews). So each rule below uses what works in all:

- A backslash, but only before the punctuation that the marked fork can escape. Before any other
  character (`<`, `&`, `:`, `@`, `$`, `"`, `=`) the web client would show it. It alone stops
  emphasis, code, strikethrough and brackets: a zero width space does not.
- A zero width space, after what begins a mention, a hashtag, an emoji code, an emoticon or a bare
  address, and at the start of a line that would begin a heading, list, quote, table, underline or
  code block, or that would lose its indentation or, being blank, itself.
- An entity, where the character itself is the trouble.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tasks.rendering.characters import ZWSP, clean, one_line
from tasks.rendering.edits import Edit, Edits
from tasks.rendering.links import Link, destination, find_links

# A line that begins like this would not be read as the text of a paragraph. Backtick, tilde,
# star, bracket and angle bracket are missing because they are escaped wherever they stand.
_LINE_START = r"(?=[^\S\n]|\n|\Z|[#>+=|:-]|\d+[.)])"
_GUARD = re.compile(_LINE_START)

# Each alternative matches the one character that is to be rewritten.
_SPECIAL = re.compile(
    rf"""
      \n{_LINE_START}
    | [`*_\[\]<~$\u2424]
    # Before a letter or digit a backslash is just that, and two of them would both be shown.
    | \\(?![A-Za-z0-9])
    | &(?=\#?[A-Za-z0-9_]+;)
    | @(?=[!-\~\w])
    | \#(?=[^\W\d_])
    # A time of day keeps its plain colon: no emoji code and no address can begin there.
    | :(?=[!-\~\w’])(?!(?:(?<=[^A-Za-z0-9.+\-]\d:)|(?<=[^A-Za-z0-9.+\-]\d\d:))\d)
    | ;(?=-?\))
    | [xX](?=-[dD](?![A-Za-z0-9]))
    | (?<=<)3 | (?<=<)/(?=3)
    # The web client takes "example.nl/" for an address, with any name of 2 to 4 letters.
    | /(?:(?<=\.[^\W\d_]{{2}}/)|(?<=\.[^\W\d_]{{3}}/)|(?<=\.[^\W\d_]{{4}}/))
    | [wW](?=[wW]{{2}}\d{{0,3}}\.)
    """,
    re.VERBOSE,
)
# Inside a link's label nothing is made into another link, so an address keeps its plain colon
# and slash there, and can be copied. Emoji codes and emoticons are still looked for.
_SPECIAL_IN_LABEL = re.compile(
    r"""
      [`*_\[\]~$\u2424]
    | \\(?![A-Za-z0-9])
    | &(?=\#?[A-Za-z0-9_]+;)
    | @(?=[!-\~\w])
    | \#(?=[^\W\d_])
    | :(?=[!-\~\w’])(?<![A-Za-z0-9_]:)
    | ;(?=-?\))
    | [xX](?=-[dD](?![A-Za-z0-9]))
    """,
    re.VERBOSE,
)
_SEPARATED = {char: char + ZWSP for char in "\n@#:;xXwW"} | {char: ZWSP + char for char in "3/"}
_WRITTEN = _SEPARATED | {
    **{char: "\\" + char for char in "`*_[]\\"},
    "~": "\\~" + ZWSP,
    # Not "\<", which the web client shows, nor "<" and a zero width space, which it still takes
    # for the start of an address in angle brackets.
    "<": "&lt;",
    "&": "&amp;",
    # Two dollar signs enclose LaTeX on servers where that is enabled.
    "$": "&#36;",
    # The web client makes a line break of this one before it parses anything.
    "\u2424": "&#9252;",
}
# Where Mattermost shows text without parsing Markdown, escapes would be seen.
_WRITTEN_BARE = _SEPARATED | {char: char + ZWSP for char in "~&"}
# What a slice may need besides its own characters: a zero width space before it, and a
# backslash after it.
_MARGIN = 2


@dataclass(frozen=True, slots=True)
class PlainText:
    """Visitor text that can be written as Markdown, whole or in slices."""

    source: str
    _edits: Edits

    @classmethod
    def of(cls, text: str, *, budget: int | None = None) -> Self:
        """Return the text, cleaned, with its escapes and links worked out.

        An address of which the link is longer than the budget of a slice is written as text:
        it could not be cut.
        """
        source = clean(text)
        return cls(source, Edits.of(source, _edits(source, budget=budget)))

    def length(self, start: int, end: int) -> int:
        """Return an upper bound of the slice's length when written."""
        return self._edits.length(start, end) + _MARGIN

    def write(self, start: int, end: int) -> str:
        """Return the slice as Markdown. Whitespace at its end, which nobody sees, is left out."""
        end = start + len(self.source[start:end].rstrip())
        if start == end:
            return ""
        guard = ZWSP if _GUARD.match(self.source, start) else ""
        # The backslash that was before a letter is now before whatever follows in the post.
        last = "\\" if self._ends_in_plain_backslash(end) else ""
        return guard + self._edits.write(start, end) + last

    def separable(self, position: int) -> bool:
        """Tell whether a cut here leaves every escape, link and time of day whole."""
        # The colon of a time is plain because of the digits before it.
        before, after = self.source[position - 1], self.source[position : position + 1]
        return not (before.isdigit() and after == ":") and self._edits.separable(position)

    def _ends_in_plain_backslash(self, end: int) -> bool:
        following = self.source[end : end + 1]
        return self.source[end - 1] == "\\" and following.isascii() and following.isalnum()


def plain_text(text: str) -> str:
    """Return visitor text as Mattermost Markdown that reads exactly as typed.

    Line breaks, blank lines, indentation and runs of spaces are kept. Web and e-mail addresses
    become explicit links; nobody can be mentioned and no channel linked.
    """
    plain = PlainText.of(text)
    return plain.write(0, len(plain.source))


def plain_line(text: str, *, limit: int) -> str:
    """Return visitor text as Markdown on one line, without links, for use inside a line."""
    return _SPECIAL.sub(lambda match: _WRITTEN[match[0]], one_line(text, limit=limit))


def bare_line(text: str, *, limit: int) -> str:
    """Return visitor text on one line for where no Markdown is read: defused, not escaped."""
    return _SPECIAL.sub(
        lambda match: _WRITTEN_BARE.get(match[0], match[0]), one_line(text, limit=limit)
    )


def plain_link(label: str, *, url: str) -> str:
    """Return an explicit link with the label as typed."""
    written = _SPECIAL_IN_LABEL.sub(lambda match: _WRITTEN[match[0]], label)
    return f"[{written}]({destination(url)})"


def _edits(source: str, *, budget: int | None) -> Iterator[Edit]:
    """Yield what has to be rewritten in a cleaned text, in order."""
    # A dollar sign alone encloses nothing, and stays readable where entities are not decoded.
    written = _WRITTEN if source.count("$") > 1 else _WRITTEN | {"$": "$"}
    position = 0
    for link in find_links(source):
        rendered = _apart(source, link) + plain_link(source[link.start : link.end], url=link.url)
        if budget is None or len(rendered) + _MARGIN <= budget:
            yield from _escapes(source, position, link.start, written)
            yield link.start, link.end, rendered
            position = link.end
    yield from _escapes(source, position, len(source), written)


def _apart(source: str, link: Link) -> str:
    """Return what keeps the link apart from the character before it."""
    # "!" before a link would make an image of it, and ":[" is an emoticon to the mobile app.
    # Right after a full stop, hyphen or plus sign, which may stand in the name of a scheme,
    # Markdown libraries that look for bare addresses can stumble over the bracket.
    before = source[max(link.start - 1, 0) : link.start]
    return ZWSP if before and before in "!:.+-" else ""


def _escapes(source: str, start: int, end: int, written: dict[str, str]) -> Iterator[Edit]:
    for match in _SPECIAL.finditer(source, start, end):
        position = match.start()
        yield position, position + 1, written[source[position]]
