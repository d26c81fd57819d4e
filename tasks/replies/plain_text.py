"""A team member's Markdown as plain text that reads well in a web chat, and means the same.

Emphasis, headings and code lose their marks; a link keeps its address; quotes and lists keep their
marks as they were typed. ``~~struck~~`` stays as it is: without its marks it would say the
opposite. Mentions and channels (``@anna``, ``~support``) read well as they are.
"""

import html
import re
from dataclasses import dataclass
from typing import Self

from tasks.rendering.characters import clean
from tasks.replies.blocks import Blocks

# What is not seen and means nothing: blanks without width, hyphens that are not drawn, signs of
# notations. They go last, for what they part may mean something when it stands side by side. The
# joiners that emoji and some scripts need are others. Tags belong to the flag before them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+"
)
# Marks of direction; only text from right to left needs them.
_DIRECTION = re.compile("[\u200e\u200f\u061c]")
_FROM_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it reads, and how it begins.

    ``opening`` is the first of its paragraphs that is not a quote, and empty when that is code.
    """

    text: str
    opening: str

    @classmethod
    def of(cls, markdown: str) -> Self:
        """Return how this Markdown reads."""
        source = clean(markdown)
        blocks = Blocks.of(source)
        text = visible("\n".join(blocks.lines))
        return cls(text or _bare(source), visible(blocks.opening or ""))


def _bare(source: str) -> str:
    """Return marks that mark nothing as they are: an empty code block is not nothing to read."""
    return visible(source) if visible(html.unescape(source)) else ""


def plain_text_of(markdown: str) -> str:
    """Return this Markdown as plain text."""
    return Reading.of(markdown).text


def visible(text: str) -> str:
    """Return the text without what is not seen, wherever that came from."""
    text = _INVISIBLE.sub("", clean(text))
    if _DIRECTION.search(text) and not _FROM_RIGHT_TO_LEFT.search(text.replace("\u061c", "")):
        text = _DIRECTION.sub("", text)
    return text.strip()
