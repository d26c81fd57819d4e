"""The docs name what the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings import Settings
from tasks.mattermost import Reason
from tasks.reasons import OwnReason

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("reason", [*Reason, *OwnReason], ids=lambda reason: str(reason.value))
def test_each_reason_is_documented_with_its_cure(reason: Reason | OwnReason) -> None:
    """The reference lists every reason that the ledger can hold, and what to do about it."""
    reference = (ROOT / "docs" / "reference.md").read_text()

    assert f"| `{reason.value}` |" in reference
    assert reason.cure in reference


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_is_in_the_readme(name: str) -> None:
    """The README's table has every setting."""
    assert f"`{name.upper()}`" in (ROOT / "README.md").read_text()


def test_readme_is_short_enough_to_be_read() -> None:
    """The README stays under 150 lines."""
    assert len((ROOT / "README.md").read_text().splitlines()) < 150
