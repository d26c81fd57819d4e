"""Visitor text reads as typed, links stay links, and no member is mentioned."""

import time
from urllib.parse import unquote

import pytest
from hypothesis import given, settings

from tasks.rendering import plain_text
from tests.unit.test_rendering_oracle import (
    NASTY,
    Reading,
    bare_addresses,
    mentions,
    read,
    typed,
)

THOROUGH = settings(max_examples=400)

AS_TYPED = {
    "heading": "# x",
    "setext": "x\n===\ny\n---",
    "rule": "***\n\n- - -\n___",
    "list": "- x\n* y\n+ z",
    "ordered list": "1. x\n2) y",
    "task list": "- [ ] x\n- [x] y",
    "quote": "> x\n>> y",
    "fence": "```py\nx\n```\n~~~\ny\n~~~",
    "indented code": "    x\n\n\ty",
    "table": "|a|b|\n|-|:-:|\n|1|2|",
    "table without pipes at the sides": "a|b\n-|-\n1|2",
    "script": "<script>alert(1)</script>",
    "comment": "<!-- x -->",
    "entity": "&amp; &lt; &#64; &nbsp; &;",
    "backslash": "\\ \\* \\n C:\\Users\\jan \\\\",
    "trailing backslash": "x\\\ny\\",
    "emphasis": "*a* **b** _c_ __d__ snake_case ~~e~~",
    "code": "`a` ``b`` `",
    "emoji code": ":smile: :+1:",
    "emoticons": ":) ;-) :D :'( <3 </3 x-d :@ :| :$",
    "latex": "$x$ $$y$$",
    "superscript": "^x^ a^2^",
    "hashtag": "#hash #1",
    "reference": "[a]: http:/x\n[a] [b][a]",
    "footnote": "x[^1]\n\n[^1]: y",
    "link": "[@all](x) ![x](y.png)",
    "blank lines": "a\n\n\n\nb",
    "indentation": "  a\n    b\n\tc",
    "runs of spaces": "a  b     c",
    "right to left": "שלום *עולם*",
    "emoji": "👩‍👩‍👧 🇳🇱 #️⃣ *️⃣ 👍🏽",
    "combining marks": "e\u0301 *\u0301 \u0301",
    "zero width": "\u200b# x \u200c\u200d\ufeff",
    "unicode spaces": "\u00a0\u00a0a\u2003b\u3000",
    "sign for newline": "a␤# b",
    "many backslashes": "\\" * 20_000,
    "mentions": "@channel. **@here** @ALL! ~town \\@jan &commat;all",
}

