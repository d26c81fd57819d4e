"""Check that the attachment store works: write a small file, read it and remove it."""

from __future__ import annotations

from uuid import uuid4

from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.attachments.store import AttachmentStore


def trouble_of_store(store: AttachmentStore, name: str) -> AttachmentReason | None:
    """Return why the store cannot keep files, or None if the store works.

    ``name`` names the caller's test file. So a store that cannot remove files keeps one file for
    each caller, not one for each check.
    """
    content, path = uuid4().bytes, f"probe-{name}"
    try:
        store.write(path, [content], temporary=f"{path}.part")
        with store.open(path) as file:
            is_same = file.stream.read() == content
        store.remove(path)
    except AttachmentError as error:
        return error.reason
    return None if is_same else AttachmentReason.STORE_UNAVAILABLE
