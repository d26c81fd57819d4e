"""Escape the characters that have a meaning to one of the three parsers.

Notifications on phones and desktops show backslashes and entities as they are. So a character stays
as it is wherever it means nothing to any parser. Examples are an underscore inside a name, a lone
star, brackets that no link follows, and the dollar sign of a price.
"""

import re
from functools import cache

from tasks.rendering.characters import ZWSP

# A line with this start is not read as a paragraph. Backtick, tilde, star and bracket are left
# out, because other rules escape them.
_LINE_START = r"(?=[^\S\n]|\n|\Z|[#>+=|:<-]|\d+[.)])"
_GUARD = re.compile(_LINE_START)

# Each alternative matches one character, which has to be rewritten.
_EVERYWHERE = rf"""
    # The end of a line, if the next line's start would begin a list, a heading or another block.
      \n{_LINE_START}
    # The symbol for a line break, which the web client turns into a line break.
    | \u2424
    # A backslash. Before a letter or digit it stays, where two backslashes would both be shown.
    | \\(?![A-Za-z0-9])
    # The start of an entity, such as "&amp;".
    | &(?=\#?[A-Za-z0-9_]+;)
    # The start of a mention, and of a hashtag.
    | @(?=[!-\~\w])
    | \#(?=[^\W\d_])
    # The start of the emoticons ";)", ";-)" and "x-d".
    | ;(?=-?\))
    | [xX](?=-[dD](?![A-Za-z0-9]))
    # An underscore. After a letter or digit, one or two of them begin no emphasis for any parser.
    | (?!(?<=[A-Za-z0-9])_(?!__)|(?<=[A-Za-z0-9]_)_(?!_))_
    """
_OUTSIDE_LABELS = r"""
    # The colon of an emoji code, an emoticon or an address. In "10:30" or "1:2" none can begin.
    | :(?=[!-\~\w’])
       (?!(?:(?<=[^A-Za-z0-9.+\-]\d:)|(?<=[^A-Za-z0-9.+\-]\d\d:))\d(?![A-Za-z0-9_+\-]*:))
    # The second sign of the emoticons "<3" and "</3".
    | (?<=<)3 | (?<=<)/(?=3)
    # The slash of "example.nl/": the web client takes any name of 2 to 4 letters for an address.
    | /(?:(?<=\.[^\W\d_]{2}/)|(?<=\.[^\W\d_]{3}/)|(?<=\.[^\W\d_]{4}/))
    # The start of "www." or "www2.".
    | [wW](?=[wW]{2}\d{0,3}\.)
    """
# Signs that need a partner: the pattern if the text may hold the partner, and the pattern if not.
_PAIRED = {
    "`": ("`", None),
    # A star with a space on both sides encloses nothing. A lone star can still begin a list.
    "*": (r"(?!(?<=\S[ ])\*(?=[ ]))\*", r"(?<![^\n])\*(?=\s|\Z)"),
    "[": (r"[\[\]]", None),
    # Some tags begin a block of HTML on mobile, closed or not.
    "<": (r"<(?![ ])", r"<(?=[A-Za-z/!?])"),
    "~": ("~", r"~(?=[\w.\-])"),
    # A dollar sign ends LaTeX only if no letter or digit follows.
    "$": (r"\$(?![A-Za-z0-9])", None),
    # A link's destination can hold the second dollar sign, which cannot be escaped there.
    "$]": (r"\$", None),
}
ALL = frozenset(_PAIRED)
# Parsers make no link inside a link's label. So an address keeps its colons and slashes there, and
# can be copied. Parsers still look for emoji codes and emoticons.
_IN_LABELS = r"""
    | [`*~$<\[\]]
    | :(?=[!-\~\w’])(?:(?<![A-Za-z0-9_]:)|(?=[A-Za-z0-9_+\-]+:))
    """
# Every parser reads a pair of brackets in a label as text.
_LONE_BRACKET = re.compile(r"\[[^\[\]]*\]|(?P<lone>[\[\]])")
_LINK_LIKE = re.compile(r"\][(\[:]")
_LATEX_START = re.compile(r"(?<![A-Za-z0-9])\$")

