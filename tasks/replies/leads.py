"""A lead: what may stand before a note's prefix or a mention, and is no text to a person.

A lead may have blanks and invisible characters, signs, arrows and quotation marks. It may have
emoji as characters, codes (also a server's own) and emoticons. It may have bullets, numbers,
letters and checkboxes of lists, pictures, HTML tags, quoted lines, hashtags, and names of people
and channels.
"""

import re
import unicodedata
from collections.abc import Iterator

# Modifier letters (Lm) are left out: they look like quotation marks or dashes, and begin no prefix.
_TEXT = frozenset({"Lu", "Ll", "Lt", "Lo", "Nd"})
_PICTURES = frozenset({"So", "No"})
# Unicode calls these letters, but they are drawn as a picture, a part of a face, or a blank.
_PICTURED_LETTERS = frozenset("ℹツಠʕʔᴥʖω益")
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_LEAD = re.compile(
    r"""
      (?<=\n)[ \t]*>[^\n]*                        # a quoted line
    | !\[(?:[^\[\]]|\[[^\[\]]{0,100}\]){0,300}\]  # a picture,
      (?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,300}\])   # whose address stands behind it or below
    | \[[^\]\w\n]{0,100}\]\([^)\n]{0,2000}\)      # a link on a sign, or on nothing,
    | \]\([^)\n]{0,2000}\)                        # or on a picture
    | :[A-Za-z0-9_+-]{1,100}:                     # a code of an emoji
    | [:;=][-'^o]?[bcdopsxBCDOPSX3]|</?3        # an emoticon
    | (?:[xX]-?[dD]|\\?[oO]/)(?![^\W_])
    | (?:[oO0TX][_.][oO0TX]|[oO][:;]-?[()])(?![^\W_])
    | \d{1,3}(?:\.\d{1,3}){1,4}(?=[\s.)\]:])      # the number of a section, 1.1
    | <[A-Za-z/!?][^<>\n]{0,300}>                 # a tag
    | [0-9]\ufe0f?\u20e3                          # a digit on a key
    | \d{1,3}(?=[^\w\s/]|/\d|_)                   # the number of an item, 1. or 1/2
    | (?<=[\#№(\[/])\d{1,3}(?!\w)                 # and #1 or (1
    | [A-Za-z](?=\ ?[.)\]．）］])                 # the letter of an item, a)
    | [ivxIVX]{1,4}(?=[.)\]．）］])
    """,
    re.VERBOSE,
)
# A picture or a label that begins with a sign: ":lock:", "#intern", "~support", "@anna".
_NAMED = re.compile(r":[A-Za-z0-9_+-]{1,100}:|[#~@][A-Za-z]")
_LABEL = re.compile(r"[#~][A-Za-z][\w.-]{1,63}")
# A user name as in Mattermost: letters, digits, full stops, hyphens, underscores.
_MENTION = re.compile(r"@([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_MOST_MENTIONS = 5
# No person writes a longer lead, and a longer one takes time to read.
MAX_LEAD = 2_000


def lead_positions(text: str) -> Iterator[int]:
    """Yield the positions at which the text may begin for a person, in order.

    If the lead is longer than ``MAX_LEAD``, the last position is behind that.
    """
    position = 0
    while position <= len(text):
        yield position
        if _NAMED.match(text, position):
            # In "🔒:note: x" and "#note: x" a person reads a prefix, not a code or a label.
            yield position + 1
        end = _end_of_name(text, position) or _end_of_lead(text, position)
        if end is None or position > MAX_LEAD:
            return
        position = end


def has_endless_lead(text: str) -> bool:
    """Return whether the text's lead is longer than ``MAX_LEAD``."""
    return len(text) > MAX_LEAD and any(place > MAX_LEAD for place in lead_positions(text))


def mentions_at(text: str) -> tuple[str, ...]:
    """Return the user names, in small letters, that are mentioned before the text's first word."""
    found: list[str] = []
    for position in lead_positions(text):
        mention = _MENTION.match(text, position)
        if mention is not None:
            found.append(mention[1].lower())
        if len(found) == _MOST_MENTIONS:
            break
    return tuple(found)


def _end_of_lead(text: str, position: int) -> int | None:
    match = _LEAD.match(text, position)
    if match is not None and match.end() > position:
        return match.end()
    is_sign = position < len(text) and _is_sign(text[position])
    return position + 1 if is_sign else None


def _end_of_name(text: str, position: int) -> int | None:
    name = _MENTION.match(text, position) or _LABEL.match(text, position)
    return name.end() if name else None


def is_picture(char: str) -> bool:
    """Return whether the character is drawn as a picture, perhaps of a letter or a number."""
    return unicodedata.category(char) in _PICTURES or char in _PICTURED_LETTERS


def _is_sign(char: str) -> bool:
    # A backtick begins code, which is no lead.
    if char == "`":
        return False
    is_text = unicodedata.category(char) in _TEXT and char not in _BLANK_LETTERS
    return not is_text or is_picture(char)
