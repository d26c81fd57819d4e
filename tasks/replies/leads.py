"""What may stand in front of a note's prefix or of a mention, and is no text to a person.

Blanks and what is not seen; signs, arrows, quotation marks; emoji of every kind, as they are, as
codes (also those of a server's own) and as emoticons; bullets, numbers and letters of lists, boxes
to tick; pictures; tags of HTML; quoted lines; hashtags and names of people and channels.
"""

import re
import unicodedata
from collections.abc import Iterator

# Modifier letters are drawn as quotation marks or dashes, and begin no word of these prefixes.
_TEXT = frozenset({"Lu", "Ll", "Lt", "Lo", "Nd"})
_PICTURES = frozenset({"So", "No"})
# Letters by Unicode's book that are drawn as a picture, as part of a face, or as a blank.
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
# What begins with a sign and is a picture or a label: ":lock:", "#intern", "~support", "@anna".
_NAMED = re.compile(r":[A-Za-z0-9_+-]{1,100}:|[#~@][A-Za-z]")
_LABEL = re.compile(r"[#~][A-Za-z][\w.-]{1,63}")
# As Mattermost reads names: letters, digits, full stops, hyphens, underscores.
_MENTION = re.compile(r"@([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_MOST_MENTIONS = 5
# More than this in front of the first word is no way to begin a text, and takes time to look at.
MAX_LEAD = 2_000


def lead_positions(text: str) -> Iterator[int]:
    """Yield the places where the text may be said to begin, the first one first.

    The last one is behind ``MAX_LEAD`` where that much holds no text.
    """
    position = 0
    while position <= len(text):
        yield position
        if _NAMED.match(text, position):
            # "🔒:note: x" and "#note: x" look like a code and a label, and are none to a person.
            yield position + 1
        end = _end_of_name(text, position) or _end_of_lead(text, position)
        if end is None or position > MAX_LEAD:
            return
        position = end


def has_endless_lead(text: str) -> bool:
    """Return whether the text does not come to its first word in time."""
    return len(text) > MAX_LEAD and any(place > MAX_LEAD for place in lead_positions(text))


def mentions_at(text: str) -> tuple[str, ...]:
    """Return the names, in small letters, of those that are mentioned before anything is said."""
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
    """Return whether the character is drawn as a picture, be it of a letter or a number."""
    return unicodedata.category(char) in _PICTURES or char in _PICTURED_LETTERS


def _is_sign(char: str) -> bool:
    # Code begins with a backtick.
    if char == "`":
        return False
    is_text = unicodedata.category(char) in _TEXT and char not in _BLANK_LETTERS
    return not is_text or is_picture(char)
