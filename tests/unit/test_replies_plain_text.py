"""How a team member's Markdown reads in a web chat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rendering import plain_text as visitor_markdown
from tasks.replies.emoji_codes import with_emoji
from tasks.replies.plain_text import plain_text

CASES = {
    "plain": ("Your room is ready.", "Your room is ready."),
    "empty": ("", ""),
    "lines": ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
    "emphasis": ("**bold**, *italic* and __both__", "bold, italic and both"),
    "struck out stays": ("~~10~~ 8 euro", "~~10~~ 8 euro"),
    "heading": ("# Rooms\nfree", "Rooms\n\nfree"),
    "link": ("[our site](https://example.com/a_b)", "our site (https://example.com/a_b)"),
    "link that names itself": ("[https://a.nl](https://a.nl)", "https://a.nl"),
    "bare address": ("see https://example.com/_a_/__b__ now",) * 2,
    "bare address with percent": ("https://example.com/a%20b",) * 2,
    "address in brackets": ("<https://example.com>", "https://example.com"),
    "picture": ("![map](https://example.com/m.png)", "map (https://example.com/m.png)"),
    "bullets": ("* a\n* b\n  * c", "- a\n- b\n  - c"),
    "numbers": ("3. a\n4. b", "3. a\n4. b"),
    "quote": ("> he said\n> this\n\nyes", "> he said\n> this\n\nyes"),
    "code": ("type `*x*` and `:smile:`", "type *x* and :smile:"),
    "fence": ("```py\na = 1\n:smile:\n```", "a = 1\n:smile:"),
    "table": ("|room|price|\n|-|-|\n|1|80|", "room | price\n1 | 80"),
    "rule": ("a\n\n---\n\nb", "a\n\n---\n\nb"),
    "html": ("<b>x</b> & &lt;", "<b>x</b> & <"),
    "reference": ("[a]: https://example.com",) * 2,
    "mention and channel": ("@anna see ~town-square",) * 2,
    "zero width": ("a\u200b@\u200bhere", "a@here"),
    "joined emoji": ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    "emoji": (":+1: :thumbsup: :white_check_mark:", "👍 👍 ✅"),
    "emoji beside emphasis": ("*yes* :smile:", "yes 😄"),
    "control characters": ("a\x07b\r\nc", "ab\nc"),
}


@pytest.mark.parametrize(("markdown", "expected"), CASES.values(), ids=CASES.keys())
def test_markdown_reads_as_plain_text(markdown: str, expected: str) -> None:
    """Marks go, meaning stays."""
    assert plain_text(markdown) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (":smile:", "😄"),
        (":simple_smile:", "🙂"),
        (":-1:", "👎"),
        (":100:", "💯"),
        (":flag-nl:", "🇳🇱"),
        (":+1_medium_skin_tone:", "👍🏽"),
        (":woman-shrugging:", "🤷\u200d♀️"),
        ("(:tada:)", "(🎉)"),
        (":tada::tada:", "🎉🎉"),
        (":mattermost:", ":mattermost:"),
        ("10:30:45", "10:30:45"),
        ("a:smile:", "a:smile:"),
        (":Smile:", ":Smile:"),
    ],
)
def test_emoji_codes_become_unicode(code: str, expected: str) -> None:
    """Mattermost's codes become emoji; what is none stays as it is."""
    assert with_emoji(code) == expected


def test_deep_nesting_ends() -> None:
    """A text of thousands of quotation marks is read in no time, and something is left of it."""
    assert plain_text(">" * 16_000)
    assert plain_text("> " * 40 + "deep").endswith("deep")


@given(text=st.text(max_size=200))
def test_every_text_reads_as_something(text: str) -> None:
    """Nothing that can be seen becomes nothing, and the invisible does not come through."""
    plain = plain_text(text)

    assert bool(plain) or not any(char.isalnum() for char in text)
    assert not set("\0\u200b\ufeff") & set(plain)


@given(text=st.text(st.sampled_from("ab c1.,!?éß€*_`>#|[]()\\~"), max_size=60))
def test_visitor_text_that_is_quoted_back_reads_as_typed(text: str) -> None:
    """What the outbound side escaped for Mattermost loses its escapes again."""
    typed = " ".join(text.split())

    assert " ".join(plain_text(visitor_markdown(typed)).split()) == typed
