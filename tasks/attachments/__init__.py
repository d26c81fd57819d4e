"""The files of a message: where they come from, and why one could not be had."""

from ireserve_mattermost.messages import Attachment
from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.attachments.source import AttachmentSource, OpenedAttachment

__all__ = [
    "Attachment",
    "AttachmentError",
    "AttachmentReason",
    "AttachmentSource",
    "OpenedAttachment",
]
