"""The schema's history is one line: each step has its own number and follows the one before."""

import re
from pathlib import Path

import models.migrations

VERSIONS = Path(models.migrations.__file__).parent / "versions"
STEP = re.compile(r'^revision = "(\d+)"\ndown_revision = (?:"(\d+)"|None)$', re.MULTILINE)


def test_each_migration_follows_the_one_before() -> None:
    """Each migration has its own number and follows the one before."""
    files = sorted(path for path in VERSIONS.glob("[0-9]*.py"))
    numbers = [f"{number:04}" for number in range(1, len(files) + 1)]

    steps = [match.groups() for path in files if (match := STEP.search(path.read_text()))]

    assert [path.name[:4] for path in files] == numbers
    assert steps == list(zip(numbers, [None, *numbers], strict=False))
