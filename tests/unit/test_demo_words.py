"""The demo is complete in each language: its two pages, their scripts, and its sample."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from demo.installation import SAMPLE
from demo.ireserve.words import PAGE_WORDS
from demo.languages import TIME_ZONES
from demo.mattermost.words import CLIENT_WORDS
from demo.play import sample
from tasks.rendering import Language
from tests.wordings import texts_of

DEMO = SAMPLE.parent
TABLES: dict[str, Any] = {"ireserve": PAGE_WORDS, "mattermost": CLIENT_WORDS}
OTHERS = [Language.DUTCH, Language.GERMAN]
# Texts of both pages that are the same as in English: names, signs, and equal words.
ALIKE = {
    "nl": {"sending 1", "sent 1", "live", "stand_in", "threads"},
    "de": {"sending 1", "sent 1", "live", "threads"},
}
NAMES = {"i-Reserve", "Mattermost", "BOT"}


def templates() -> list[Path]:
    """Return the templates of both pages."""
    return sorted(DEMO.glob("*/templates/*.html"))


@pytest.mark.parametrize("part", TABLES)
def test_page_speaks_every_language_of_a_licence(part: str) -> None:
    """The demo's pages have each language that a licence can have."""
    assert set(TABLES[part]) == set(TIME_ZONES) == set(Language)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("part", TABLES)
def test_texts_say_the_same_in_each_language(part: str, language: Language) -> None:
    """Each text is translated and has the same placeholders in each language."""
    texts, english = texts_of(TABLES[part][language]), texts_of(TABLES[part]["en"])

    names = {name: set(re.findall(r"{\w+}", text)) for name, text in texts.items()}
    same = {name.removeprefix("script.") for name, text in texts.items() if text == english[name]}
    assert names == {name: set(re.findall(r"{\w+}", text)) for name, text in english.items()}
    assert same <= ALIKE[language]


@pytest.mark.parametrize("path", templates(), ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_template_has_no_words_of_its_own(path: Path) -> None:
    """All words of a template come from the table."""
    source = re.sub(r"{{.*?}}|{%.*?%}", "", path.read_text(), flags=re.DOTALL)
    told = re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', source)
    told += re.sub(r"<[^>]*>", "\n", source).splitlines()

    words = {word for text in told for word in re.findall(r"[A-Za-z][\w-]+", text)}
    assert words <= NAMES


@pytest.mark.parametrize("part", TABLES)
def test_each_text_of_the_table_is_asked_for_by_its_name(part: str) -> None:
    """Templates use only existing texts, and each text of the table is used."""
    table = TABLES[part]["en"]
    files = (*(DEMO / part).glob("templates/*.html"), *(DEMO / part).glob("page*.py"))
    sources = [path.read_text() for path in files]
    script = (DEMO / part / "static" / "page.js").read_text()

    asked = set(re.findall(r"words(?:\(\))?\.(\w+)", "".join(sources)))
    asked_by_script = set(re.findall(r"words\.(\w+)", script))
    if "words[passage]" in script:
        asked_by_script |= {"sending", "waiting", "unsettled", "sent", "failed"}
    # Used in the label of a channel, which the code makes before the page.
    made = {"private"} if part == "ireserve" else set()
    assert asked - {"for_script"} | made == {field.name for field in fields(table)}
    assert asked_by_script == {field.name for field in fields(table.script)}


def shape(value: Any) -> Any:
    """Return a sample's structure: keys, lists, and the values that are alike in each language."""
    if isinstance(value, dict):
        kept = {"sender_role", "visibility", "notification_type", "notification_id", "color"}
        measured = {"fields": len}
        return {
            key: measured[key](item) if key in measured else item if key in kept else shape(item)
            for key, item in value.items()
        }
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("language", OTHERS)
def test_the_same_is_played_in_each_language(language: Language) -> None:
    """The sample has the same turns, files, notes and notifications in each language."""
    assert shape(sample(language)) == shape(sample("en"))
    assert _texts(sample(language)).isdisjoint(_texts(sample("en")))


def _texts(value: Any) -> set[str]:
    def found(value: Any) -> Iterator[str]:
        for key, item in value.items() if isinstance(value, dict) else ():
            if key in {"text", "becomes", "page_title"}:
                yield item
            yield from found(item)
        for item in value if isinstance(value, list) else ():
            yield from found(item)

    return set(found(value))
