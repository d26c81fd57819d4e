"""The posts of one message in a conversation: its text, and its files ten at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ireserve_mattermost.messages import Attachment, ChatMessage
from models import utc_now
from tasks.mattermost import FileInfo, Post
from tasks.outbound.job import Job
from tasks.outbound.lost_files import lost_files_of, lost_files_of_earlier
from tasks.outbound.marks import mark_of
from tasks.outbound.missing_messages import MISSING_COUNT
from tasks.outbound.settlement import Draft, Place
from tasks.outbound.uploads import Uploads, upload_all
from tasks.rendering import (
    Locale,
    MissingMessages,
    author_props,
    file_note,
    missing_line,
    render_files_header,
    render_reply,
)

# Mattermost's own limit for one post.
FILES_PER_POST = 10
# Mattermost shows when a post was made. A message that was sent this much earlier names its time.
LATE = timedelta(minutes=2)


class Parts:
    """The posts of one message, one after the other; the files of a post are uploaded before it.

    ``posts`` are the message's existing posts by part. The caller must add each new post to them
    before it takes the next draft. The end of the text names the ``missing`` messages.
    """

    def __init__(
        self,
        job: Job,
        *,
        place: Place,
        message: ChatMessage,
        posts: Mapping[str, Post],
        missing: Sequence[MissingMessages] = (),
    ) -> None:
        self._job = job
        self._place = place
        self._message = message
        self._posts = posts
        self._missing = missing

    def drafts(self) -> Iterator[Draft]:
        """Yield the text with the first ten files, then the other files.

        A draft that names the lost files follows a post from which the server dropped files.

        Raises:
            RateLimitedError, UndecidedError: the message has to wait.
            SendFailedError, MattermostError: the message has failed.
        """
        for draft in self._planned():
            yield draft
            yield from self._lost_drafts(
                draft.part, lost_files_of(draft.files, self._posts[draft.part])
            )

    def _planned(self) -> Iterator[Draft]:
        files = self._message.attachments
        first = files[:FILES_PER_POST]
        if _is_complete(self._posts):
            yield from self._lost_of_earlier(_last_of_text(self._posts), first)
        else:
            yield from self._text_drafts(first)
        for start in range(FILES_PER_POST, len(files), FILES_PER_POST):
            yield from self._files_drafts(files[start : start + FILES_PER_POST], start)

    def _text_drafts(self, attachments: Sequence[Attachment]) -> Iterator[Draft]:
        uploads = self._upload(attachments)
        texts = render_reply(
            sender_name=self._message.sender_name or "",
            sender_role=self._message.sender_role,
            text=self._message.text,
            locale=self._locale,
            sent_at=_if_late(self._message.sent_at),
            notes=[*uploads.notes, *self._missing_lines()],
            max_length=self._job.licence.max_post_size,
            with_sender=not self._is_author,
            is_internal=self._message.is_internal,
        )
        for number, text in enumerate(texts, 1):
            is_last = number == len(texts)
            files = uploads.files if is_last else ()
            yield self._draft(str(number), text, files, parts=len(texts), is_last=is_last)

    def _missing_lines(self) -> list[str]:
        """Return the line about missing messages before this message, or no line."""
        return [missing_line(self._missing, self._locale)] if self._missing else []

    @property
    def _locale(self) -> Locale:
        return self._job.licence.locale

    @property
    def _is_author(self) -> bool:
        return self._job.licence.shows_sender_as_author

    def _files_drafts(self, attachments: Sequence[Attachment], start: int) -> Iterator[Draft]:
        name = f"files-{start + 1}"
        if name in self._posts:
            yield from self._lost_of_earlier(name, attachments)
            return
        uploads = self._upload(attachments)
        header = render_files_header(
            sender_name=self._message.sender_name or "",
            sender_role=self._message.sender_role,
            first=start + 1,
            last=start + len(attachments),
            total=len(self._message.attachments),
            locale=self._locale,
            with_sender=not self._is_author,
            is_internal=self._message.is_internal,
        )
        yield self._draft(name, "\n".join([header, *uploads.notes]), uploads.files)

    def _lost_of_earlier(self, name: str, attachments: Sequence[Attachment]) -> Iterator[Draft]:
        """Yield the draft about lost files that an earlier attempt owes to this post, if any."""
        if f"{name}-lost" not in self._posts:
            yield from self._lost_drafts(
                name, lost_files_of_earlier(attachments, self._posts[name])
            )

    def _lost_drafts(self, name: str, lost: Sequence[str]) -> Iterator[Draft]:
        """Yield the draft that names the files that the server dropped silently, if any."""
        if lost:
            reason = self._locale.wording.file_reasons.lost_by_server
            notes = [file_note(name=file, reason=reason, locale=self._locale) for file in lost]
            yield self._draft(f"{name}-lost", "\n".join(notes))

    def _draft(
        self,
        name: str,
        text: str,
        files: Sequence[FileInfo] = (),
        *,
        parts: int = 1,
        is_last: bool = False,
    ) -> Draft:
        mark_data: dict[str, Any] = {
            "parts": parts,
            "files": len(files),
            "conversation_id": self._message.conversation_id,
            "message_id": self._message.message_id,
        }
        if is_last and self._missing:
            # A worker that finds the post knows by this that the messages are named.
            mark_data[MISSING_COUNT] = sum(group.count for group in self._missing)
        return Draft(name, text, files, props=self._author(), mark_data=mark_data)

    def _author(self) -> dict[str, Any]:
        if not self._is_author:
            return {}
        message = self._message
        return author_props(
            sender_name=message.sender_name or "",
            sender_role=message.sender_role,
            locale=self._locale,
            is_internal=message.is_internal,
        )

    def _upload(self, attachments: Sequence[Attachment]) -> Uploads:
        return upload_all(self._job, self._place.channel_id, attachments)


def _if_late(sent_at: datetime | None) -> datetime | None:
    """Return the time of a message that was sent more than ``LATE`` ago, or None."""
    return sent_at if sent_at is not None and utc_now() - sent_at > LATE else None


def _is_complete(found: Mapping[str, Post]) -> bool:
    """Return whether all text parts exist; the mark of each holds their number."""
    first = found.get("1")
    if first is None:
        return False
    return all(str(number) in found for number in range(1, mark_of(first).get("parts", 1) + 1))


def _last_of_text(found: Mapping[str, Post]) -> str:
    """Return the name of the last text part, which holds the first files."""
    return str(mark_of(found["1"]).get("parts", 1))
