"""The names that a text begins with, before its first word."""

import pytest

from tasks.replies.notes import leading_mentions
from tasks.replies.plain_text import Reading


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("@anna look", ("anna",), id="plain"),
        pytest.param("@Anna.De-Vries_2: look", ("anna.de-vries_2",), id="all letters of a name"),
        pytest.param("**@anna** look", ("anna",), id="bold"),
        pytest.param("🔒 :lock: - [x] @anna look", ("anna",), id="after no text"),
        pytest.param("> he said\n\n@anna look", ("anna",), id="under a quote"),
        pytest.param("@jan @anna: look", ("jan", "anna"), id="several"),
        pytest.param("@all", ("all",), id="everybody"),
        pytest.param("&commat;anna look", ("anna",), id="entity"),
        pytest.param("hello @anna", (), id="later"),
        pytest.param("> @anna look", (), id="quoted"),
        pytest.param("`@anna`", (), id="code"),
        pytest.param("@ anna", (), id="no name"),
        pytest.param("info@anna.nl", (), id="address"),
    ],
)
def test_mentions_that_a_text_begins_with(text: str, names: tuple[str, ...]) -> None:
    """Names before the first word are found, also after emoji, quotes and list marks."""
    assert leading_mentions(text, Reading.of(text)) == names
