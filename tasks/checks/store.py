"""The attachment store: does it take a file, and give it back?"""

from __future__ import annotations

from uuid import uuid4

from tasks.attachments import AttachmentError
from tasks.attachments.store import AttachmentStore
from tasks.checks.check import Check, failed, passed

_CURE = (
    "Check ATTACHMENTS_URL, that this user may write there, and that there is room; s3:// needs "
    "the extra `s3`. Run doctor as the user of the workers."
)


def check_store(store: AttachmentStore) -> Check:
    """Write a small file, read it and remove it."""
    name, content = "attachment store", uuid4().bytes
    path = f"doctor-{uuid4().hex}"
    try:
        store.write(path, [content], temporary=f"{path}.part")
        with store.open(path) as file:
            is_same = file.stream.read() == content
        store.remove(path)
    except AttachmentError as error:
        return failed(name, f"the store takes no file ({error.reason.value})", _CURE)
    except ImportError as error:
        return failed(name, f"the store needs a package: {error.name or 'see the extras'}", _CURE)
    if not is_same:
        return failed(name, "a file that was written there reads differently", _CURE)
    return passed(name, "takes files, and gives them back")
