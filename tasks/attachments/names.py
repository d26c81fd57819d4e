"""Make the name under which a file is uploaded."""

from functools import cache
from mimetypes import MimeTypes
from pathlib import PurePosixPath

from tasks.rendering import safe_file_name

# Types that phones, browsers and office programs send, with endings that Python's own table lacks
# or gives unsuitably.
_COMMON = {
    "application/csv": ".csv",
    "application/epub+zip": ".epub",
    "application/gzip": ".gz",
    "application/ogg": ".ogg",
    "application/rtf": ".rtf",
    "application/vnd.ms-excel.sheet.macroenabled.12": ".xlsm",
    "application/vnd.ms-outlook": ".msg",
    "application/vnd.ms-word.document.macroenabled.12": ".docm",
    "application/vnd.oasis.opendocument.graphics": ".odg",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.rar": ".rar",
    "application/x-7z-compressed": ".7z",
    "application/x-gzip": ".gz",
    "application/x-msword": ".doc",
    "application/x-pdf": ".pdf",
    "application/x-rar": ".rar",
    "application/x-rar-compressed": ".rar",
    "application/x-zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "application/xml": ".xml",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/flac": ".flac",
    "audio/m4a": ".m4a",
    "audio/mp3": ".mp3",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/mpeg3": ".mp3",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/vnd.wave": ".wav",
    "audio/wav": ".wav",
    "audio/wave": ".wav",
    "audio/webm": ".webm",
    "audio/x-aac": ".aac",
    "audio/x-flac": ".flac",
    "audio/x-m4a": ".m4a",
    "audio/x-mp3": ".mp3",
    "audio/x-mpeg": ".mp3",
    "audio/x-ms-wma": ".wma",
    "audio/x-ogg": ".ogg",
    "image/apng": ".png",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/heic": ".heic",
    "image/heic-sequence": ".heic",
    "image/heif": ".heif",
    "image/heif-sequence": ".heif",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/jxl": ".jxl",
    "image/pjpeg": ".jpg",
    "image/tif": ".tif",
    "image/webp": ".webp",
    "image/x-bmp": ".bmp",
    "image/x-citrix-jpeg": ".jpg",
    "image/x-citrix-png": ".png",
    "image/x-icon": ".ico",
    "image/x-jpeg": ".jpg",
    "image/x-jpg": ".jpg",
    "image/x-ms-bmp": ".bmp",
    "image/x-png": ".png",
    "text/calendar": ".ics",
    "text/comma-separated-values": ".csv",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/rtf": ".rtf",
    "text/vcard": ".vcf",
    "text/x-markdown": ".md",
    "video/3gpp": ".3gp",
    "video/3gpp2": ".3g2",
    "video/avi": ".avi",
    "video/msvideo": ".avi",
    "video/ogg": ".ogv",
    "video/quicktime": ".mov",
    "video/x-m4v": ".m4v",
    "video/x-matroska": ".mkv",
    "video/x-ms-wmv": ".wmv",
}
# This type says nothing about the file, and its ending ".bin" would hide the name's own.
_UNKNOWN = "application/octet-stream"
_PLAIN_TEXT = "text/plain"
_PAGES = frozenset({"text/html", "application/xhtml+xml"})


def upload_name(name: str, *, content_type: str | None) -> str:
    """Return a safe name; if it has no known ending, add the ending of the content type.

    The server decides by the ending alone whether a file is a picture.
    """
    safe = safe_file_name(name)
    ending = ending_of(content_type)
    if _has_ending(safe, ending, plain_type(content_type)):
        return safe
    return safe_file_name(safe.rstrip(".") + ending)


def ending_of(content_type: str | None) -> str:
    """Return the ending of files of this type, for example ".pdf"; "": the type has none."""
    plain = plain_type(content_type)
    if plain == _UNKNOWN:
        return ""
    return _COMMON.get(plain) or _types().guess_extension(plain) or ""


def plain_type(content_type: str | None) -> str:
    """Return the type in lower case, without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def is_page(content_type: str | None) -> bool:
    """Return whether the type is that of a web page."""
    return plain_type(content_type) in _PAGES


def excludes_page(name: str, *, content_type: str | None) -> bool:
    """Return whether the name or the type says that the file is no web page."""
    if ending_of(content_type):
        return not is_page(content_type)
    ending = PurePosixPath(safe_file_name(name)).suffix.lower()
    return ending in _endings() and not is_page(_types().guess_type(f"x{ending}")[0])


def _has_ending(name: str, ending: str, plain: str) -> bool:
    own = PurePosixPath(name).suffix.lower()
    # Many kinds of text file have no type of their own, for example ".log" and ".ini".
    text = plain == _PLAIN_TEXT and own[1:].isalpha()
    return bool(own) and (not ending or own == ending or own in _endings() or text)


@cache
def _types() -> MimeTypes:
    # Use Python's built-in tables only. The machine's table would give each machine other names.
    return MimeTypes()


@cache
def _endings() -> frozenset[str]:
    """Return the endings of known types.

    Endings of one letter, for source code, are left out: they are more often the end of a name, as
    in "Room 2.a".
    """
    types = _types()
    known = {*types.types_map[True], *types.types_map[False], *types.encodings_map}
    known.update(types.suffix_map, _COMMON.values())
    return frozenset(ending for ending in known if len(ending) > 2)
