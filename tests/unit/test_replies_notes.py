"""What counts as an internal note, and what is left of it without its prefix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.licence import DEFAULT_NOTE_PREFIXES
from tasks.replies.notes import NotePrefixes
from tasks.replies.plain_text import plain_text_of

PREFIXES = NotePrefixes.parse(DEFAULT_NOTE_PREFIXES)

NOTES = {
    "plain": "note: call first",
    "no space after it": "note:call first",
    "alone": "note:",
    "capitals": "NOTE: call first",
    "capital": "Note: call first",
    "space before the colon": "Note : call first",
    "leading spaces": "   note: call first",
    "leading tab": "\tnote: call first",
    "indented like code": "    note: call first",
    "leading newlines": "\n\n \nnote: call first",
    "windows line ends": "\r\nnote: call first",
    "no-break space": "\u00a0note: call first",
    "zero width space before": "\u200bnote: call first",
    "zero width space inside": "no\u200bte: call first",
    "byte order mark": "\ufeffnote: call first",
    "soft hyphen": "no\u00adte: call first",
    "hangul filler": "\u3164note: call first",
    "braille blank": "\u2800note: call first",
    "wide colon": "note： call first",
    "wide letters": "ｎｏｔｅ: call first",
    "bold": "**note:** call first",
    "bold word": "**Note**: call first",
    "italic": "_note:_ call first",
    "italic left open": "_note: call first",
    "struck": "~~note:~~ call first",
    "heading": "# note: call first",
    "bullet": "- note: call first",
    "numbered": "1. note: call first",
    "task": "- [ ] note: call first",
    "entity": "&#110;ote: call first",
    "escaped": "\\note: call first",
    "escaped colon": "note\\: call first",
    "link": "[note:](https://example.com) call first",
    "table": "|note: call first|\n|-|",
    "in brackets": "(note: call first)",
    "after a lock": "🔒 note: call first",
    "after a rule": "---\nnote: call first",
    "under a quote": "> what he said\n\nnote: call first",
    "right under a quote": "> what he said\nnote: call first",
    "slashes": "// call first",
    "slashes without space": "//call first",
    "slashes alone": "//",
    "three slashes": "/// call first",
    "address without scheme": "//example.com/x",
    "escaped slash": "\\// call first",
    "on the line of a fence": "~~~note: call first",
}
REPLIES = {
    "empty": "",
    "spaces": "  \n ",
    "text": "Your room is ready",
    "longer word": "notebook: bring yours",
    "notes": "notes: none",
    "without colon": "note that we close at six",
    "in the middle": "Please note: we close at six",
    "second line": "Hello\nnote: we close at six",
    "quoted": "> note: call first",
    "quoted deeper": "> > note: call first",
    "quoted, then a reply": "> note: call first\n\nWill do",
    "code": "`note: call first`",
    "fenced": "```\nnote: call first\n```",
    "tildes": "~~~\nnote: call first\n~~~",
    "web address": "https://example.com // x",
    "one slash": "/ call first",
    "fraction": "1//2",
    "mention": "@anna note: call first",
}


@pytest.mark.parametrize("text", NOTES.values(), ids=NOTES.keys())
def test_what_looks_like_a_note_is_one(text: str) -> None:
    """A text that a reader takes for a note is a note."""
    assert PREFIXES.matches(text)


@pytest.mark.parametrize("text", REPLIES.values(), ids=REPLIES.keys())
def test_what_does_not_begin_like_a_note_is_a_reply(text: str) -> None:
    """Other words, later places, quotes and code are no notes."""
    assert not PREFIXES.matches(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("note: call first", "call first", id="plain"),
        pytest.param("**Note :** call *first*", "call first", id="marked up"),
        pytest.param("// note: twice", "note: twice", id="only one prefix goes"),
        pytest.param("//", "", id="nothing but the prefix"),
        pytest.param("- note: a\n- b", "a\n- b", id="list"),
        pytest.param("note： wide", "wide", id="wide colon"),
    ],
)
def test_plain_text_of_a_note_lacks_the_prefix(text: str, expected: str) -> None:
    """The plain text begins after the prefix."""
    assert PREFIXES.without_prefix(plain_text_of(text)) == expected


def test_licence_chooses_its_own_prefixes() -> None:
    """Other words take the place of the default ones; a word is matched as a whole."""
    prefixes = NotePrefixes.parse("intern Geheim:")

    assert [prefixes.matches(text) for text in ("Intern: x", "INTERN", "geheim: x")] == [True] * 3
    assert [prefixes.matches(text) for text in ("internal", "note: x", "// x")] == [False] * 3
    assert prefixes.without_prefix("internal") == "internal"


def test_licence_without_prefixes_has_no_notes() -> None:
    """An empty setting switches notes off."""
    assert not NotePrefixes.parse(" ").matches("note: x")


@given(
    lead=st.text(st.sampled_from(" \n\t\u200b\u00a0\ufeff\u2060*#-+\\"), max_size=6),
    prefix=st.sampled_from(["note:", "Note :", "NOTE:", "//", "note："]),
    text=st.text(max_size=40),
)
def test_whatever_follows_or_is_not_seen_before_a_prefix_it_is_a_note(
    lead: str, prefix: str, text: str
) -> None:
    """Blanks and marks in front, and any text behind, leave a note a note."""
    assert PREFIXES.matches(lead + prefix + " " + text)


@given(text=st.text(max_size=80))
def test_every_text_is_judged(text: str) -> None:
    """No text makes the judgement fail, and a note's plain text is a part of the whole one."""
    plain = plain_text_of(text)

    assert PREFIXES.matches(text) in (True, False)
    assert PREFIXES.without_prefix(plain) in plain


@pytest.mark.parametrize("written", ["großes: x", "GROSSES: x", "Grosses: x"])
def test_prefix_is_found_in_each_case_of_its_letters(written: str) -> None:
    """Letters that have more than one form in the other case are no exception."""
    assert NotePrefixes.parse("Großes:").matches(written)
