"""A post as a reply: how much is taken of it, who may read it, and what is nothing to read."""

import pytest

from models.licence import DEFAULT_NOTE_PREFIXES
from tasks.replies.content import MAX_TEXT_LENGTH, Words
from tasks.replies.notes import NotePrefixes

PREFIXES = NotePrefixes.parse(DEFAULT_NOTE_PREFIXES)


def test_longest_text_is_mattermosts_own() -> None:
    """A server that sends more has the rest cut off."""
    content = Words.of("x" * 100_000, PREFIXES).as_reply()

    assert content.text == content.plain_text == "x" * MAX_TEXT_LENGTH


def test_what_no_database_stores_is_left_out() -> None:
    """A NUL goes, and half an emoji becomes a question mark; the rest is kept."""
    assert Words.of("a\0b\ud83d", PREFIXES).as_reply().text == "ab?"


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
    """Prefixes and mentions of all make a note; other names are asked for."""
    words = Words.of(message, PREFIXES)

    assert (words.begin_a_note, words.mentions) == (is_note, mentions)


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
    """What is not seen is nothing, however it was typed."""
    assert Words.of(message, PREFIXES).are_blank


@pytest.mark.parametrize("message", [".", "👍", "[](https://a.nl)", "`", "---", "&"], ids=ascii)
def test_a_sign_is_something(message: str) -> None:
    """A visitor sees it."""
    assert not Words.of(message, PREFIXES).are_blank
