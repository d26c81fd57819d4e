"""Upload a message's files in order, one at a time; a note replaces a file that fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.attachments import Attachment, AttachmentError, AttachmentReason
from tasks.failures import OwnTroubleError, UndecidedError
from tasks.mattermost import (
    FileInfo,
    MattermostError,
    NotSentError,
    RateLimitedError,
    Reason,
)
from tasks.outbound.job import Job
from tasks.outbound.undecided import LOOK_AGAIN_S, stopped_error
from tasks.rendering import file_note
from tasks.rendering.wording import FileReasons


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploaded files in order, and a line of text for each file that failed."""

    files: tuple[FileInfo, ...]
    notes: tuple[str, ...]


def upload_all(job: Job, channel_id: str, attachments: Sequence[Attachment]) -> Uploads:
    """Upload the files.

    Raises:
        NotSentError, RateLimitedError, RefusedError: the server is away or accepts no request, so
            the whole message has to wait or fails.
        UndecidedError: this worker was asked to stop, or the attachment store is away. The message
            waits for the store as for a server. Once expired it is posted without the file.
    """
    locale = job.licence.locale
    files: list[FileInfo] = []
    notes: list[str] = []
    for attachment in attachments:
        try:
            files.append(_upload(job, channel_id, attachment))
        except AttachmentError as error:
            if error.reason is AttachmentReason.STOPPED:
                raise stopped_error(error) from None
            if error.reason is AttachmentReason.STORE_UNAVAILABLE and not job.expired:
                raise _store_away(error) from None
            notes.append(_note(job, attachment, error.text(locale.wording)))
        except MattermostError as error:
            if error.reason is Reason.STOPPED:
                raise stopped_error(error) from None
            if _concerns_the_message(error):
                raise
            notes.append(_note(job, attachment, _text(error, locale.wording.file_reasons)))
    return Uploads(tuple(files), tuple(notes))


def _note(job: Job, attachment: Attachment, reason: str) -> str:
    return file_note(name=attachment.name, reason=reason, locale=job.licence.locale)


def _store_away(error: AttachmentError) -> UndecidedError:
    return UndecidedError(
        error.reason,
        "Its files wait for the attachment store: check ATTACHMENTS_URL.",
        look_again_s=LOOK_AGAIN_S,
        sent_off=False,
        cause=OwnTroubleError(),
    )


def _upload(job: Job, channel_id: str, attachment: Attachment) -> FileInfo:
    extend = job.extend_for_files
    extend()
    limit = job.licence.max_file_size_bytes
    with job.attachments.open(attachment, limit_bytes=limit, on_progress=extend) as opened:
        return job.client.upload_file(
            channel_id=channel_id,
            name=opened.name,
            stream=opened.stream,
            size_bytes=opened.size_bytes,
            on_progress=extend,
        )


def _concerns_the_message(error: MattermostError) -> bool:
    return (
        isinstance(error, NotSentError | RateLimitedError) or error.reason is Reason.TOKEN_REJECTED
    )


def _text(error: MattermostError, reasons: FileReasons) -> str:
    texts = {
        # The file is within the limit that we know, so the server or its proxy has another limit.
        Reason.TOO_LARGE: reasons.too_large,
        Reason.IMAGE_TOO_LARGE: reasons.image_too_large,
        Reason.UPLOADS_DISABLED: reasons.uploads_disabled,
        Reason.NOT_A_MEMBER: reasons.not_a_member,
        Reason.REJECTED_BY_PLUGIN: reasons.rejected_by_plugin,
    }
    return texts.get(error.reason, reasons.not_taken)
