"""Rules of the architecture that no linter checks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = [
    path
    for folder in ("tasks", "models", "inbound")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_settings_reads_the_environment(path: Path) -> None:
    """No module of tasks, models or inbound uses os.environ or os.getenv."""
    tree = ast.parse(path.read_text())
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert named & {"environ", "getenv"} == set()
