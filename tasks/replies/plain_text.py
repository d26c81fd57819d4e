"""A team member's Markdown as plain text that reads well in a web chat and means the same.

Emphasis, headings and code lose their marks. A link keeps its address; quotes and lists keep their
marks. ``~~struck~~`` stays as it is, since it would say the opposite without its marks. Mentions
and channels (``@anna``, ``~support``) stay as they are, too.
"""

import html
import re
from dataclasses import dataclass
from typing import Self

from tasks.rendering.characters import clean
from tasks.replies.blocks import Blocks

# Invisible characters without meaning: blanks without width, soft hyphens, signs of notations. They
# are removed last, since the characters beside them may be marks once they are adjacent. Joiners,
# which emoji and some scripts need, are not among them. Tags stay behind the flag they belong to.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+"
)
# Direction marks, which only text from right to left needs.
_DIRECTION = re.compile("[\u200e\u200f\u061c]")
_FROM_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as plain text, and how it begins.

    ``opening`` is its first paragraph that is not a quote; it is empty if that is code.
    """

    text: str
    opening: str

    @classmethod
    def of(cls, markdown: str) -> Self:
        """Return this Markdown as plain text, with its opening."""
        source = clean(markdown)
        blocks = Blocks.of(source)
        text = visible("\n".join(blocks.lines))
        return cls(text or _bare(source), visible(blocks.opening or ""))


def _bare(source: str) -> str:
    """Return the source of a text that has only marks, such as an empty code block."""
    return visible(source) if visible(html.unescape(source)) else ""


def plain_text_of(markdown: str) -> str:
    """Return this Markdown as plain text."""
    return Reading.of(markdown).text


def visible(text: str) -> str:
    """Return the text without invisible characters and without blanks around it."""
    text = _INVISIBLE.sub("", clean(text))
    if _DIRECTION.search(text) and not _FROM_RIGHT_TO_LEFT.search(text.replace("\u061c", "")):
        text = _DIRECTION.sub("", text)
    return text.strip()
