"""How a member's Markdown reads in a web chat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rendering import plain_text as visitor_markdown
from tasks.replies.plain_text import plain_text_of

CASES = {
    "plain": ("Your room is ready.", "Your room is ready."),
    "empty": ("", ""),
    "lines": ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
    "emphasis": ("**bold**, *italic* and __both__", "bold, italic and both"),
    "bold and italic": ("***a*** **b *c*** *d _e_*", "a b c d e"),
    "bold at the end of italic": ("*d **e***", "d *e***"),
    "bold before a word": ("**Note:**x", "Note:x"),
    "over two lines": ("so *very\nnice* it is", "so very\nnice it is"),
    "struck out stays": ("~~10~~ 8 euro", "~~10~~ 8 euro"),
    "heading": ("# Rooms\nfree", "Rooms\nfree"),
    "underlined heading": ("Rooms\n=====\nfree", "Rooms\nfree"),
    "heading with a number sign": ("# C#", "C#"),
    "link": ("[our site](https://example.com/a_b)", "our site (https://example.com/a_b)"),
    "link in bold": ("**[site](https://a.nl/(b))**", "site (https://a.nl/(b))"),
    "link with a title": ('[site](<https://a.nl> "Our site")', "site (https://a.nl)"),
    "link that names itself": ("[https://a.nl](https://a.nl)", "https://a.nl"),
    "link without a label": ("[](https://a.nl)", "https://a.nl"),
    "link that would run code": ("[click](javascript:alert(1))", "click"),
    "bare address": ("see https://example.com/_a_/__b__ now",) * 2,
    "bare address with percent": ("https://example.com/a%20b",) * 2,
    "bold address": ("**https://a.nl/b_** *www.a.nl*", "https://a.nl/b_ www.a.nl"),
    "address with numbers": ("https://[2001:db8::1]:80/_a_",) * 2,
    "address in brackets": ("<https://example.com>", "https://example.com"),
    "e-mail address": ("_info_@example.com o'brien@example.com",) * 2,
    "slanted e-mail address": ("_info@example.com_", "info@example.com"),
    "mail link": ("[a@b.nl](mailto:a@b.nl)", "a@b.nl"),
    "picture": ("![map](https://example.com/m.png)", "map (https://example.com/m.png)"),
    "picture with a size": ("![m](https://a.nl/m.png =500x200)", "m (https://a.nl/m.png)"),
    "picture with stars": (
        "![5* hotel, *new*](https://a.nl/m)",
        "5* hotel, *new* (https://a.nl/m)",
    ),
    "brackets with a tab": ("a <\tb@c.nl> d",) * 2,
    "item indented under a text": ("a\n    - *b*", "a\n- *b*"),
    "emphasis over a number with a bracket": ("*a\n1) b*", "a\n1) b"),
    "sign under an empty item": ("* \n===",) * 2,
    "bullets": ("* a\n+ b\n  - c", "* a\n+ b\n  - c"),
    "numbers": ("3. a\n4. b\n1) c", "3. a\n4. b\n1) c"),
    "box to tick": ("- [ ] a\n- [x] b",) * 2,
    "quote": ("> he said\n> this\n\nyes", "> he said\n> this\n\nyes"),
    "under a quote": ("> he said\nthis", "> he said\n> this"),
    "code": ("type `*x*` and `:smile:`", "type *x* and :smile:"),
    "code with a backtick": ("`` a`b ``", "a`b"),
    "fence": ("```py\na = 1\n:smile:\n```", "a = 1\n:smile:"),
    "fence in a quote": ("> ~~~\n> *a*\n> ~~~\n*b*", "> *a*\nb"),
    "indented code": ("    *a*\n\n*b*", "*a*\n\nb"),
    "table": ("|room|price|\n|-|-|\n|1|*80*|", "room | price\n1 | 80"),
    "table without edges": ("a|b\n-|-\n1|2\\|3", "a | b\n1 | 2|3"),
    "cells beyond the header": ("|a|b|\n|-|-|\n|1|2|3|", "a | b\n1 | 2 | 3"),
    "rule": ("a\n\n---\n\nb", "a\n\n---\n\nb"),
    "html": ("<b>x</b> & &lt;", "<b>x</b> & <"),
    "escapes": ("\\*a\\* C:\\temp \\\\server", "*a* C:\\temp \\\\server"),
    "reference": ("[a]: https://example.com",) * 2,
    "mention and channel": ("@anna see ~town-square",) * 2,
    "joined emoji": ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    "emoji": (":+1: :thumbsup: :white_check_mark:", "👍 👍 ✅"),
    "emoji beside emphasis": ("*yes* :smile:", "yes 😄"),
}
# Texts that Mattermost shows as typed, or that need their signs for their meaning.
AS_TYPED = {
    "plus": "+",
    "star": "*",
    "price with a plus": "+ 10 euro per night",
    "price with a star": "Deposit:\n* 50 euro",
    "sum": "5 + 3\n=\n8",
    "dash of a signature": "Best\n-\nAnna",
    "date": "01. 02. 2027",
    "day": "08. May",
    "stars for a number": "Your PIN is\n****",
    "product": "2*3*4 = 24",
    "product with blanks": "2 * 3 * 4",
    "rating": "4* and 5* rooms",
    "name with underscores": "the file is my_room_plan",
    "deep quote": "> " * 200 + "deep",
    "deep list": "- " * 200 + "deep",
    "number sign": "#1 is free",
    "lone marks": "a ** b __ c ` d [ e ] f",
    "hebrew": "\u200fשלום\u200f",
}
# Invisible characters, and characters that reverse the text after them.
UNSEEN = {
    "zero width": ("a\u200b@\u200bhere", "a@here"),
    "zero width as an entity": ("a&#8203;b&ZeroWidthSpace;c", "abc"),
    "override": ("\u202eabc", "abc"),
    "override as an entity": ("&#x202e;abc&#8238;", "abc"),
    "isolate": ("\u2067a&#x2069;", "a"),
    "mark of direction": ("&lrm;a\u200f", "a"),
    "hyphen that is not drawn": ("a&shy;b\u00adc", "abc"),
    "byte order mark": ("\ufeffa&#65279;", "a"),
    "control characters": ("a\x07b\r\nc&#7;&#0;", "ab\nc\ufffd"),
    "flag of a region": ("🏴\U000e0067\U000e0062\U000e007f",) * 2,
    "tags of no flag": ("a\U000e0067\U000e0062", "a"),
}


@pytest.mark.parametrize("text", AS_TYPED.values(), ids=AS_TYPED.keys())
def test_signs_that_mark_nothing_stay(text: str) -> None:
    """A sign, a number or a name without markup arrives as typed."""
    assert plain_text_of(text) == text


@pytest.mark.parametrize(("markdown", "expected"), UNSEEN.values(), ids=UNSEEN.keys())
def test_what_is_not_seen_does_not_come_through(markdown: str, expected: str) -> None:
    """Invisible characters are removed, both as characters and as entities."""
    assert plain_text_of(markdown) == expected


@pytest.mark.parametrize(("markdown", "expected"), CASES.values(), ids=CASES.keys())
def test_markdown_reads_as_plain_text(markdown: str, expected: str) -> None:
    """Markdown marks are removed, and the meaning stays."""
    assert plain_text_of(markdown) == expected


@given(text=st.text(max_size=200))
def test_every_text_reads_as_something(text: str) -> None:
    """A text with a letter or digit never becomes empty, and no invisible character is left."""
    plain = plain_text_of(text)

    assert bool(plain) or not any(char.isalnum() for char in text)
    assert not set("\0\u200b\ufeff\u202e\u2066") & set(plain)


@given(text=st.text(st.sampled_from("ab c1.,!?éß€*_`>#|[]()\\~"), max_size=60))
def test_visitor_text_that_is_quoted_back_reads_as_typed(text: str) -> None:
    """A visitor's text that a member quotes loses the escapes of the outbound side."""
    typed = " ".join(text.split())

    assert " ".join(plain_text_of(visitor_markdown(typed)).split()) == typed
