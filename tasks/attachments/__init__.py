"""The files of a message: where they come from, and why one could not be had."""

from tasks.attachments.errors import AttachmentError, AttachmentReason
from tasks.attachments.source import Attachment, AttachmentSource, OpenedAttachment

__all__ = [
    "Attachment",
    "AttachmentError",
    "AttachmentReason",
    "AttachmentSource",
    "OpenedAttachment",
]
