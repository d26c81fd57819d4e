"""Rules of the architecture that no linter checks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = [
    path
    for folder in ("tasks", "models", "inbound", "client/ireserve_mattermost")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
# The client reads the address of Redis itself, since i-Reserve does not load our settings.
ADDRESS = ROOT / "client" / "ireserve_mattermost" / "address.py"
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}


def names_in(source: str) -> set[str]:
    """Return the names of all attributes and of all imported objects."""
    nodes = list(ast.walk(ast.parse(source)))
    imported = [alias for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    return {
        *(node.attr for node in nodes if isinstance(node, ast.Attribute)),
        *(alias.name for alias in imported),
    }


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_settings_and_the_clients_address_read_the_environment(path: Path) -> None:
    """No other deployed module uses os.environ or os.getenv, however it is imported."""
    reads = bool(names_in(path.read_text()) & ENVIRONMENT)

    assert reads is (path == ADDRESS)
