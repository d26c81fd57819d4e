"""What an operator does about a reply that is not recorded, by the reason in its row."""

from __future__ import annotations

from tasks.attachments import AttachmentReason
from tasks.failures import OwnReason
from tasks.outbound.resending import cure_of
from tasks.replies.backoff import PAUSED
from tasks.replies.meaning import Ignored

_RECORDED_WITHOUT = "Nothing: after three attempts the reply is recorded without it."
_WRONG_PLACE = "Look under ATTACHMENTS_URL: a folder is in a file's place, or a link leads out."
# Reasons that `cure_of` does not know, or for which a reply needs another cure than a message.
_CURES: dict[str, str] = {
    OwnReason.LICENCE_DISABLED: "Enable the licence: ireserve-mattermost licence enable.",
    OwnReason.INTERNAL_ERROR: "Report it with the line reply_failed of the log.",
    Ignored.UNKNOWN_THREAD: "Nothing: it is linked with the conversation's next message.",
    PAUSED: "Nothing: i-Reserve gets it at the end of the pause.",
    AttachmentReason.STORE_UNAVAILABLE: "Check ATTACHMENTS_URL, and that the store can be written.",
    AttachmentReason.GONE: _WRONG_PLACE,
    AttachmentReason.OUTSIDE_STORE: _WRONG_PLACE,
    AttachmentReason.DOWNLOAD_FAILED: _RECORDED_WITHOUT,
    AttachmentReason.DOWNLOAD_TIMEOUT: _RECORDED_WITHOUT,
}


def cure_of_reply(reason: str | None) -> str:
    """Return what to do about this reason; empty for None or an unknown reason."""
    if reason is None:
        return ""
    return _CURES.get(reason) or cure_of(reason)
