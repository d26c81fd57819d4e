"""The check of the attachment store: whether it takes a file and returns it."""

from __future__ import annotations

from uuid import uuid4

from tasks.attachments.probe import trouble_of_store
from tasks.attachments.store import AttachmentStore
from tasks.checks.check import Check, failed, passed

_CURE = (
    "Check ATTACHMENTS_URL, that this user may write there, and that there is room; s3:// needs "
    "the extra `s3`. Run doctor as the user of the workers."
)


def check_store(store: AttachmentStore) -> Check:
    """Write a small file, read it and remove it."""
    name = "attachment store"
    try:
        reason = trouble_of_store(store, f"doctor-{uuid4().hex}")
    except ImportError as error:
        return failed(name, f"the store needs a package: {error.name or 'see the extras'}", _CURE)
    if reason is not None:
        return failed(name, f"the store takes no file ({reason.value})", _CURE)
    return passed(name, "takes files, and gives them back")
