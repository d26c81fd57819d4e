"""What a visitor reads is what Mattermost's own web client shows, for two thousand texts.

Where it differs on purpose, it does so by a row of docs/adr/0010, and by nothing else.
"""

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasks.replies.plain_text import plain_text_of

ROOT = Path(__file__).parents[2]
DATA = json.loads((ROOT / "tests/samples/shown-replies.json").read_text("utf-8"))
DECISION = ROOT / "docs/adr/0010-a-reply-is-read-as-the-web-client-shows-it.md"
# Where a line begins an item or a quote is a matter of drawing, not of words: the clients draw a
# bullet or a bar, the visitor reads the mark that was typed. Rules and blanks are drawn too.
START = re.compile(r"^(?:[>\s]|(?:[-+*•]|\d+\.)(?=\s|$))+")
RULE = re.compile(r"(?:\s*[-*_>]){3,}\s*")


@dataclass(frozen=True)
class Difference:
    """How a reading may differ from what the web client shows.

    ``where``: the text has this. ``signs``: these are in one of the two alone. ``keeps``: what the
    client leaves out is in the reading. Nothing else differs.
    """

    where: str
    signs: str = "(?!)"
    keeps: bool = False


# Of a link or a picture: its title, its size.
TITLE = r"\"[^\"()]*\"(?=\))|=\d+x\d+(?=\))"
DIFFERENCES = {
    "number": Difference(r"\d[*_]+\d", r"[*_]"),
    "address": Difference(
        r"(?i)(?:[a-z][a-z0-9+.-]*:|www\d{0,3}\.)\S|\w@\w",
        rf"[*_~`\\()\[\]<>!]|{TITLE}",
    ),
    "sign": Difference(r"(?m)^\W*(?:[*_-] *){2,}|#|^\W*$", r"[#*_\\-]"),
    "definition": Difference(r"(?m)^ {0,3}\[[^\]]+\]: *\S", r"[\[\]()]|https://a\.nl", keeps=True),
    "underline": Difference(r"(?m)^ {0,3}(?:> ?)*=+ *$", "[=>]"),
    "empty": Difference(r"(?m)^ *(?:[>+*-]|\d+[.)]) *$", keeps=True),
    "code": Difference(r"(?m)```|~~~|\[[^\]]*`|^>.*`", r"[`~*_\\]", keeps=True),
    "picture": Difference(r"!\[", r"[\\<>]"),
    "table": Difference(r"(?m)^ *[*+-] .*\|.*\n[-: |]+$", r"[*_`|:-]"),
    "indent": Difference(r"(?m)^(?:> ?)*(?: {4}|\t)", rf"[*_~`\\()\[\]<>!]|{TITLE}"),
}


def words(text: str) -> str:
    """Return what of a text is read: all but blanks, lines and marks at the start of a line."""
    lines = (START.sub("", line) for line in text.split("\n"))
    return re.sub(r"[\s|]+", "", "".join(line for line in lines if not RULE.fullmatch(line)))


def holds_in_order(text: str, part: str) -> bool:
    """Say whether all characters of the part are in the text, in their order."""
    rest = iter(text)
    return all(char in rest for char in part)


def explains(rows: list[Difference], read: str, shown: str) -> bool:
    """Say whether the two differ in the way of these rows, and in no other."""
    signs = "|".join([r"\s", *(row.signs for row in rows)])
    read, shown = (re.sub(signs, "", html.unescape(text)) for text in (read, shown))
    return read == shown or (any(row.keeps for row in rows) and holds_in_order(read, shown))


# What each version of the web client shows; the mobile app's reading stands behind it.
ALIKE = [(written, [web]) for written, web, *_ in DATA["rows"]] + [
    (written, shown) for written, *shown in DATA["second pass"]["rows"]
]
DIFFERING: list[dict[str, Any]] = DATA["second pass"]["differing"]


@pytest.mark.parametrize(("written", "shown"), ALIKE, ids=range(len(ALIKE)))
def test_visitor_reads_what_the_web_client_shows(written: str, shown: list[str]) -> None:
    """The words, signs and addresses are those of a version of the web client."""
    assert words(plain_text_of(written)) in map(words, shown)


@pytest.mark.parametrize("sample", DIFFERING, ids=lambda sample: repr(sample["written"][:30]))
def test_reading_differs_as_the_rows_that_its_sample_names_say(sample: dict[str, Any]) -> None:
    """It differs, the text is one of those that the rows are for, and nothing else differs."""
    written, rows = sample["written"], [DIFFERENCES[name] for name in sample["by"]]
    read, shown = words(plain_text_of(written)), [words(text) for text in sample["shown"]]

    assert read not in shown
    assert all(re.search(row.where, written) for row in rows)
    assert any(explains(rows, read, text) for text in shown)


def test_docs_and_samples_have_each_row() -> None:
    """The decision record names the rows of this test, and each row has samples of its own."""
    documented = re.findall(r"^\| `([a-z]+)` \|", DECISION.read_text("utf-8"), re.MULTILINE)
    sampled = {sample["by"][0] for sample in DIFFERING if len(sample["by"]) == 1}

    assert documented == list(DIFFERENCES)
    assert sampled == set(DIFFERENCES)


@pytest.mark.parametrize("marks", ["(?!)", "[*_`#~]"], ids=["all left in", "all taken out"])
def test_samples_are_hard(marks: str) -> None:
    """A reader who left the marks in, or took them all out, would fail at more than half."""
    failing = [
        written
        for written, shown in ALIKE
        if words(re.sub(marks, "", written)) not in map(words, shown)
    ]

    assert len(ALIKE) >= 2_000
    assert len(failing) > len(ALIKE) / 2
