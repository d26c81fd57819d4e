"""How rows are printed: as a table if it fits, else as blocks, and as one line each in a pipe."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tasks.cli.output import UNLIMITED_WIDTH, counted
from tasks.cli.tables import table

HEADINGS = ("id", "licence", "reason", "cure")
LONG = "licence-" + "x" * 56
SENTENCE = "Ask the server's administrator which plugin filters posts, and exempt the bot."


def lines(cells: Sequence[Sequence[object]], *, width: int) -> list[str]:
    """Return the lines of these rows on a terminal of this width."""
    console = Console(file=io.StringIO(), width=width, highlight=False, emoji=False, markup=False)
    with console.capture() as captured:
        console.print(*table(HEADINGS, cells).shown(console), sep="\n")
    return [line.rstrip() for line in captured.get().splitlines()]


def test_sentence_at_the_end_of_a_row_is_wrapped_beside_it() -> None:
    """A long sentence is wrapped in its own column, and the other columns stay whole."""
    shown = lines([(7, "licence-7", "rejected_by_plugin", SENTENCE)], width=80)

    assert shown == [
        "id licence   reason             cure",
        "7  licence-7 rejected_by_plugin Ask the server's administrator which plugin",
        "                                filters posts, and exempt the bot.",
    ]


def test_row_that_does_not_fit_becomes_a_block() -> None:
    """A row that is too wide becomes a block of headings and cells, without empty cells."""
    shown = lines([(7, LONG, None, SENTENCE), (8, LONG, "timeout", "")], width=80)

    assert shown == [
        "id      7",
        f"licence {LONG}",
        "cure    Ask the server's administrator which plugin filters posts, and exempt",
        "        the bot.",
        "",
        "id      8",
        f"licence {LONG}",
        "reason  timeout",
        "",
    ]


def test_row_in_a_pipe_is_one_line_however_long() -> None:
    """A row in a pipe is never wrapped, so that programs can search it."""
    shown = lines([(7, LONG, "x" * 300, SENTENCE)], width=UNLIMITED_WIDTH)

    assert len(shown) == 2
    assert shown[1].split(maxsplit=3) == ["7", LONG, "x" * 300, SENTENCE]


@given(
    st.lists(st.tuples(*[st.text("abc -", max_size=90)] * 4), min_size=1, max_size=4),
    st.integers(60, 200),
)
def test_no_line_is_wider_than_the_terminal(cells: list[tuple[str, ...]], width: int) -> None:
    """Whatever the rows hold, no line is wider than the terminal."""
    assert [line for line in lines(cells, width=width) if len(line) > width] == []


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 messages"), (1, "1 message"), (2, "2 messages")]
)
def test_noun_has_its_number(number: int, text: str) -> None:
    """A noun after 1 is in the singular."""
    assert counted(number, "message") == text
