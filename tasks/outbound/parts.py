"""The posts of one message of a conversation: its text, and its files ten at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import utc_now
from tasks.mattermost import FileInfo, Post
from tasks.messages import AttachmentArguments, Reply
from tasks.outbound.job import Attempt, Job
from tasks.outbound.marks import Mark, mark_of
from tasks.outbound.refusals import explained
from tasks.outbound.settlement import did_not_arrive, find_in_thread, look, post_once
from tasks.outbound.threads import Thread
from tasks.outbound.uploads import Uploads, upload_all
from tasks.rendering import file_note, render_files_header, render_reply

# Mattermost's own limit for one post.
FILES_PER_POST = 10
# Mattermost shows when a post was made; a message that waited says when it was written.
LATE = timedelta(minutes=2)
LOST_BY_SERVER = "the server accepted the file and then did not attach it"


@dataclass(frozen=True, slots=True)
class _Part:
    """One post to be: its name within the message, how many text parts there are, its content."""

    name: str
    of: int
    text: str
    files: tuple[FileInfo, ...] = ()


class ReplyPosts:
    """Posts one message under its thread's root, and notes in ``attempt`` what is there."""

    def __init__(
        self, job: Job, *, mark: Mark, thread: Thread, message: Reply, attempt: Attempt
    ) -> None:
        self._job = job
        self._mark = mark
        self._thread = thread
        self._root_post_id = thread.root_post_id or ""
        self._message = message
        self._attempt = attempt
        self._found: dict[str, Post] = {}

    def post(self) -> None:
        """Post what is not there yet: the text with its first ten files, then the other files.

        Raises:
            RateLimitedError, UndecidedError, SendFailedError, MattermostError
        """
        self._look_first()
        files = self._message.attachments
        if not _is_complete(self._found):
            self._post_text(files[:FILES_PER_POST])
        for start in range(FILES_PER_POST, len(files), FILES_PER_POST):
            self._post_more_files(files[start : start + FILES_PER_POST], start)

    def _look_first(self) -> None:
        begun = self._attempt.begun
        if not begun.must_look:
            return
        self._found = look(self._find_all, because=None, sent_off=False)
        # An attempt whose answer was lost is settled by what is there now: one post more than was
        # known then has arrived, and what follows it was never tried; otherwise it has failed.
        if begun.is_unsettled and len(self._found) <= begun.post_count:
            raise did_not_arrive(begun)
        self._attempt.posts.extend(self._found.values())

    def _find_all(self) -> dict[str, Post]:
        return find_in_thread(self._job, self._mark, self._root_post_id)

    def _post_text(self, attachments: Sequence[AttachmentArguments]) -> None:
        uploads = self._upload(attachments)
        texts = render_reply(
            sender_name=self._message.sender_name,
            sender_role=self._message.sender_role,
            text=self._message.text,
            sent_at=_if_late(self._message.sent_at),
            notes=uploads.notes,
            max_length=self._job.licence.max_post_size,
        )
        for number, text in enumerate(texts, 1):
            files = uploads.files if number == len(texts) else ()
            self._post_part(_Part(str(number), len(texts), text, files))

    def _post_more_files(self, attachments: Sequence[AttachmentArguments], start: int) -> None:
        name = f"files-{start + 1}"
        if name in self._found:
            self._tell_lost(name, self._found[name], [item.name for item in attachments])
            return
        uploads = self._upload(attachments)
        header = render_files_header(
            sender_name=self._message.sender_name,
            sender_role=self._message.sender_role,
            first=start + 1,
            last=start + len(attachments),
            total=len(self._message.attachments),
        )
        self._post_part(_Part(name, 1, "\n".join([header, *uploads.notes]), uploads.files))

    def _upload(self, attachments: Sequence[AttachmentArguments]) -> Uploads:
        return upload_all(self._job, self._thread.channel_id, attachments)

    def _post_part(self, part: _Part) -> None:
        post = self._found.get(part.name)
        if post is None:
            post = post_once(lambda: self._create(part), lambda: self._find_all().get(part.name))
            self._attempt.posts.append(post)
        self._tell_lost(part.name, post, [file.name for file in part.files])

    def _tell_lost(self, name: str, post: Post, sent: Sequence[str]) -> None:
        """Name the files that the server has dropped without a word, in a post of their own."""
        there = {file.name for file in post.files}
        expected = mark_of(post).get("files", 0)
        lost = [file for file in sent if file not in there]
        if name.endswith("-lost") or len(post.file_ids) >= expected or not lost:
            return
        notes = [file_note(name=file, reason=LOST_BY_SERVER) for file in lost]
        self._post_part(_Part(f"{name}-lost", 1, "\n".join(notes)))

    def _create(self, part: _Part) -> Post:
        self._job.extend()
        with explained(self._job, self._thread.channel_id):
            return self._job.client.create_post(
                channel_id=self._thread.channel_id,
                root_id=self._root_post_id,
                message=part.text,
                file_ids=[file.id for file in part.files],
                props=self._mark.props(
                    part.name,
                    parts=part.of,
                    files=len(part.files),
                    conversation_id=self._message.conversation_id,
                    message_id=self._message.message_id,
                ),
                pending_post_id=self._mark.pending_post_id(
                    bot_user_id=self._job.licence.bot_user_id,
                    secret=self._job.licence.token,
                    root_post_id=self._root_post_id,
                    part=part.name,
                ),
            )


def _if_late(sent_at: datetime | None) -> datetime | None:
    """Return the moment when the post's own time would mislead by more than ``LATE``."""
    return sent_at if sent_at is not None and utc_now() - sent_at > LATE else None


def _is_complete(found: dict[str, Post]) -> bool:
    """Say whether all text parts are there; each of them says how many there are."""
    first = found.get("1")
    if first is None:
        return False
    return all(str(number) in found for number in range(1, mark_of(first).get("parts", 1) + 1))
