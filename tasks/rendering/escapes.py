"""The signs of a text that mean something to one of the three parsers, and how each is written.

Phones and the desktop app show a notification with its backslashes and entities as they are. So a
sign is written as it is wherever it means nothing to any parser: an underscore inside a name, a
lone star, brackets that no link follows, a price.
"""

import re
from functools import cache

from tasks.rendering.characters import ZWSP

# A line that begins like this would not be read as the text of a paragraph. Backtick, tilde,
# star and bracket are missing because they are escaped where they mean something.
_LINE_START = r"(?=[^\S\n]|\n|\Z|[#>+=|:<-]|\d+[.)])"
_GUARD = re.compile(_LINE_START)

# Each alternative matches the one character that is to be rewritten.
_EVERYWHERE = rf"""
      \n{_LINE_START}
    | \u2424
    # Before a letter or digit a backslash is just that, and two of them would both be shown.
    | \\(?![A-Za-z0-9])
    | &(?=\#?[A-Za-z0-9_]+;)
    | @(?=[!-\~\w])
    | \#(?=[^\W\d_])
    | ;(?=-?\))
    | [xX](?=-[dD](?![A-Za-z0-9]))
    # After a letter or digit no parser takes one or two underscores for the start of emphasis.
    | (?!(?<=[A-Za-z0-9])_(?!__)|(?<=[A-Za-z0-9]_)_(?!_))_
    """
_OUTSIDE_LABELS = r"""
    # A time of day or a ratio keeps its plain colon: no emoji code and no address can begin there.
    | :(?=[!-\~\w’])
       (?!(?:(?<=[^A-Za-z0-9.+\-]\d:)|(?<=[^A-Za-z0-9.+\-]\d\d:))\d(?![A-Za-z0-9_+\-]*:))
    | (?<=<)3 | (?<=<)/(?=3)
    # The web client takes "example.nl/" for an address, with any name of 2 to 4 letters.
    | /(?:(?<=\.[^\W\d_]{2}/)|(?<=\.[^\W\d_]{3}/)|(?<=\.[^\W\d_]{4}/))
    | [wW](?=[wW]{2}\d{0,3}\.)
    """
# Signs that need a partner: how they are found where it may be there, and where it is not.
_PAIRED = {
    "`": ("`", None),
    # With a space on both sides a star encloses nothing; alone it can still begin a list.
    "*": (r"(?!(?<=\S[ ])\*(?=[ ]))\*", r"(?<![^\n])\*(?=\s|\Z)"),
    "[": (r"[\[\]]", None),
    # Some tags begin a block of HTML on mobile, closed or not.
    "<": (r"<(?![ ])", r"<(?=[A-Za-z/!?])"),
    "~": ("~", r"~(?=[\w.\-])"),
    # LaTeX ends only where no letter and no digit follows.
    "$": (r"\$(?![A-Za-z0-9])", None),
    # A link's destination can hold the second one, which cannot be written otherwise there.
    "$]": (r"\$", None),
}
ALL = frozenset(_PAIRED)
# Inside a link's label nothing is made into another link, so an address keeps its plain colon
# and slash there, and can be copied. Emoji codes and emoticons are still looked for.
_IN_LABEL = re.compile(
    rf"""{_EVERYWHERE}
    | [`*~$<\[\]]
    | :(?=[!-\~\w’])(?:(?<![A-Za-z0-9_]:)|(?=[A-Za-z0-9_+\-]+:))
    """,
    re.VERBOSE,
)
# A closed pair of brackets in a label is text to every parser.
_LONE_BRACKET = re.compile(r"\[[^\[\]]*\]|(?P<lone>[\[\]])")
_LINK_LIKE = re.compile(r"\][(\[:]")
_LATEX_START = re.compile(r"(?<![A-Za-z0-9])\$")

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
# Zero width, and a space to JavaScript: emphasis cannot begin before it. Nothing like it stops
# backticks and LaTeX, which lose their signs on the desktop.
_NO_BREAK = "\ufeff"
_PREVIEWED = re.compile(r"\*|(?<![A-Za-z0-9])_|\\|\](?=[(\[:])|<(?=[A-Za-z/!?])")
# Older web clients see no backslash before a bracket in a label, and miscount.
_LONE_BRACKETS = {"[": "&#91;", "]": "&#93;"}


def starts_block(text: str, position: int = 0) -> bool:
    """Return whether a line that begins here would be read as something else than text."""
    return _GUARD.match(text, position) is not None


def paired_signs(text: str, *, has_links: bool) -> frozenset[str]:
    """Return the signs that may have found a partner in the text, with which they mean something.

    A bracket or a dollar sign can find its partner in one of our links.
    """
    found = {sign for sign in "`*~" if text.count(sign) > 1}
    if has_links or _LINK_LIKE.search(text):
        found.add("[")
    if ">" in text:
        found.add("<")
    if text.count("$") > 1 and (has_links or _LATEX_START.search(text)):
        found.add("$]" if has_links else "$")
    return frozenset(found)


@cache
def special(paired: frozenset[str]) -> re.Pattern[str]:
    """Return the pattern of the characters that are to be rewritten, one each."""
    found = (pair if sign in paired else alone for sign, (pair, alone) in _PAIRED.items())
    return re.compile("\n|".join([_EVERYWHERE + _OUTSIDE_LABELS, *filter(None, found)]), re.VERBOSE)


def rewritten(match: re.Match[str], paired: frozenset[str]) -> str:
    """Return what the character that was found is written as."""
    if match[0] == "~" and "~" not in paired:
        return "~" + ZWSP
    return _escaped_sign(match)


def escaped(line: str) -> str:
    """Return one line as Markdown, wherever in a text it may come to stand."""
    return special(ALL).sub(_escaped_sign, line)


def defused(line: str) -> str:
    """Return one line for where no Markdown is read: without backslashes and entities."""
    return special(ALL).sub(lambda match: _WRITTEN_BARE.get(match[0], match[0]), line)


def previewed(line: str) -> str:
    """Return one line for where one client drops the Markdown and another shows it.

    The desktop app strips what it takes for markup from a notification, and phones show all. So
    the signs are kept apart by what neither shows.
    """
    apart = _PREVIEWED.sub(lambda match: match[0] + _NO_BREAK, defused(line))
    return ZWSP + apart if starts_block(line) else apart


def escaped_label(label: str) -> str:
    """Return the label of a link as Markdown."""
    lone = {match.start() for match in _LONE_BRACKET.finditer(label) if match["lone"]}
    return _IN_LABEL.sub(lambda match: _in_label(match, lone), label)


def _in_label(match: re.Match[str], lone: set[int]) -> str:
    if match.start() in lone:
        return _LONE_BRACKETS[match[0]]
    if match[0] in "[]":
        return match[0] + _apart_from_round(match)
    return _escaped_sign(match)


def _escaped_sign(match: re.Match[str]) -> str:
    return _WRITTEN[match[0]] + _apart_from_round(match)


def _apart_from_round(match: re.Match[str]) -> str:
    """Return what keeps a closing bracket apart from a round one, with which it ends a label.

    Older web clients do not see the backslash before it.
    """
    return ZWSP if match[0] == "]" and match.string.startswith("(", match.end()) else ""