LINKS = {
    "http": ("zie http://x.nl.", ("http://x.nl",)),
    "www": ("(www.x.nl)", ("http://www.x.nl",)),
    "capitals": ("HTTP://X.NL/A", ("HTTP://X.NL/A",)),
    "parentheses": ("http://x.nl/a_(b)_c", ("http://x.nl/a_(b)_c",)),
    "in parentheses": ("(http://x.nl/a_(b))", ("http://x.nl/a_(b)",)),
    "in brackets": ("[http://x.nl]", ("http://x.nl",)),
    "in angle brackets": ("<http://x.nl>", ("http://x.nl",)),
    "in quotes": ('zei "http://a" en', ("http://a",)),
    "at, tilde, hash": ("http://x.nl/@all/~jan#a_b", ("http://x.nl/@all/~jan#a_b",)),
    "underscores": ("_http://x.nl/_a_b_", ("http://x.nl/_a_b",)),
    "backtick, backslash": ("http://x.nl/`a`\\b", ("http://x.nl/`a`\\b",)),
    "entity": ("http://x.nl?a=1&copy;=2", ("http://x.nl?a=1&copy;=2",)),
    "international": ("http://bücher.nl/ü?é", ("http://bücher.nl/ü?é",)),
    "after a question": ("ja!http://e.nl/x.png", ("http://e.nl/x.png",)),
    "after a full stop": ("lees dit.http://x.nl", ("http://x.nl",)),
    "image": ("![x](http://e.nl/x.png)", ("http://e.nl/x.png",)),
    "definition": ("[a]: http://x.nl", ("http://x.nl",)),
    "e-mail": ("mail jan.de_vries+x@mail.x.nl!", ("mailto:jan.de_vries+x@mail.x.nl",)),
    "mailto": ("mailto:a@b.nl", ("mailto:a@b.nl",)),
    "two": ("http://a.nl,http://b.nl www.c.nl", ("http://a.nl,http://b.nl", "http://www.c.nl")),
    "other schemes": ("ftp://x.nl javascript:alert(1) tel:1 data:x foo:bar", ()),
    "no address": ("http:// www. www a@b @x.nl x.nl/a //x.nl", ()),
    "in mid-word": ("xhttp://x.nl", ()),
    "after a backslash": ("\\http://x.nl", ()),
    "as long as a signed link": ("http://x.nl/?s=" + "a" * 2150, ("http://x.nl/?s=" + "a" * 2150,)),
    "endless": ("http://x.nl/" + "a" * 9000, ()),
    # Endings: a mark is a part of the address unless it encloses the address.
    "ends in an underscore": ("https://x.nl/d/Qm9va2luZ_", ("https://x.nl/d/Qm9va2luZ_",)),
    "ends in a star, a tilde": ("http://x.nl/* http://x.nl/~", ("http://x.nl/*", "http://x.nl/~")),
    "in bold": ("**http://x.nl/a** *kijk op http://x.nl*", ("http://x.nl/a", "http://x.nl")),
    "struck out": ("~~http://x.nl~~ en http://x.nl/~", ("http://x.nl", "http://x.nl/~")),
    "ellipsis": ("http://x.nl/a… http://x.nl/b...", ("http://x.nl/a", "http://x.nl/b")),
    "before a semicolon": ("http://x.nl/a; http://x.nl/b!?", ("http://x.nl/a", "http://x.nl/b")),
    # Brackets that are closed within the address belong to it.
    "query of brackets": ("http://x.nl/?f[0]=a", ("http://x.nl/?f[0]=a",)),
    "ends in brackets": ("http://x.nl/a[0]", ("http://x.nl/a[0]",)),
    "open bracket": ("http://x.nl/?f[=a", ("http://x.nl/?f[=a",)),
    "open round bracket": ("http://x.nl/a(b c)", ("http://x.nl/a",)),
    "closing round bracket": ("(http://x.nl/a)b", ("http://x.nl/a",)),
    "brackets and a link": ("http://x.nl/a[0](b)", ("http://x.nl/a[0](b)",)),
    # Markup that was pasted around an address.
    "markdown": ("[http://x.nl/a](http://x.nl/b)", ("http://x.nl/a", "http://x.nl/b")),
    "markdown with a title": ('[a](http://x.nl/b "c")', ("http://x.nl/b",)),
    "label in angle brackets": ("<http://x.nl/a|onze pagina>", ("http://x.nl/a",)),
    "mail in angle brackets": ("<mailto:a@b.nl|schrijf ons>", ("mailto:a@b.nl",)),
    "label of a tracker": ("[pagina|http://x.nl/a|smart-link]", ("http://x.nl/a",)),
    "table": ("|http://x.nl/a|b|", ("http://x.nl/a",)),
    "bulletin board": (
        "[url=http://x.nl/a]hier[/url] [url]http://x.nl/b[/url]",
        ("http://x.nl/a", "http://x.nl/b"),
    ),
    "html": ("<a href='http://x.nl/a'>hier</a>", ("http://x.nl/a",)),
    "code": ("`http://x.nl/a`b", ("http://x.nl/a",)),
    # Quotes: the quote before an address also ends it; other quotes belong to it.
    "json": ('{"url":"http://x.nl/a","n":1}', ("http://x.nl/a",)),
    "list in quotes": ("['http://x.nl/a','http://x.nl/b']", ("http://x.nl/a", "http://x.nl/b")),
    "apostrophe": (
        "http://x.nl/o'brien 'http://x.nl/d'a'",
        ("http://x.nl/o'brien", "http://x.nl/d'a"),
    ),
    "typographic": ("„http://x.nl/a“ «http://x.nl/b»en", ("http://x.nl/a", "http://x.nl/b")),
    "apostrophe in a title": ("http://fr.x.nl/L’Équipe’", ("http://fr.x.nl/L’Équipe",)),
    "quotes inside": (
        'http://x.nl/?q="a"&b=1 http://x.nl/"a"',
        ('http://x.nl/?q="a"&b=1', 'http://x.nl/"a"'),
    ),
    # Hosts.
    "ipv6": ("http://[2001:db8::1]:80/a_(b).", ("http://[2001:db8::1]:80/a_(b)",)),
    "backslash in the host": ("http://x.nl\\@e.nl", ("http://x.nl",)),
    "backslash in the path": ("http://x.nl/a\\b", ("http://x.nl/a\\b",)),
    "colons": ("http://x.nl/urn:key:2", ("http://x.nl/urn:key:2",)),
    # A link to a part of a mailbox's name would lead to another person's mailbox.
    "mailbox with an apostrophe": ("o'brien@x.nl", ("mailto:o'brien@x.nl",)),
    "mailbox with other signs": (
        "a=b@x.nl jan&anna@x.nl jan#1@x.nl a!b@x.nl wat?@x.nl",
        (
            "mailto:a=b@x.nl",
            "mailto:jan&anna@x.nl",
            "mailto:jan#1@x.nl",
            "mailto:a!b@x.nl",
            "mailto:wat?@x.nl",
        ),
    ),
    "mailbox in quotes": ("'jan@x.nl' *jan@x.nl* `jan@x.nl`", ("mailto:jan@x.nl",) * 3),
    "mailbox after dots": ("mail:...jan@x.nl", ("mailto:jan@x.nl",)),
    "mailbox with a doubtful start": ("o’brien@x.nl #1@x.nl a/b@x.nl 1%a@x.nl a..b@x.nl", ()),
}