_SEPARATED = {char: char + ZWSP for char in "\n@#:;xXwW"} | {char: ZWSP + char for char in "3/"}
_WRITTEN = _SEPARATED | {
    **{char: "\\" + char for char in "`*_[]\\"},
    "~": "\\~" + ZWSP,
    # The web client shows the backslash of "\<". It reads "<" with a zero width space as the start
    # of an address in angle brackets.
    "<": "&lt;",
    "&": "&amp;",
    # Two dollar signs enclose LaTeX on servers where that is enabled.
    "$": "&#36;",
    # The web client turns this character into a line break before it parses anything.
    "\u2424": "&#9252;",
}
# Where Mattermost does not parse Markdown, backslashes and entities would be visible.
_WRITTEN_BARE = _SEPARATED | {char: char + ZWSP for char in "~&"}
# A zero width character that JavaScript treats as a space, so that emphasis cannot begin before
# it. No such character works for backticks and LaTeX, which lose their signs on the desktop.
_NO_BREAK = "\ufeff"
_PREVIEWED = re.compile(r"\*|(?<![A-Za-z0-9])_|\\|\](?=[(\[:])|<(?=[A-Za-z/!?])")
# Older web clients ignore a backslash before a bracket in a label, and count the bracket.
_LONE_BRACKETS = {"[": "&#91;", "]": "&#93;"}


def starts_block(text: str, position: int = 0) -> bool:
    """Return whether a line that begins here would be read as anything but a paragraph."""
    return _GUARD.match(text, position) is not None


def paired_signs(text: str, *, has_links: bool) -> frozenset[str]:
    """Return the signs that may have a partner in the text, and so a meaning.

    The partner of a bracket or a dollar sign can be in a link that this package writes.
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
    """Return the pattern that matches each single character that has to be rewritten."""
    found = (pair if sign in paired else alone for sign, (pair, alone) in _PAIRED.items())
    return re.compile("\n|".join([_EVERYWHERE + _OUTSIDE_LABELS, *filter(None, found)]), re.VERBOSE)


@cache
def _special_in_labels() -> re.Pattern[str]:
    return re.compile(_EVERYWHERE + _IN_LABELS, re.VERBOSE)


def rewritten(match: re.Match[str], paired: frozenset[str]) -> str:
    """Return the Markdown for a character that the pattern of ``special`` found."""
    if match[0] == "~" and "~" not in paired:
        return "~" + ZWSP
    return _escaped_sign(match)


def escaped(line: str) -> str:
    """Return one line as Markdown that is safe anywhere in a text."""
    return special(ALL).sub(_escaped_sign, line)


def defused(line: str) -> str:
    """Return one line, without backslashes and entities, for where no Markdown is parsed."""
    return special(ALL).sub(lambda match: _WRITTEN_BARE.get(match[0], match[0]), line)


def previewed(line: str) -> str:
    """Return one line for notifications, in which one client drops Markdown and another shows it.

    The desktop app removes what it reads as markup, and phones show every character. So invisible
    characters separate the signs.
    """
    apart = _PREVIEWED.sub(lambda match: match[0] + _NO_BREAK, defused(line))
    return ZWSP + apart if starts_block(line) else apart


def escaped_label(label: str) -> str:
    """Return the label of a link as Markdown."""
    lone = {match.start() for match in _LONE_BRACKET.finditer(label) if match["lone"]}
    return _special_in_labels().sub(lambda match: _in_label(match, lone), label)


def _in_label(match: re.Match[str], lone: set[int]) -> str:
    if match.start() in lone:
        return _LONE_BRACKETS[match[0]]
    if match[0] in "[]":
        return match[0] + _apart_from_round(match)
    return _escaped_sign(match)


def _escaped_sign(match: re.Match[str]) -> str:
    return _WRITTEN[match[0]] + _apart_from_round(match)


def _apart_from_round(match: re.Match[str]) -> str:
    """Return what separates a closing bracket from a round bracket after it.

    Together they would end a label: older web clients ignore the backslash before the bracket.
    """
    return ZWSP if match[0] == "]" and match.string.startswith("(", match.end()) else ""
