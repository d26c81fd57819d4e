"""Get the files of a message from the attachment store or by links, and name failures."""

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
