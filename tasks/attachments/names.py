"""The name under which a file is uploaded."""

from mimetypes import MimeTypes
from pathlib import PurePosixPath

from tasks.rendering import safe_file_name

# What phones and browsers send, and Python's own table lacks or answers with an odd ending.
_COMMON = {
    "audio/aac": ".aac",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/webm": ".webm",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "video/quicktime": ".mov",
}
# Says nothing about the file, and ".bin" would hide a name that means something.
_UNKNOWN = "application/octet-stream"


def upload_name(name: str, *, content_type: str | None) -> str:
    """A safe name; one without an extension gets that of its type.

    The server goes by the extension alone when it decides whether a file is a picture.
    """
    safe = safe_file_name(name)
    if PurePosixPath(safe).suffix:
        return safe
    return safe_file_name(safe.rstrip(".") + _extension(content_type or "")) if safe else safe


def _extension(content_type: str) -> str:
    plain = content_type.partition(";")[0].strip().lower()
    if plain == _UNKNOWN:
        return ""
    # Python's built-in table only: the one of the machine would give each host its own names.
    return _COMMON.get(plain) or MimeTypes().guess_extension(plain) or ""
