"""What a visitor reads is what Mattermost's own web client shows, for two thousand texts.

Each intended difference is a row of docs/adr/0010. There are no other differences.
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
# Not compared are the marks of items and quotes at the start of a line, and rules. The clients draw
# a bullet, a bar or a line, and the visitor reads the typed marks.
START = re.compile(r"^(?:[>\s]|(?:[-+*•]|\d+\.)(?=\s|$))+")
RULE = re.compile(r"(?:\s*[-*_>]){3,}\s*")


@dataclass(frozen=True)
class Difference:
    """How a reading may differ from what the web client shows.

    The text must match the pattern ``where``. ``signs`` are signs that only the reading or only the
    client has. With ``keeps``, the reading may have text that the client omits.
    """

    where: str
    signs: str = "(?!)"
    keeps: bool = False


# The title or size of a link or picture.
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
    """Return the characters that are read: without blanks, line ends and marks at line starts."""
    lines = (START.sub("", line) for line in text.split("\n"))
    return re.sub(r"[\s|]+", "", "".join(line for line in lines if not RULE.fullmatch(line)))


def holds_in_order(text: str, part: str) -> bool:
    """Return whether the text has all characters of the part in their order."""
    rest = iter(text)
    return all(char in rest for char in part)


def explains(rows: list[Difference], read: str, shown: str) -> bool:
    """Return whether the two texts differ only in the ways of these rows."""
    signs = "|".join([r"\s", *(row.signs for row in rows)])
    read, shown = (re.sub(signs, "", html.unescape(text)) for text in (read, shown))
    return read == shown or (any(row.keeps for row in rows) and holds_in_order(read, shown))


# Each text, and what the web client shows of it: one version, or two versions that differ.
ALIKE = [(written, [web]) for written, web, *_ in DATA["rows"]] + [
    (written, shown) for written, *shown in DATA["second pass"]["rows"]
]
DIFFERING: list[dict[str, Any]] = DATA["second pass"]["differing"]


@pytest.mark.parametrize(("written", "shown"), ALIKE, ids=range(len(ALIKE)))
def test_visitor_reads_what_the_web_client_shows(written: str, shown: list[str]) -> None:
    """A visitor reads the words, signs and addresses that a version of the web client shows."""
    assert words(plain_text_of(written)) in map(words, shown)


@pytest.mark.parametrize("sample", DIFFERING, ids=lambda sample: repr(sample["written"][:30]))
def test_reading_differs_as_the_rows_that_its_sample_names_say(sample: dict[str, Any]) -> None:
    """A reading differs exactly in the ways of the rows that its sample names."""
    written, rows = sample["written"], [DIFFERENCES[name] for name in sample["by"]]
    read, shown = words(plain_text_of(written)), [words(text) for text in sample["shown"]]

    assert read not in shown
    assert all(re.search(row.where, written) for row in rows)
    assert any(explains(rows, read, text) for text in shown)


def test_docs_and_samples_have_each_row() -> None:
    """The decision record names the rows of this test, and each row has its own samples."""
    documented = re.findall(r"^\| `([a-z]+)` \|", DECISION.read_text("utf-8"), re.MULTILINE)
    sampled = {sample["by"][0] for sample in DIFFERING if len(sample["by"]) == 1}

    assert documented == list(DIFFERENCES)
    assert sampled == set(DIFFERENCES)


@pytest.mark.parametrize("marks", ["(?!)", "[*_`#~]"], ids=["all left in", "all taken out"])
def test_samples_are_hard(marks: str) -> None:
    """Keeping all marks, or removing all, would fail for more than half of the samples."""
    failing = [
        written
        for written, shown in ALIKE
        if words(re.sub(marks, "", written)) not in map(words, shown)
    ]

    assert len(ALIKE) >= 2_000
    assert len(failing) > len(ALIKE) / 2
