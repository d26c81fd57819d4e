"""The paths of replies' files in the attachment store."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

# Most file systems allow 255 bytes for a name. A segment that is longer becomes a hash.
MAX_SEGMENT_LENGTH = 200


def path_of(licence_id: str, conversation_id: str, file_id: str) -> str:
    """Return a file's path, licence / conversation / file, which no other ids can lead to."""
    return "/".join(map(_segment, (licence_id, conversation_id, file_id)))


def folder_of(licence_id: str) -> str:
    """Return the folder of all files of a licence's replies."""
    return _segment(licence_id)


def temporary_of(path: str, attempt: str) -> str:
    """Return the path at which only this attempt collects the file until it is whole."""
    return f"{path}.{attempt}.part"


def _segment(text: str) -> str:
    encoded = quote(text, safe="", errors="replace")
    if not encoded.strip("."):
        # Dots are not encoded, and "." or ".." would name another folder.
        return encoded.replace(".", "%2E") or "%"
    if len(encoded) > MAX_SEGMENT_LENGTH:
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return encoded
