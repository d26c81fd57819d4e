"""The product's docstrings have one style, where the linter has no rule for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("client/ireserve_mattermost", "tasks", "inbound", "models")
# Shown to operators as help, in which `--option` stands as they type it.
HELP = ROOT / "tasks" / "cli" / "commands"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


@cache
def docstrings() -> tuple[tuple[str, str], ...]:
    """Return each docstring with its place."""
    files = (file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")))
    return tuple(
        found for file in files if HELP not in file.parents for found in docstrings_of(file)
    )


def docstrings_of(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the docstrings of one file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            name = getattr(node, "name", "")
            yield f"{file.relative_to(ROOT)}: {name}", text


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(r"(?m)\S.*\bRaises:|Raises: ", id="Raises is a section of its own"),
        pytest.param(r"(?<!`)`(?!`)[^`\n]+`(?!`)", id="code stands in double backticks"),
        pytest.param(r"\A(?:Say|Tell) whether\b", id="a question returns whether"),
    ],
)
def test_docstrings_are_written_in_one_way(wrong: str) -> None:
    """No docstring of the product has a refused form."""
    assert [place for place, text in docstrings() if re.search(wrong, text)] == []
