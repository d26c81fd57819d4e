"""The reasons why a file is unavailable: a closed set, each with a text in the wording."""

from enum import StrEnum
from typing import Any

from tasks.rendering.english import ENGLISH
from tasks.rendering.wording import Wording

MEGABYTE = 1024 * 1024


class AttachmentReason(StrEnum):
    """Why a file is unavailable; the rest of its message is posted."""

    GONE = "gone"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    HOST_NOT_ALLOWED = "host_not_allowed"
    NOT_HTTPS = "not_https"
    OUTSIDE_STORE = "outside_store"
    BAD_REDIRECT = "bad_redirect"
    LINK_REFUSED = "link_refused"
    WEB_PAGE = "web_page"
    COMPRESSED = "compressed"
    DOWNLOAD_FAILED = "download_failed"
    DOWNLOAD_TIMEOUT = "download_timeout"
    STORE_UNAVAILABLE = "store_unavailable"
    NO_TIME_LEFT = "no_time_left"
    STOPPED = "stopped"


class AttachmentError(Exception):
    """A file is unavailable.

    ``status`` is the HTTP status of its download (0: none). ``limit_bytes`` is the limit that the
    file exceeds (0: unknown). The error never holds the file's name, path or link, since a link may
    hold a password.
    """

    def __init__(
        self, reason: AttachmentReason | str, *, status: int = 0, limit_bytes: int = 0
    ) -> None:
        super().__init__(str(reason))
        self.reason = AttachmentReason(reason)
        self.status = status
        self.limit_bytes = limit_bytes

    def text(self, wording: Wording) -> str:
        """Return the reason as the team reads it, after the file's name."""
        reasons = wording.file_reasons
        if self.reason is AttachmentReason.TOO_LARGE and self.limit_bytes:
            return reasons.larger_than.format(size=_size(self.limit_bytes))
        text: str = getattr(reasons, self.reason.value)
        return text

    def __str__(self) -> str:
        status = f", HTTP {self.status}" if self.status else ""
        return f"{self.reason.value}{status}: {self.text(ENGLISH)}"

    def __reduce__(self) -> tuple[Any, ...]:
        # A prefork worker pickles its errors, and pickle would lose the keyword arguments.
        return _rebuilt, (self.reason.value, self.status, self.limit_bytes)


def _rebuilt(reason: str, status: int, limit_bytes: int) -> AttachmentError:
    return AttachmentError(reason, status=status, limit_bytes=limit_bytes)


def _size(size_bytes: int) -> str:
    if size_bytes < MEGABYTE:
        return f"{size_bytes // 1024} kB"
    return f"{size_bytes // MEGABYTE} MB"
