"""Which note prefixes a licence may choose, and which text follows a note prefix."""

import pytest

from models.licence import DEFAULT_NOTE_PREFIXES
from tasks.replies.notes import NotePrefixes
from tasks.replies.plain_text import plain_text_of
from tasks.replies.prefixes import PrefixError, require_sendable_prefixes

PREFIXES = NotePrefixes.parse(DEFAULT_NOTE_PREFIXES)


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
    """The plain text of a note begins after its prefix."""
    assert PREFIXES.without_prefix(plain_text_of(text)) == expected


def test_licence_chooses_its_own_prefixes() -> None:
    """A licence's own prefixes replace the default ones, and match whole words."""
    prefixes = NotePrefixes.parse("intern Geheim:")

    assert [prefixes.matches(text) for text in ("Intern: x", "INTERN", "geheim: x")] == [True] * 3
    assert [prefixes.matches(text) for text in ("internal", "note: x")] == [False] * 2
    assert prefixes.without_prefix("internal") == "internal"


@pytest.mark.parametrize("setting", ["", " ", "intern:", "note: //", "ℹ️ 🔒"])
def test_two_slashes_begin_a_note_for_every_licence(setting: str) -> None:
    """Two slashes begin a note for every licence, whatever prefixes it has chosen."""
    assert NotePrefixes.parse(setting).matches("// call first")
    assert NotePrefixes.parse(setting).without_prefix("// call first") == "call first"


def test_licence_without_prefixes_has_no_other_notes() -> None:
    """With an empty setting no word begins a note."""
    assert not NotePrefixes.parse(" ").matches("note: x")


@pytest.mark.parametrize("setting", ["🔒", ":lock:", "#intern", "->", "(intern)", "ℹ️"])
def test_sign_may_be_a_prefix(setting: str) -> None:
    """A licence may choose a sign as its prefix."""
    prefixes = NotePrefixes.parse(setting)

    assert prefixes.matches(f"{setting} x")
    assert prefixes.matches(f"• **{setting}** x")
    assert not prefixes.matches("• x")
    assert not prefixes.matches("I think so")


@pytest.mark.parametrize(
    "setting", ["note: //", "/note", "!intern", "note: ！x", "／x", "\u200b/x"]
)
def test_prefix_that_is_a_command_is_refused(setting: str) -> None:
    """A prefix that a client would take for a command is refused."""
    with pytest.raises(PrefixError, match="command"):
        require_sendable_prefixes(setting)


@pytest.mark.parametrize("setting", ["", DEFAULT_NOTE_PREFIXES, "intern: #geheim 🔒"])
def test_other_prefixes_are_taken(setting: str) -> None:
    """Words and other signs are accepted as prefixes."""
    require_sendable_prefixes(setting)


@pytest.mark.parametrize("written", ["großes: x", "GROSSES: x", "Grosses: x"])
def test_prefix_is_found_in_each_case_of_its_letters(written: str) -> None:
    """A prefix matches in upper and lower case, for all letters."""
    assert NotePrefixes.parse("Großes:").matches(written)
