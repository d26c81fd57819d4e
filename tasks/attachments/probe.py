"""Whether the attachment store does its work: it takes a small file, gives it back, removes it."""

from __future__ import annotations

from uuid import uuid4

from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.attachments.store import AttachmentStore


def trouble_of_store(store: AttachmentStore, name: str) -> AttachmentReason | None:
    """Return what keeps the store from taking files; None: it takes them.

    ``name`` is the caller's own: a store that removes nothing keeps one file of it, not one more
    with each look.
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
