"""A team member's Markdown as plain text that reads well in a web chat.

Emphasis, headings and code lose their marks; a link keeps its address, a quote its ``>``, a list
its dashes or numbers. ``~~struck~~`` stays as it is: without its marks it would say the opposite.
Mentions and channels (``@anna``, ``~support``) read well as they are.
"""

from dataclasses import dataclass
from functools import cache
from typing import Self

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tasks.rendering.characters import clean
from tasks.replies.emoji_codes import with_emoji

# Deeper than anybody nests quotes and lists; the parser leaves out what is deeper still.
MAX_NESTING = 50
# What the outbound side puts into visitor text to defuse it, and a member may have quoted; the
# joiners that emoji and some scripts need are others. They go last, for what they part may mean
# something when it stands side by side.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
_CODE_BLOCKS = frozenset({"fence", "code_block"})


class _Parser(MarkdownIt):
    """Leaves web addresses as they are written."""

    def normalizeLink(self, url: str) -> str:
        """Return the destination unchanged."""
        return url

    def normalizeLinkText(self, link: str) -> str:
        """Return the label of a bare address unchanged."""
        return link


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
        tree = SyntaxTreeNode(_parser().parse(source))
        text = _shown(_blocks(tree.children))
        # Nothing that was written may leave nothing at all to read.
        return cls(text or _shown(source), _opening(tree).translate(_INVISIBLE).strip())


def plain_text(markdown: str) -> str:
    """Return this Markdown as plain text."""
    return Reading.of(markdown).text


@cache
def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING})
    # Bare addresses are looked for so that an underscore in one is not taken for emphasis.
    parser.enable(["table", "linkify"])
    # A line like "[a]: b" would not be seen at all.
    parser.disable("reference")
    parser.options["linkify"] = True
    assert parser.linkify is not None
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    return parser


def _shown(text: str) -> str:
    return text.translate(_INVISIBLE).strip()


def _blocks(nodes: list[SyntaxTreeNode], *, between: str = "\n\n") -> str:
    return between.join(text for node in nodes if (text := _block(node)))


def _block(node: SyntaxTreeNode) -> str:
    if node.type == "inline":
        return _inline(node.children)
    if node.type in _CODE_BLOCKS:
        return node.content.rstrip("\n")
    if node.type == "hr":
        return "---"
    if node.type == "blockquote":
        return _indented(_blocks(node.children), first="> ", rest="> ")
    if node.type in {"bullet_list", "ordered_list"}:
        return _list(node)
    if node.type == "tr":
        return " | ".join(map(_block, node.children))
    if node.type == "paragraph" or node.type == "heading" or node.type in {"th", "td"}:
        return _blocks(node.children)
    return _blocks(node.children, between="\n")


def _list(node: SyntaxTreeNode) -> str:
    start = int(node.attrs.get("start", 1))
    items = []
    for number, item in enumerate(node.children, start):
        marker = f"{number}. " if node.type == "ordered_list" else "- "
        text = _blocks(item.children, between="\n")
        items.append(_indented(text, first=marker, rest=" " * len(marker)))
    return "\n".join(items)


def _indented(text: str, *, first: str, rest: str) -> str:
    head, *lines = text.split("\n")
    return "\n".join([first + head, *((rest + line).rstrip() for line in lines)])


def _inline(nodes: list[SyntaxTreeNode]) -> str:
    """Return the text of these nodes; an emoji code may be spread over several, but not code."""
    pieces: list[str] = []
    words = ""
    for node in nodes:
        text = _span(node)
        if node.type in {"text", "text_special"}:
            words += text
            continue
        pieces += [with_emoji(words), text]
        words = ""
    return "".join([*pieces, with_emoji(words)])


def _span(node: SyntaxTreeNode) -> str:
    if node.type in {"softbreak", "hardbreak"}:
        return "\n"
    if node.type == "link":
        return _link(node)
    if node.type == "image":
        return _with_address(with_emoji(node.content), str(node.attrs.get("src", "")))
    if node.children:
        return _inline(node.children)
    return node.content


def _link(node: SyntaxTreeNode) -> str:
    if node.markup in {"autolink", "linkify"}:
        return "".join(child.content for child in node.children)
    return _with_address(_inline(node.children), str(node.attrs.get("href", "")))


def _with_address(label: str, address: str) -> str:
    if not label or label == address:
        return address
    return f"{label} ({address})" if address else label


def _opening(node: SyntaxTreeNode) -> str:
    for child in node.children:
        if child.type == "blockquote" or child.type == "hr":
            continue
        if child.type in _CODE_BLOCKS:
            # The line that opens an empty block is all that was written.
            return "" if child.content.strip() else child.info
        if child.type == "inline":
            begins_with_code = child.children and child.children[0].type == "code_inline"
            return "" if begins_with_code else _inline(child.children)
        return _opening(child)
    return ""
