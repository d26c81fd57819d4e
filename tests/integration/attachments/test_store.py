"""The attachment store writes, finds and removes files only within its own folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.attachments import AttachmentError
from tasks.attachments.store import AttachmentStore
from tests.integration.attachments.calls import files_in


@pytest.mark.parametrize("act", ["write", "remove", "find"])
def test_no_link_leads_a_file_of_a_reply_out_of_the_store(tmp_path: Path, act: str) -> None:
    """A folder that links out of the store is refused, and its target stays unchanged."""
    outside, home = tmp_path / "outside", tmp_path / "store"
    outside.mkdir()
    home.mkdir()
    (outside / "a.txt").write_bytes(b"kept")
    (home / "c1").symlink_to(outside)
    store = AttachmentStore(f"file://{home}")
    acts: dict[str, Callable[[], object]] = {
        "write": lambda: store.write("c1/a.txt", [b"new"], temporary="c1/a.txt.part"),
        "remove": lambda: store.remove("c1/a.txt"),
        "find": lambda: store.find("c1/a.txt", size_bytes=4, on_progress=lambda: None),
    }

    with pytest.raises(AttachmentError, match="outside_store"):
        acts[act]()

    assert (outside / "a.txt").read_bytes() == b"kept"
    assert files_in(outside) == ["a.txt"]


def test_file_of_a_reply_can_be_read_by_the_path_that_writing_returned(tmp_path: Path) -> None:
    """A stored file of a reply can be opened for a message by its path."""
    store = AttachmentStore(f"file://{tmp_path}")

    stored = store.write("L1/c1/f1", [b"he", b"llo"], temporary="L1/c1/f1.part")
    with store.open(stored.path) as file:
        content = file.stream.read()

    assert (content, stored.size_bytes, stored.sha256) == (
        b"hello",
        5,
        hashlib.sha256(b"hello").hexdigest(),
    )


def test_store_without_a_scheme_is_no_store() -> None:
    """A store's address without a scheme is refused."""
    with pytest.raises(AttachmentError, match="store_unavailable"):
        AttachmentStore("var/files").remove("a")
