"""Read a post with an independent Markdown library, and test that all but text is found."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import pytest
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

ZWSP = "\u200b"
BIDI = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
PLAIN_TOKENS = {"paragraph_open", "paragraph_close", "inline", "link_open", "link_close", "text"}
BREAKS = {"softbreak", "hardbreak"}
BARE_ADDRESS = re.compile(
    r"(?:https?|ftp|gemini)://|mailto:\w|tel:\w|www\d{0,3}\.|\w@\w[\w-]*\.\w", re.IGNORECASE
)


class RawLinks(MarkdownIt):
    """A parser that leaves the destinations of links as they are written."""

    def normalizeLink(self, url: str) -> str:
        """Return the destination unchanged."""
        return url


def gfm(*, html: bool = True) -> MarkdownIt:
    """Return a parser with the clients' syntax; with HTML on, it finds unescaped tags."""
    parser = RawLinks("commonmark", {"html": html, "linkify": True, "breaks": True})
    parser.enable(["table", "strikethrough", "linkify"])
    # No client makes a link of a bare "example.nl" or "//example.nl", or accepts a zero width
    # space in a domain. The function `bare_addresses` finds bare e-mail addresses.
    assert parser.linkify is not None
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
    parser.linkify.add("//", None)
    return parser


def server() -> MarkdownIt:
    """Return a parser with the server's syntax: no emphasis, no HTML, no tables."""
    blocks = ["fence", "code", "blockquote", "list", "reference"]
    inlines = ["escape", "entity", "link", "image", "backticks", "newline"]
    return RawLinks("zero").enable([*blocks, *inlines])


GFM = gfm()
# No client of Mattermost renders HTML, so an agent's HTML is text.
AGENT = gfm(html=False)
SERVER = server()


@dataclass(frozen=True)
class Reading:
    """What the reader of a post gets: text, the targets of links, and the names of other parts."""

    text: str
    hrefs: tuple[str, ...]
    foreign: tuple[str, ...]


def read(markdown: str, *, parser: MarkdownIt = GFM) -> Reading:
    """Return what a reader sees of the Markdown."""
    tokens = list(_flat(parser.parse(markdown)))
    links = [token for token in tokens if token.type == "link_open"]
    text = "".join("\n" if token.type in BREAKS else token.content for token in tokens)
    foreign = [token.type for token in tokens if token.type not in PLAIN_TOKENS | BREAKS]
    foreign += [token.markup for token in links if token.markup or token.attrs.get("title")]
    foreign += ["paragraph"] * ([token.type for token in tokens].count("paragraph_open") - 1)
    hrefs = tuple(unquote(str(token.attrs["href"])) for token in links)
    return Reading(visible(text), hrefs, tuple(foreign))


def visible(text: str) -> str:
    """Return the visible text: without zero width spaces and whitespace at line ends."""
    lines = text.replace(ZWSP, "").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip()


