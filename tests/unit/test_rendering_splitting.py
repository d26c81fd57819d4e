"""Long texts are cut at sensible places, and nothing is lost or broken."""

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rendering.agent import AgentText
from tasks.rendering.plain import PlainText
from tasks.rendering.splitting import Sliceable, split
from tests.unit.test_rendering_oracle import NASTY, Reading, mentions, read, typed

THOROUGH = settings(max_examples=200)
# Small enough for many cuts, large enough for the longest grapheme of the fragments.
BUDGETS = st.integers(min_value=100, max_value=400)
LONG = st.lists(NASTY, max_size=12).map("".join)
# Texts with almost no place for a cut except between graphemes.
CLUSTERS = st.lists(
    st.sampled_from(
        ["👩‍👩‍👧", "👍🏽", "🇳🇱", "e\u0301\u0302", "\u0301", "한", "*", "a", " \u0301", "क्ष"]
    ),
    max_size=150,
).map("".join)


def sources(text: Sliceable, *, budget: int) -> list[str]:
    """Return the pieces of the source into which the text is split."""
    return [text.source[start:end] for start, end in split(text, budget=budget)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("a b", ["a b"], id="it fits"),
        pytest.param("aaa. b\n\nc.\nd ee", ["aaa. b\n\n", "c.\nd ee"], id="paragraph"),
        pytest.param("a b c d.\ne f g", ["a b c d.\n", "e f g"], id="line"),
        pytest.param("aa bb cc. dd ee", ["aa bb cc. ", "dd ee"], id="sentence"),
        pytest.param("aaaa bbbb cccc dd", ["aaaa bbbb ", "cccc dd"], id="word"),
        pytest.param("a bbbbbbbbbbbbbbbbb", ["a ", "bbbbbbbbbbbb", "bbbbb"], id="long word"),
        pytest.param("aaaaaaaaaaa👩‍👩‍👧b", ["aaaaaaaaaaa", "👩‍👩‍👧b"], id="emoji"),
        pytest.param("🇳🇱🇩🇪🇫🇷🇳🇱🇩🇪🇫🇷🇳🇱", ["🇳🇱🇩🇪🇫🇷🇳🇱🇩🇪🇫🇷", "🇳🇱"], id="flags"),
        pytest.param("aaaaaaaaaaae\u0301", ["aaaaaaaaaaa", "e\u0301"], id="combining mark"),
        pytest.param("aaaaaaaa \u0301aaaa", ["aaaaaaaa \u0301aa", "aa"], id="marked space"),
        pytest.param("aaaaaaaaaaa**b", ["aaaaaaaaaaa", "**b"], id="escape"),
        pytest.param("zzzzzzzzzz14:30", ["zzzzzzzzzz1", "4:30"], id="time"),
        pytest.param(
            "a" + "\u0301" * 20, ["a" + "\u0301" * 11, "\u0301" * 9], id="endless grapheme"
        ),
    ],
)
def test_text_is_cut_at_the_most_sensible_place(text: str, pieces: list[str]) -> None:
    """A text is cut after a paragraph, else a line, a sentence, a word or a grapheme."""
    actual = sources(PlainText.of(text, budget=14), budget=14)

    assert actual == pieces


@THOROUGH
@given(LONG, BUDGETS)
def test_every_slice_fits_and_reads_as_typed(text: str, budget: int) -> None:
    """Each slice is short enough, reads as its part of the text, and mentions no member."""
    plain = PlainText.of(text, budget=budget)

    for start, end in split(plain, budget=budget):
        markdown = plain.write(start, end)
        reading = read(markdown)
        assert len(markdown) <= budget
        assert (reading.text, reading.foreign) == (typed(plain.source[start:end]), ())
        assert mentions(markdown) == []


@THOROUGH
@given(LONG, BUDGETS)
def test_slices_join_to_the_text(text: str, budget: int) -> None:
    """The slices joined are the text, with nothing lost, doubled or moved."""
    for sliceable in (PlainText.of(text, budget=budget), AgentText.of(text)):
        pieces = sources(sliceable, budget=budget)

        assert "".join(pieces) == sliceable.source
        assert "" not in pieces


@THOROUGH
@given(CLUSTERS, st.integers(min_value=40, max_value=60))
def test_no_grapheme_is_cut(text: str, budget: int) -> None:
    """Every cut is between two graphemes."""
    for sliceable in (PlainText.of(text, budget=budget), AgentText.of(text)):
        pieces = sources(sliceable, budget=budget)

        graphemes = [grapheme for piece in pieces for grapheme in regex.findall(r"\X", piece)]
        assert graphemes == regex.findall(r"\X", sliceable.source)


def test_a_backslash_before_a_cut_stays_a_backslash() -> None:
    """A backslash is escaped if a cut separates it from the letter after it."""
    plain = PlainText.of("a\\b")

    parts = [plain.write(0, 2), plain.write(2, 3), plain.write(0, 3)]

    assert parts == ["a\\\\", "b", "a\\b"]


def test_a_link_is_never_cut() -> None:
    """A link moves whole to the next message, and a link that fits in no message becomes text."""
    text = "zie: http://x.nl/" + "a" * 30 + " en http://x.nl/" + "b" * 100

    plain = PlainText.of(text, budget=120)
    readings = [read(plain.write(*slice_)) for slice_ in split(plain, budget=120)]

    assert readings == [
        Reading("zie: http://x.nl/" + "a" * 30 + " en", ("http://x.nl/" + "a" * 30,), ()),
        Reading("http://x.nl/" + "b" * 100, (), ()),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\\", id="backslashes"),
        pytest.param("\n", id="newlines"),
        pytest.param("@all ", id="mentions"),
        pytest.param("a", id="no place to cut"),
        pytest.param("```\n", id="fences"),
        pytest.param(" \u0301", id="spaces that are no place to cut"),
        pytest.param("Hallo, dit is een zin. ", id="prose"),
    ],
)
@pytest.mark.parametrize("kind", [PlainText, AgentText])
def test_a_long_text_is_split_in_four_seconds(
    text: str, kind: type[PlainText] | type[AgentText]
) -> None:
    """A repeated pattern of 250,000 characters is split in less than four seconds."""
    text = text * (250_000 // len(text)) + "x"

    started_s = time.process_time()
    sliceable = kind.of(text)
    longest = max(len(sliceable.write(*slice_)) for slice_ in split(sliceable, budget=16_000))

    assert longest <= 16_000
    assert time.process_time() - started_s < 4
