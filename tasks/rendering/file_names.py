"""Turn file names into names that Mattermost can store and show."""

from ireserve_mattermost.values import is_blank
from tasks.rendering.characters import clean

# Mattermost stores names in varchar(256) and paths in varchar(512), and answers 500 to longer ones.
MAX_NAME_BYTES = 200
# A longer "extension" is the end of a sentence. Mattermost stores at most 64 bytes.
_MAX_EXTENSION_BYTES = 32
_NAMELESS = "file"


def safe_file_name(name: str) -> str:
    """Return the last component of the name, without control characters and never invisible.

    The result has at most ``MAX_NAME_BYTES`` bytes in UTF-8. It keeps the extension, because
    Mattermost derives the type of a file from the extension alone.
    """
    last = clean(name).replace("\\", "/").replace("\n", " ").replace("\t", " ")
    last = last.rstrip("/ ").rpartition("/")[2].strip()
    if is_blank(last.replace(".", "")):
        return _NAMELESS
    if len(last.encode()) <= MAX_NAME_BYTES:
        return last
    stem, dot, extension = last.rpartition(".")
    if not stem or len(extension.encode()) > _MAX_EXTENSION_BYTES:
        return _fitting(last, MAX_NAME_BYTES)
    ending = dot + extension
    return _fitting(stem, MAX_NAME_BYTES - len(ending.encode())) + ending


def _fitting(text: str, size: int) -> str:
    """Return as much of the text as fits into ``size`` bytes, without half a character."""
    return text.encode()[:size].decode(errors="ignore").rstrip()
