"""Which texts are blank: those in which a reader sees nothing."""

import pytest

from ireserve_mattermost.values import is_blank


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("", True),
        (" \t\n\u00a0\u3000", True),
        ("\u200b\u2060\u00ad\ufeff\u202e", True),
        ("\u3164\u2800\u115f\u034f\ufe0f", True),
        (".", False),
        ("\u0301", False),
        ("\u200b0", False),
    ],
    ids=ascii,
)
def test_what_cannot_be_seen_is_blank(text: str, blank: bool) -> None:
    """Spaces, format characters and fillers count as blank."""
    assert is_blank(text) is blank
