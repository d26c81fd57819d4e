"""A post as a reply: how much of it is kept, who may read it, and when it is empty."""

import pytest

from models.licence import DEFAULT_NOTE_PREFIXES
from tasks.replies.content import MAX_TEXT_LENGTH, PostText
from tasks.replies.notes import NotePrefixes

PREFIXES = NotePrefixes.parse(DEFAULT_NOTE_PREFIXES)


def test_longest_text_is_mattermosts_own() -> None:
    """A text longer than Mattermost's limit is cut."""
    content = PostText.of("x" * 100_000, PREFIXES).as_reply()

    assert content.text == content.plain_text == "x" * MAX_TEXT_LENGTH


def test_what_no_database_stores_is_left_out() -> None:
    """A NUL is removed, and a lone surrogate becomes a question mark."""
    assert PostText.of("a\0b\ud83d", PREFIXES).as_reply().text == "ab?"


@pytest.mark.parametrize(
    ("message", "is_note", "mentions"),
    [
        ("note: x", True, ()),
        ("@all x", True, ("all",)),
        ("@here. x", True, ("here.",)),
        ("@Channel, x", True, ("channel",)),
        ("@jan @all x", True, ("jan", "all")),
        ("@jan x", False, ("jan",)),
        ("@allard x", False, ("allard",)),
        ("x @all", False, ()),
    ],
)
def test_text_says_who_may_read_it(message: str, is_note: bool, mentions: tuple[str, ...]) -> None:
    """A note prefix or a mention of all members makes a note; the names in front are returned."""
    post = PostText.of(message, PREFIXES)

    assert (post.begins_a_note, post.mentions) == (is_note, mentions)


@pytest.mark.parametrize(
    "message",
    [
        "",
        " \n ",
        "\u200b",
        "&#8203;",
        "&nbsp;",
        "\u3164",
        "\u2800",
        "\u200d",
        "\ufe0f",
        "\u17b4",
        "\u180b",
        "\U0001d159",
        "\U000e0100",
        "\U0001d173 \ufff0",
        "&#x17b5;&NewLine;",
        "\u200f",
    ],
    ids=ascii,
)
def test_blanks_are_nothing_to_show(message: str) -> None:
    """Invisible characters alone are an empty reply."""
    assert PostText.of(message, PREFIXES).is_blank


@pytest.mark.parametrize("message", [".", "👍", "[](https://a.nl)", "`", "---", "&"], ids=ascii)
def test_a_sign_is_something(message: str) -> None:
    """A single visible character is a reply."""
    assert not PostText.of(message, PREFIXES).is_blank
