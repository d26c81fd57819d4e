"""Where the file of a reply lies in the attachment store."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

# A file name has 255 bytes on most disks; what is longer when encoded is shortened to a hash.
MAX_SEGMENT_LENGTH = 200


def path_of(licence_id: str, conversation_id: str, file_id: str) -> str:
    """Return a file's path: licence / conversation / file, none of which can be anything else."""
    return "/".join(map(_segment, (licence_id, conversation_id, file_id)))


def folder_of(licence_id: str) -> str:
    """Return the folder of all files of a licence's replies."""
    return _segment(licence_id)


def temporary_of(path: str, attempt: str) -> str:
    """Return where an attempt collects the file before it is whole, and no other one does."""
    return f"{path}.{attempt}.part"


def _segment(text: str) -> str:
    encoded = quote(text, safe="", errors="replace")
    if not encoded.strip("."):
        # A dot is not encoded, and one or two alone would lead elsewhere.
        return encoded.replace(".", "%2E") or "%"
    if len(encoded) > MAX_SEGMENT_LENGTH:
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return encoded
