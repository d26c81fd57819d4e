"""Parsing a text takes time in proportion to its length, whatever the text is."""

import gc
import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tasks.rendering import agent_text, plain_text
from tasks.replies.notes import NotePrefixes, leading_mentions
from tasks.replies.plain_text import Reading, plain_text_of

# The longest post of a server with the default limit.
LENGTH = 16_383
PATTERNS = (
    *("[", "![", "](", "[a](", "![a](", "[[a](b)", "[x](a 'b ", "[a]: b\n", "[x]( ", "(", "(a"),
    *("://", "http://a.b/(", "https://a.nl ", "www.", "a.nl/", "tel:", "a@b.", "a.b@", "@a", "~"),
    *("*", "*a", "*a* ", "**a ", "**a**", "***a", "_", "_a ", "_a_ ", "*_", "*a_b", "~~", "~~a"),
    *("`", "` ", "`a``", "```\n", "~~~\n", "    a\n", "<", "<a", "<@", "<!--", "<a b=c ", "<a@b>"),
    *(
        "&",
        "&amp;",
        "&#x2066;",
        ":",
        ":a",
        ":a:",
        ":+1:",
        "\\",
        "|",
        "|a|\n",
        "|-|\n",
        "a|b\n-|-\n",
    ),
    *(
        ">",
        "> ",
        "> a\n",
        "- ",
        "1. ",
        "#",
        "# a\n",
        "---\n",
        "=\n",
        "a\n=\n",
        "\n",
        "\t",
        " ",
        "x ",
    ),
    *("<a b='", "<?", "<![CDATA[", "<!a ", "<x@", "a.a.", "a-a.", "x:y", "[`", "[``a", "_a@b.c_ "),
    *(
        "*a **b ",
        "`a ``b ",
        "_*",
        "*_*_",
        "**_**_",
        "~~*~~*",
        "*~~",
        "_.-",
        "*](",
        "[*](",
        "- **a\n",
    ),
    *("> *a\n", "|*a|\n|-|\n", "- a\n  ```\n", "```a\n", "> ```a\n", "https://a.nl/(a(b"),
    *("ﷺ", "😀", "\u200b", "\u202e", "a\u0301", "\0", "\ufe0f", "١", "!", '"', "'", "x"),
)


# Twice the text may take 2.5 times as long, so eight times the text may take 2.5 ** 3 times as
# long. Three doublings together depend less on how busy the machine is than a single one.
DOUBLINGS = 3
PART = LENGTH // 2**DOUBLINGS
MOST = 2.5**DOUBLINGS

# A busy machine can only make a measurement longer. So a text passes if a single measurement is
# short enough, and it is compared with the shortest measurement of the other text.
ROUNDS, MOST_ROUNDS = 3, 20
# Shorter times are too inexact to compare, and do not matter.
NO_MATTER_S = 0.005

Read = Callable[[str], object]

PREFIXES = NotePrefixes.parse("note: notitie: #intern")


@pytest.fixture(autouse=True)
def uncollected() -> Iterator[None]:
    """Switch off the garbage collector, whose time depends on the process's objects."""
    gc.disable()
    yield
    gc.enable()


def cpu_s(read: Read, text: str) -> float:
    """Return the processor time of one reading in this thread."""
    start = time.thread_time()
    read(text)
    return time.thread_time() - start


@cache
def least_s(read: Read, text: str) -> float:
    """Return the least processor time of some readings."""
    return min(cpu_s(read, text) for _ in range(ROUNDS))


def is_within(read: Read, text: str, *, times: float, other: str) -> bool:
    """Return whether reading the text takes at most ``times`` the time of the other text."""
    longest_s = max(times * least_s(read, other), NO_MATTER_S)
    return any(cpu_s(read, text) <= longest_s for _ in range(MOST_ROUNDS))


def text_of(pattern: str, length: int) -> str:
    """Return the repeated pattern cut to this length."""
    return (pattern * length)[:length]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_text_takes_time_in_proportion(pattern: str) -> None:
    """Each doubling of a text takes at most 2.5 times as long, up to the longest text."""
    whole, part = text_of(pattern, LENGTH), text_of(pattern, PART)

    assert is_within(plain_text_of, whole, times=MOST, other=part)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_text_takes_much_longer_than_a_list(pattern: str) -> None:
    """Each text takes at most three times as long as list lines of the same length."""
    text, lines = text_of(pattern, LENGTH), text_of("- a\n", LENGTH)

    assert is_within(plain_text_of, text, times=3, other=lines)


def begins_a_note(text: str) -> object:
    """Parse the text and check whether it begins as a note."""
    reading = Reading(text, text)
    return PREFIXES.matches(text, reading), leading_mentions(text, reading)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_looking_for_a_note_takes_time_in_proportion(pattern: str) -> None:
    """Finding a note takes time in proportion to the length of the text."""
    whole, part = text_of(pattern, LENGTH), text_of(pattern, PART)

    assert is_within(begins_a_note, whole, times=MOST, other=part)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_text_of_an_agent_takes_time_in_proportion(pattern: str) -> None:
    """Rendering an agent's text takes time in proportion to its length."""
    whole, part = text_of(pattern, LENGTH), text_of(pattern, PART)

    assert is_within(agent_text, whole, times=MOST, other=part)


@pytest.mark.parametrize("pattern", [*PATTERNS, "www.a.nl/(", "('http://a.b/(", "'http://a", "$"])
def test_text_of_a_visitor_takes_time_in_proportion(pattern: str) -> None:
    """Rendering a visitor's text takes time in proportion to its length."""
    whole, part = text_of(pattern, LENGTH), text_of(pattern, PART)

    assert is_within(plain_text, whole, times=MOST, other=part)


def test_a_reader_that_takes_longer_and_longer_is_found() -> None:
    """``is_within`` finds a reader that scans the rest of the text again and again."""

    def read(text: str) -> object:
        return [text.count("?", start) for start in range(0, len(text), 4)]

    whole, part = text_of("x ", LENGTH), text_of("x ", PART)

    assert not is_within(read, whole, times=MOST, other=part)
