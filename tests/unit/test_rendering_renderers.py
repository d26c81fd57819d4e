"""What Mattermost's own renderers show of our texts, as recorded data."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tasks.rendering import plain_text
from tasks.rendering.characters import clean
from tasks.rendering.links import find_links
from tests.unit.test_rendering_oracle import typed, visible

SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "samples" / "renderers.json").read_text(encoding="utf-8")
)["samples"]
NOTIFIED = [sample for sample in SAMPLES if "notified" in sample]


def spaced(text: str) -> str:
    """Return the visible text, with the spaces that a browser shows."""
    return visible(re.sub("[\u00a0\u2003\u3000\ufeff]", " ", text.replace("\t", "    ")))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: repr(sample["typed"][:40]))
def test_every_renderer_shows_what_was_typed(sample: dict[str, Any]) -> None:
    """Web clients of four years and the mobile app show the text, its links and nothing else."""
    written = plain_text(sample["typed"])

    links = [unquote(link.url) for link in find_links(clean(sample["typed"]))]
    shown = {
        "by": "all",
        "text": spaced(typed(sample["typed"])),
        "links": links,
        "other": [],
    }
    # The recordings are for exactly this source text.
    assert written == sample["written"]
    assert sample["shown"] == [shown]


@pytest.mark.parametrize("sample", NOTIFIED, ids=lambda sample: repr(sample["typed"]))
def test_a_notification_of_an_ordinary_text_reads_as_typed(sample: dict[str, Any]) -> None:
    """Desktop and phone show neither a backslash nor an entity that we wrote."""
    # The recordings are for exactly this source text.
    assert plain_text(sample["typed"]) == sample["written"]
    assert set(sample["notified"].values()) == {sample["typed"]}
