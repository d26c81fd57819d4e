"""The product's docstrings have one style, where the linter has no rule for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("client/ireserve_mattermost", "tasks", "inbound", "models")
# Operators read these docstrings as help, with `--option` as they type it.
HELP = ROOT / "tasks" / "cli" / "commands"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
OTHER_VERB = re.compile(r"(?!Return\b)\w+ whether\b")


class Docstring(NamedTuple):
    """A docstring, its place, and whether its function returns a bool."""

    place: str
    text: str
    returns_bool: bool


@cache
def docstrings() -> tuple[Docstring, ...]:
    """Return each docstring of the product."""
    files = (file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")))
    return tuple(
        found for file in files if HELP not in file.parents for found in docstrings_of(file)
    )


def docstrings_of(file: Path) -> Iterator[Docstring]:
    """Yield the docstrings of one file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            name = getattr(node, "name", "")
            returned = getattr(node, "returns", None)
            returns_bool = isinstance(returned, ast.Name) and returned.id == "bool"
            yield Docstring(f"{file.relative_to(ROOT)}: {name}", text, returns_bool)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(r"(?m)\S.*\bRaises:|Raises: ", id="Raises is a section of its own"),
        pytest.param(r"(?<!`)`(?!`)[^`\n]+`(?!`)", id="code stands in double backticks"),
    ],
)
def test_docstrings_are_written_in_one_way(wrong: str) -> None:
    """In docstrings Raises is a section of its own, and code stands in double backticks."""
    assert [each.place for each in docstrings() if re.search(wrong, each.text)] == []


def test_question_returns_whether() -> None:
    """If the docstring of a bool function begins with a verb and "whether", the verb is Return."""
    questions = [each for each in docstrings() if each.returns_bool]

    assert questions
    assert [each.place for each in questions if OTHER_VERB.match(each.text)] == []
