"""Parse the project's pages: headings, links and blocks of code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

ROOT = Path(__file__).resolve().parent.parent
# In the order of reading: later pages use what these pages set up.
FIRST = ("docs/quick-start.md", "README.md", "docs/integrating.md")
# This page removes what the others set up, so it comes last.
LAST = ("docs/operating.md",)

# The directives after a fence's language, as in "sh background", say how a test tries the block.
BACKGROUND = "background"
FILE = "file: "
NO_RUN = "no-run: "


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page, with the line of its fence and the heading above it."""

    page: str
    line: int
    heading: str
    language: str
    directive: str
    code: str

    def __str__(self) -> str:
        """Return the place of the block in the form that editors open."""
        return f"{self.page}:{self.line}"

    @property
    def stays(self) -> bool:
        """Whether the block is a command that runs until it is stopped."""
        return self.directive == BACKGROUND

    @property
    def file(self) -> str | None:
        """The name under which the reader saves the block; None for a block to run."""
        return self._after(FILE)

    @property
    def why_not(self) -> str | None:
        """The reason why no test can run the block; None: a test can run it."""
        return self._after(NO_RUN)

    def _after(self, word: str) -> str | None:
        return self.directive.removeprefix(word) if self.directive.startswith(word) else None


def all_pages() -> list[str]:
    """Return all pages; pages that build on each other are in order."""
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
    for token, following in zip(tokens, [*tokens[1:], empty_token()], strict=True):
        if token.type == "heading_open":
            heading = following.content
        if token.type == "fence":
            language, _, directive = token.info.strip().partition(" ")
            line = (token.map or [0])[0] + 1
            yield Block(page, line, heading, language, directive.strip(), token.content)


def empty_token() -> Token:
    """Return an empty token, to follow the last token of a page."""
    return Token("", "", 0)


def anchors(page: str) -> set[str]:
    """Return the anchors of the page's headings, as GitHub and others make them."""
    headings = (token for token in _tokens(page) if token.type == "heading_open")
    return {str(token.attrGet("id")) for token in headings}


def links(page: str) -> Iterator[str]:
    """Yield the targets of the page's links and pictures."""
    for token in _tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target is not None:
                yield str(target)