def typed(text: str) -> str:
    """Return what the visitor could see when typing: the text without control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (
        "\ufffd" if unicodedata.category(char) == "Cs" else char
        for char in text
        if (unicodedata.category(char) != "Cc" or char in "\n\t") and char not in BIDI
    )
    return visible("".join(kept))


def without_blanks(text: str) -> str:
    """Return the visible characters without any space between them."""
    return re.sub(r"[\s\u200b\ufeff]+", "", typed(text))


def mentions(markdown: str) -> list[str]:
    """Return the users, groups and channels that the server could find mentioned."""
    found = []
    for text in _server_texts(markdown):
        for word in re.split(r"[^\w:.@-]+", text):
            pieces = {word.lstrip(":.-_"), *re.split("[.:-]", word)}
            found += [piece for piece in pieces if re.match(r"@[\w.:-]", piece)]
        found += re.findall(r"~[a-zA-Z0-9_-]+", text)
    return sorted(found)


def bare_addresses(markdown: str) -> list[str]:
    """Return the addresses outside explicit links, which could get a preview."""
    depth, found = 0, []
    for token in _flat(SERVER.parse(markdown)):
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        found += BARE_ADDRESS.findall(token.content) if token.type == "text" and not depth else []
    return found


def _server_texts(markdown: str) -> list[str]:
    return [token.content for token in _flat(SERVER.parse(markdown)) if token.type == "text"]


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from _flat(token.children or [])
        else:
            yield token


# Pieces with a meaning for one of the parsers, and ordinary pieces.
FRAGMENTS = (
    *"\\`*_{}[]()#+-.!>|~<&:;@$\"'=/^% \n\tax3dopsDé1\u00a0\u2003\u2424\u200b\ufeff\x00\x85\u202e",
    *(
        "\n\n",
        "\r\n",
        "   ",
        "\n    ",
        "\n# ",
        "\n> ",
        "\n- ",
        "\n+ ",
        "\n1. ",
        "\n23) ",
        "\n|a|b|",
    ),
    *("\n|-|-|\n", "\n===\n", "\n---\n", "\n***\n", "\n```\n", "\n~~~\n", "**", "__", "~~"),
    *("@channel", "@here.", "@ALL", "@jan", "~town", "#tag", "&commat;all", "&#64;here", "&amp;"),
    *("&lt;b&gt;", "<b>", "</b>", "<!--", "-->", "<script>", "<http://e>", "<a@b.nl>"),
    *("[a]: http://x.nl\n", "[a]", "[^1]", "[x](y)", "![x](http://e/x.png)", "[ ] ", "$x$", "^x^"),
    *(":smile:", ":+1:", ":)", ":-(", ":D", ":@", ";)", "x-d", "<3", "</3", "14:30", "10:5:"),
    *("http://x.nl", "https://e.nl/a_b_(c)?q=1&copy;=2#f~@x", "HTTP://A.NL/%20", "http://", "www."),
    *("www.x.nl", "www2.é.nl/$a$", "http://é.nl/ü", "http://a.nl/`b`", "http://a.nl/[x]", "//x.nl"),
    *("jan.de_vries@x.nl", "mailto:a@b.nl", "tel:123", "ftp://x.nl", "a.nl/b", "javascript:x"),
    *("👩‍👩‍👧", "🇳🇱", "#️⃣", "*️⃣", "e\u0301", "\u0301", "שלום", "مرحبا", "，", "。", "👍🏽", "한"),
)
NASTY = st.lists(
    st.sampled_from(FRAGMENTS) | st.text(max_size=5) | st.characters(codec="ascii"), max_size=25
).map("".join)


@pytest.mark.parametrize(
    ("markdown", "reading"),
    [
        pytest.param("a\n\nb", Reading("ab", (), ("paragraph",)), id="a second paragraph"),
        pytest.param("*a*", Reading("a", (), ("em_open", "em_close")), id="emphasis"),
        pytest.param("~~a~~", Reading("a", (), ("s_open", "s_close")), id="strikethrough"),
        pytest.param("a<b>", Reading("a<b>", (), ("html_inline",)), id="html"),
        pytest.param("`a`", Reading("a", (), ("code_inline",)), id="code"),
        pytest.param("&copy;", Reading("©", (), ()), id="an entity changes the text"),
        pytest.param("a   \n  b", Reading("a\nb", (), ()), id="indentation is lost"),
        pytest.param(
            "x http://a.nl", Reading("x http://a.nl", ("http://a.nl",), ("linkify",)), id="url"
        ),
        pytest.param("<http://a>", Reading("http://a", ("http://a",), ("autolink",)), id="angle"),
        pytest.param("![a](b)", Reading("a", (), ("image",)), id="image"),
        pytest.param("[a](b)", Reading("a", ("b",), ()), id="an explicit link is allowed"),
    ],
)
def test_the_reading_shows_what_is_not_plain_text(markdown: str, reading: Reading) -> None:
    """The text, links or foreign parts of a reading show what does not read as typed."""
    actual = read(markdown)

    assert actual == reading


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        pytest.param(r"\@channel.", ["@channel", "@channel."], id="backslash"),
        pytest.param("**@here**", ["@here"], id="bold"),
        pytest.param("[@all](x)", ["@all"], id="label"),
        pytest.param("<b>@all</b>", ["@all"], id="html"),
        pytest.param("| @all |\n|-|", ["@all"], id="table"),
        pytest.param("&#64;all", ["@all"], id="entity"),
        pytest.param("x.@jan", ["@jan"], id="after a full stop"),
        pytest.param("a ~town", ["~town"], id="channel"),
        pytest.param("@\u200ball `@all` a@b.nl", [], id="defused, code, an e-mail address"),
    ],
)
def test_mentions_are_found_as_the_server_finds_them(markdown: str, expected: list[str]) -> None:
    """Exactly the mentions that the server finds are found."""
    actual = mentions(markdown)

    assert actual == expected


def test_addresses_outside_links_are_found() -> None:
    """A bare address, which would get a preview, is found, and an explicit link is not."""
    actual = bare_addresses("http://a www.b.nl [http://c](http://c) !\\[x](ftp://d) a@b.nl")

    assert actual == ["http://", "www.", "ftp://", "a@b.n"]
