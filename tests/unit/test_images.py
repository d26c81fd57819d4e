"""The pictures of the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGES = sorted((ROOT / "docs" / "images").glob("*"))
# A page with a few of them still opens at once.
MAX_BYTES = 300_000


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_picture_is_shown_and_small(path: Path) -> None:
    """Each picture is on some page, and is small enough not to hold it up."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

    shown_on = [page.name for page in pages if f"images/{path.name})" in page.read_text()]

    assert shown_on
    assert path.stat().st_size < MAX_BYTES
