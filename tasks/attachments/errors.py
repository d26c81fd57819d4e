"""Why a file of a message could not be had: a closed set, each with what the team reads."""

from enum import StrEnum
from typing import Any

MEGABYTE = 1024 * 1024


class AttachmentReason(StrEnum):
    """Why a file could not be had; such a file costs only itself."""

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


_SENTENCES: dict[AttachmentReason, str] = {
    AttachmentReason.GONE: "it is no longer there",
    AttachmentReason.TOO_LARGE: "larger than this server's limit",
    AttachmentReason.EMPTY: "the file is empty",
    AttachmentReason.HOST_NOT_ALLOWED: "its link leads to a host that is not allowed",
    AttachmentReason.NOT_HTTPS: "its link is not https",
    AttachmentReason.OUTSIDE_STORE: "its path leads out of the attachment store",
    AttachmentReason.BAD_REDIRECT: "its link redirects to where it may not be fetched",
    AttachmentReason.LINK_REFUSED: "its link does not open, or no longer does",
    AttachmentReason.WEB_PAGE: "its link leads to a web page (to sign in?), not to the file",
    AttachmentReason.COMPRESSED: "its host sends it compressed although that was not asked for",
    AttachmentReason.DOWNLOAD_FAILED: "it could not be downloaded",
    AttachmentReason.DOWNLOAD_TIMEOUT: "its download took too long",
    AttachmentReason.STORE_UNAVAILABLE: "the attachment store cannot be read",
    AttachmentReason.NO_TIME_LEFT: "the files of this message took too long",
    # Never read by the team: the message waits for the next worker.
    AttachmentReason.STOPPED: "the worker was asked to stop",
}


class AttachmentError(Exception):
    """A file that could not be had: `reason`, `status` of a download (0: none), `limit_bytes`.

    Never holds the file's name, path or link: a link may carry its own password.
    """

    def __init__(
        self, reason: AttachmentReason | str, *, status: int = 0, limit_bytes: int = 0
    ) -> None:
        super().__init__(str(reason))
        self.reason = AttachmentReason(reason)
        self.status = status
        self.limit_bytes = limit_bytes

    @property
    def sentence(self) -> str:
        """What the team reads after the file's name."""
        limit = f" of {_size(self.limit_bytes)}" if self.limit_bytes else ""
        return _SENTENCES[self.reason] + limit

    def __str__(self) -> str:
        status = f", HTTP {self.status}" if self.status else ""
        return f"{self.reason.value}{status}: {self.sentence}"

    def __reduce__(self) -> tuple[Any, ...]:
        # A prefork worker pickles its errors, and pickle alone would forget the keywords.
        return _rebuilt, (self.reason.value, self.status, self.limit_bytes)


def _rebuilt(reason: str, status: int, limit_bytes: int) -> AttachmentError:
    return AttachmentError(reason, status=status, limit_bytes=limit_bytes)


def _size(size_bytes: int) -> str:
    if size_bytes < MEGABYTE:
        return f"{size_bytes // 1024} kB"
    return f"{size_bytes // MEGABYTE} MB"
