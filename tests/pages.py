"""The project's pages as their readers meet them: headings, links and blocks of code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

ROOT = Path(__file__).resolve().parent.parent
# In the order in which they are read: what a page sets up is there for those behind it.
FIRST = ("docs/quick-start.md", "README.md", "docs/integrating.md")
# Takes things apart, so it comes last, when no other page needs them.
LAST = ("docs/operating.md",)

# What may stand behind a fence's language, as in "sh background": it says how the block is tried.
BACKGROUND = "background"
FILE = "file: "
NO_RUN = "no-run: "


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its page, the line of its fence, its language, and how it is to be tried."""

    page: str
    line: int
    heading: str
    language: str
    directive: str
    code: str

    def __str__(self) -> str:
        """Return where it is, as editors jump to it."""
        return f"{self.page}:{self.line}"

    @property
    def stays(self) -> bool:
        """Say whether it is a command that runs until it is stopped."""
        return self.directive == BACKGROUND

    @property
    def file(self) -> str | None:
        """Return the name under which the reader saves it, None if it is not to be saved."""
        return self._after(FILE)

    @property
    def why_not(self) -> str | None:
        """Return why it cannot be run in a test, None if it can."""
        return self._after(NO_RUN)

    def _after(self, word: str) -> str | None:
        return self.directive.removeprefix(word) if self.directive.startswith(word) else None


def all_pages() -> list[str]:
    """Return the pages, those that build on each other in order."""
    places = ("*.md", "docs/**/*.md", "demo/**/*.md", "benchmarks/**/*.md", "tests/**/*.md")
    found = {str(path.relative_to(ROOT)) for place in places for path in ROOT.glob(place)}
    between = sorted(found - {*FIRST, *LAST})
    return [page for page in (*FIRST, *between, *LAST) if page in found]


@cache
def _tokens(page: str) -> list[Token]:
    parser = MarkdownIt("commonmark").enable("table").use(anchors_plugin, max_level=6)
    return parser.parse((ROOT / page).read_text())


def blocks(page: str) -> Iterator[Block]:
    """Yield the page's fenced blocks."""
    heading, tokens = "", _tokens(page)
    for token, following in zip(tokens, [*tokens[1:], token_of_nothing()], strict=True):
        if token.type == "heading_open":
            heading = following.content
        if token.type == "fence":
            language, _, directive = token.info.strip().partition(" ")
            line = (token.map or [0])[0] + 1
            yield Block(page, line, heading, language, directive.strip(), token.content)


def token_of_nothing() -> Token:
    """Return what stands behind the last token."""
    return Token("", "", 0)


def anchors(page: str) -> set[str]:
    """Return the anchors of the page's headings, as hosts of repositories make them."""
    headings = (token for token in _tokens(page) if token.type == "heading_open")
    return {str(token.attrGet("id")) for token in headings}


def links(page: str) -> Iterator[str]:
    """Yield where the page's links and pictures lead."""
    for token in _tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target is not None:
                yield str(target)
