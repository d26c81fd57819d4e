"""How long the reading of a reply takes: in proportion to its length, whatever stands in it."""

import time
from collections.abc import Callable

import pytest

from tasks.replies.plain_text import plain_text_of

# The longest post of a server that was not told otherwise.
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
    *("ﷺ", "😀", "\u200b", "\u202e", "a\u0301", "\0", "\ufe0f", "١", "!", '"', "'", "x"),
)


def cpu_s(read: Callable[[str], object], text: str) -> float:
    """Return the processor's time for one reading: the least of several, so of a calm moment."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        read(text)
        times.append(time.thread_time() - start)
    return min(times)


def text_of(pattern: str, length: int) -> str:
    """Return as much of the repeated pattern."""
    return (pattern * length)[:length]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_twice_the_text_takes_about_twice_as_long(pattern: str) -> None:
    """No text of the longest length takes more than 2.5 times of what its half takes."""
    once = cpu_s(plain_text_of, text_of(pattern, LENGTH // 2))
    twice = cpu_s(plain_text_of, text_of(pattern, LENGTH))

    # Less than this is no measure, and no matter.
    assert twice <= max(2.5 * once, 0.005)


@pytest.fixture(scope="module")
def list_lines_s() -> float:
    """Return how long list lines of the longest length take."""
    return cpu_s(plain_text_of, text_of("- a\n", LENGTH))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_text_takes_much_longer_than_a_list(pattern: str, list_lines_s: float) -> None:
    """No text takes more than three times as long as list lines of the same length."""
    assert cpu_s(plain_text_of, text_of(pattern, LENGTH)) <= 3 * list_lines_s
