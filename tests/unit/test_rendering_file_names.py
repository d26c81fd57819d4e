"""File names are changed so that Mattermost can store and show them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rendering import safe_file_name
from tasks.rendering.file_names import MAX_NAME_BYTES
from tests.unit.test_rendering_oracle import NASTY


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("foto 1.png", "foto 1.png", id="as it is"),
        pytest.param("@all *é*.png", "@all *é*.png", id="Markdown is nothing to a file name"),
        pytest.param("/etc/a/b.txt", "b.txt", id="path"),
        pytest.param("C:\\a\\b.txt", "b.txt", id="Windows path"),
        pytest.param("../..", "file", id="parent"),
        pytest.param("a/", "a", id="folder"),
        pytest.param("", "file", id="empty"),
        pytest.param(" . ", "file", id="dots"),
        pytest.param("\u200b", "file", id="unseen"),
        pytest.param("\u3164.\u00ad", "file", id="unseen around a dot"),
        pytest.param("a\x00b\nc\u202egnp.exe", "ab cgnp.exe", id="control characters"),
        pytest.param(".profile", ".profile", id="no stem"),
        pytest.param("é" * 150 + ".jpeg", "é" * 97 + ".jpeg", id="long"),
        pytest.param("a" * 201, "a" * 200, id="long without extension"),
        pytest.param("a." + "b" * 300, "a." + "b" * 198, id="long extension"),
        pytest.param("." + "b" * 300, "." + "b" * 199, id="long without stem"),
        pytest.param("\ud800.txt", "\ufffd.txt", id="lone surrogate"),
    ],
)
def test_a_file_name_is_made_safe(name: str, expected: str) -> None:
    """A safe name is the path's last part, short and without unstorable or invisible characters."""
    actual = safe_file_name(name)

    assert actual == expected


@given(st.lists(NASTY, max_size=30).map("".join))
def test_every_file_name_is_one_short_component(name: str) -> None:
    """A safe name is never empty, too long or a path, and making it safe again changes nothing."""
    actual = safe_file_name(name)

    assert 0 < len(actual.encode()) <= MAX_NAME_BYTES
    assert not {"/", "\\", "\n", "\x00"} & set(actual)
    assert safe_file_name(actual) == actual
