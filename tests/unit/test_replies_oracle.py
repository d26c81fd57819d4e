"""What a visitor reads is what Mattermost's own clients show, for a thousand texts."""

import json
import re
from pathlib import Path

import pytest

from tasks.replies.plain_text import plain_text_of

SAMPLES = json.loads(
    (Path(__file__).parent.parent / "samples" / "shown-replies.json").read_text("utf-8")
)["rows"]
# Where a line begins an item or a quote is a matter of drawing, not of words: the clients draw a
# bullet or a bar, the visitor reads the mark that was typed. Rules and blanks are drawn too.
START = re.compile(r"^(?:[>\s]|(?:[-+*•]|\d+[.)])(?=\s|$))+")
RULE = re.compile(r"(?:\s*[-*_>]){3,}\s*")


def words(text: str) -> str:
    """Return what of a text is read: all but blanks, lines and marks at the start of a line."""
    lines = (START.sub("", line) for line in text.split("\n") if not RULE.fullmatch(line))
    return re.sub(r"[\s|]+", "", "".join(lines))


@pytest.mark.parametrize("sample", SAMPLES, ids=range(len(SAMPLES)))
def test_visitor_reads_what_the_clients_show(sample: list[str]) -> None:
    """The words, signs and addresses are those of the web client, or those of the mobile app."""
    written, *shown = sample

    assert words(plain_text_of(written)) in [words(text) for text in shown]


def test_the_web_client_is_followed_where_the_clients_differ() -> None:
    """Few texts read as on the phone instead, for the reasons in docs/adr/0010."""
    as_on_the_phone = [
        written for written, web, *_ in SAMPLES if words(plain_text_of(written)) != words(web)
    ]

    assert len(as_on_the_phone) < len(SAMPLES) / 100


def test_samples_are_hard() -> None:
    """The samples hold enough marks that a reader who left them in, or took all out, would fail."""
    differing = [written for written, *shown in SAMPLES if words(written) not in map(words, shown)]
    bare = [re.sub(r"[*_`#~]", "", written) for written, *_ in SAMPLES]
    failing = [
        text
        for text, (_, *shown) in zip(bare, SAMPLES, strict=True)
        if words(text) not in map(words, shown)
    ]

    assert len(SAMPLES) >= 1_000
    assert min(len(differing), len(failing)) > len(SAMPLES) / 2