@pytest.mark.parametrize("text", AS_TYPED.values(), ids=AS_TYPED)
def test_text_reads_as_typed(text: str) -> None:
    """A text that looks like Markdown, HTML or a code reads as the typed characters."""
    markdown = plain_text(text)

    assert (read(markdown), mentions(markdown)) == (Reading(typed(text), (), ()), [])


@pytest.mark.parametrize(("text", "hrefs"), LINKS.values(), ids=LINKS)
def test_addresses_become_explicit_links(text: str, hrefs: tuple[str, ...]) -> None:
    """An address reads as typed and becomes an explicit link, and no other text does."""
    markdown = plain_text(text)

    assert (read(markdown), bare_addresses(markdown)) == (Reading(typed(text), hrefs, ()), [])


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        pytest.param("Hallo, is boek 3 er al? Ja!", "Hallo, is boek 3 er al? Ja!", id="prose"),
        pytest.param("Om 14:30 of 4:3, $5", "Om 14:30 of 4:3, $5", id="times and prices"),
        pytest.param("om 9:05:10", "om 9:\u200b05:10", id="a time that could be an emoji code"),
        pytest.param("Schaal 1:100: zie", "Schaal 1:\u200b100: zie", id="a ratio and a colon"),
        # The web client would show a backslash before any of these signs.
        pytest.param("a<b & \"c\" = 'd' %", "a&lt;b & \"c\" = 'd' %", id="no needless escapes"),
        # The web client has no escape for a backslash before a word.
        pytest.param(r"\a \* \ ", r"\a \\* \\", id="backslashes"),
        pytest.param("!www.x.nl", "!\u200b[www.x.nl](http://www.x.nl)", id="link after !"),
        pytest.param("a.nl/b", "a.nl\u200b/b", id="an address to the web client alone"),
        pytest.param("foo:bar :x:", "foo:\u200bbar :\u200bx:", id="scheme and emoji code"),
        pytest.param("ftp://a", "ftp:\u200b//a", id="a scheme that is not linked"),
        pytest.param("$a$", "$a&#36;", id="latex"),
        pytest.param(
            "http://x.nl/a:b:c", "[http://x.nl/a:\u200bb:c](http://x.nl/a:b:c)", id="label"
        ),
        pytest.param("a~b ~c", "a\\~\u200bb \\~\u200bc", id="two tildes"),
        pytest.param("a\r\nb\rc\x00\x1b\x85\u202e", "a\nb\nc", id="control characters"),
        pytest.param("\ud800x", "\ufffdx", id="lone surrogate"),
        pytest.param(" \n ", "", id="nothing but whitespace"),
    ],
)
def test_text_is_written_for_all_three_parsers(text: str, markdown: str) -> None:
    """A text that only the web client would misread is escaped for it, too."""
    actual = plain_text(text)

    assert actual == markdown


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("snake_case, jan_de_vries en a__b", id="underscores in names"),
        pytest.param("5* hotel", id="a lone star"),
        pytest.param("*kan", id="a correction"),
        pytest.param("2 * 3 * 4", id="stars with spaces"),
        pytest.param("[zie bijlage] en a[0]", id="brackets"),
        pytest.param("[ ] ja [x] nee", id="check boxes"),
        pytest.param("van $5 tot $10, of US$20", id="prices"),
        pytest.param("10$ en 20$", id="prices with the sign behind"),
        pytest.param("a < b, <5 en i <= 3", id="less than"),
        pytest.param("~ 5 euro", id="about"),
        pytest.param("5`", id="a lone backtick"),
        pytest.param("14 > 3", id="greater than"),
    ],
)
def test_what_means_nothing_is_not_escaped(text: str) -> None:
    """No unneeded escape is written, because notifications on phones show escapes."""
    assert plain_text(text) == text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        pytest.param(
            "jan_de_vries@x.nl", "[jan_de_vries@\u200bx.nl](mailto:jan_de_vries@x.nl)", id="e-mail"
        ),
        pytest.param(
            "http://x.nl/a_b?c[0]", "[http://x.nl/a_b?c[0]](http://x.nl/a_b?c%5B0%5D)", id="web"
        ),
        pytest.param(
            "http://x.nl/?f[=a", "[http://x.nl/?f&#91;=a](http://x.nl/?f%5B=a)", id="open bracket"
        ),
    ],
)
def test_the_label_of_a_link_has_few_escapes(text: str, markdown: str) -> None:
    """The label of a link reads as typed even where notifications show its source."""
    assert plain_text(text) == markdown


