"""The pictures of the docs are used and small."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGES = sorted((ROOT / "docs" / "images").glob("*"))
# Small enough that a page with a few pictures opens quickly.
MAX_BYTES = 300_000


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_picture_is_shown_and_small(path: Path) -> None:
    """Each picture is used on a page and is small enough."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

    shown_on = [page.name for page in pages if f"images/{path.name})" in page.read_text()]

    assert shown_on
    assert path.stat().st_size < MAX_BYTES
