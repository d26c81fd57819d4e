"""The doctor writes, reads and removes a file to check the attachment store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.attachments.store import AttachmentStore
from tasks.checks.check import State
from tasks.checks.store import check_store


def test_store_that_takes_files_is_well_and_left_empty(tmp_path: Path) -> None:
    """A working store is ok, and the doctor's file is removed."""
    check = check_store(AttachmentStore(f"file://{tmp_path}"))

    assert check.state is State.OK
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    ["file:///proc/no-folder", "{file}", "relative/folder", "nothing://x/y"],
    ids=["cannot be written", "a file in its place", "no address", "unknown kind"],
)
def test_store_that_takes_no_file_fails_with_its_cure(tmp_path: Path, url: str) -> None:
    """A store that takes no file fails with one line that names the setting."""
    (tmp_path / "file").write_text("x")

    check = check_store(AttachmentStore(url.replace("{file}", f"file://{tmp_path / 'file'}")))

    assert check.state is State.FAIL
    assert "ATTACHMENTS_URL" in check.cure