@THOROUGH
@given(NASTY)
def test_any_text_reads_as_typed(text: str) -> None:
    """Any text reads as typed, in one paragraph, with only text and our own links."""
    reading = read(plain_text(text))

    assert (reading.text, reading.foreign) == (typed(text), ())


@THOROUGH
@given(NASTY)
def test_no_text_mentions_a_member(text: str) -> None:
    """No user, group or channel can be mentioned."""
    actual = mentions(plain_text(text))

    assert actual == []


@THOROUGH
@given(NASTY)
def test_every_link_is_an_address_that_was_typed(text: str) -> None:
    """All links lead to addresses in the text, and no address is left for a preview."""
    markdown = plain_text(text)

    addresses = [href.removeprefix("mailto:") for href in read(markdown).hrefs]
    source = unquote(typed(text))
    unknown = [
        address
        for address in addresses
        if address not in source and address.removeprefix("http://") not in source
    ]
    assert (unknown, bare_addresses(markdown)) == ([], [])


@pytest.mark.parametrize(
    "text", ["\\", "Hallo, dit is een zin. ", "http://", "http://x.nl](", "a_*$<[", "_http://x.nl "]
)
def test_a_million_characters_are_written_in_five_seconds(text: str) -> None:
    """A repeated pattern of a million characters takes less than five seconds."""
    text = text * (1_000_000 // len(text)) + "x"

    started_s = time.process_time()
    plain_text(text)

    assert time.process_time() - started_s < 5
