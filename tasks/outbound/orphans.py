"""Orphans: posts under a deleted root post, which are moved to the conversation's new thread.

The server checks the root post before it saves a reply. If the root post is deleted in between, the
reply still exists and counts as sent. But no member can open the thread that the reply is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from tempfile import SpooledTemporaryFile

import structlog
from sqlalchemy import select, update

from ireserve_mattermost.lanes import Lane, LaneEntry
from models import Conversation, Database, Delivery, DeliveryKind, DeliveryState
from tasks.failures import SendFailedError, UndecidedError
from tasks.licences.access import LicenceAccess
from tasks.mattermost import FileInfo, MattermostError, Post, RefusedError
from tasks.outbound.job import Attempt, Job
from tasks.outbound.ledger import Begun
from tasks.outbound.marks import PROPS_KEY, Mark, mark_of
from tasks.outbound.settlement import Draft, Place, post_marked
from tasks.outbound.threads import Thread, root_payload
from tasks.rendering import file_note

log = structlog.get_logger(__name__)

# The orphan was posted when the root post was deleted. So it is among the channel's newest posts
# when the next message or the next catch-up finds the root post deleted.
PAGE_SIZE = 200
# A post's file up to this size is copied in memory, and a larger file on disk.
IN_MEMORY_BYTES = 1024 * 1024


def is_orphan(post: Post, *, bot_user_id: str, live_root_ids: Iterable[str] = ()) -> bool:
    """Return whether the bot posted this part of a message in another thread than these."""
    is_part = post.user_id == bot_user_id and bool(mark_of(post).get("key"))
    return (
        is_part
        and bool(post.root_id)
        and not post.delete_at_ms
        and (post.root_id not in live_root_ids)
    )


def take_over(job: Job, thread: Thread, root: Post, begun: Begun) -> None:
    """Move the posts under the thread's deleted root post to the new root post.

    A post that cannot be moved stays where it is, and the log says so. Its message has been sent,
    and must not delay the message that needs the new thread.
    """
    try:
        for orphan in _orphans(job, thread, root):
            _move(job, orphan, root, begun)
            log.info("orphan_moved", conversation_id=thread.conversation_id, post_id=orphan.id)
    except (MattermostError, SendFailedError, UndecidedError) as error:
        reason = error.reason.value
        log.warning("orphan_not_moved", conversation_id=thread.conversation_id, reason=reason)


def _orphans(job: Job, thread: Thread, root: Post) -> list[Post]:
    """Return the conversation's posts in older threads that are not deleted, oldest first."""
    job.extend()
    newest = job.client.get_posts_page(root.channel_id, per_page=PAGE_SIZE)
    found = {post.id: post for post in newest}
    last_id = _last_sent(job.database, job.lane)
    if last_id is not None and last_id not in found:
        found |= {post.id: post for post in job.client.get_posts_by_ids([last_id])}
    bot_user_id = job.licence.bot_user_id
    return sorted(
        (
            post
            for post in found.values()
            if is_orphan(post, bot_user_id=bot_user_id, live_root_ids=[root.id])
            and mark_of(post).get("conversation_id") == thread.conversation_id
        ),
        key=lambda post: post.create_at_ms,
    )


def _last_sent(database: Database, lane: Lane) -> str | None:
    """Return the id of the first post of the lane's newest message that was sent."""
    newest = (
        select(Delivery.post_id)
        .where(Delivery.lane == str(lane), Delivery.kind == DeliveryKind.REPLY)
        .where(Delivery.state == DeliveryState.SENT)
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    with database.snapshot() as session:
        return session.scalar(newest)


def _move(job: Job, orphan: Post, root: Post, begun: Begun) -> None:
    mark = mark_of(orphan)
    attempt = Attempt(begun, Mark(str(mark["key"])))
    part = str(mark.get("part"))
    there = attempt.mark.parts_among(
        job.client.get_thread(root.id), bot_user_id=job.licence.bot_user_id
    )
    copy = there.get(part)
    if copy is None:
        files, notes = _copies(job, orphan.files, root.channel_id)
        mark_data = {name: value for name, value in mark.items() if name not in ("key", "part")}
        own = {name: value for name, value in orphan.props.items() if name != PROPS_KEY}
        text = "\n".join([orphan.message, *notes])[: job.licence.max_post_size]
        draft = Draft(part, text, files, props=own, mark_data=mark_data)
        copy = post_marked(job, attempt, Place(root.channel_id, root.id), draft)
    with job.database.transaction() as session:
        named = update(Delivery).where(Delivery.lane == str(job.lane))
        session.execute(named.where(Delivery.post_id == orphan.id).values(post_id=copy.id))
    job.client.delete_post(orphan.id)


def _copies(
    job: Job, files: Sequence[FileInfo], channel_id: str
) -> tuple[list[FileInfo], list[str]]:
    """Upload the files again, since a file belongs to one post; return them and notes of failures.

    The notes are lines of text.
    """
    copies: list[FileInfo] = []
    notes: list[str] = []
    for file in files:
        try:
            copies.append(_copy(job, file, channel_id))
        except (RefusedError, ValueError):
            reason = job.licence.locale.wording.file_reasons.not_copied
            notes.append(file_note(name=file.name, reason=reason, locale=job.licence.locale))
    return copies, notes


def _copy(job: Job, file: FileInfo, channel_id: str) -> FileInfo:
    job.extend()
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as buffer:
        with job.client.download_file(file.id) as download:
            for chunk in download.chunks:
                buffer.write(chunk)
                job.extend()
        size_bytes = buffer.tell()
        buffer.seek(0)
        return job.client.upload_file(
            channel_id=channel_id,
            name=file.name,
            stream=buffer,
            size_bytes=size_bytes,
            on_progress=job.extend,
        )


def new_threads_of(
    database: Database, licence: LicenceAccess, root_post_ids: Iterable[str]
) -> list[tuple[Lane, LaneEntry]]:
    """Forget these deleted root posts; return the lane and the entry that make each new one.

    A root post that a worker has replaced meanwhile is ignored.
    """
    rows = select(Conversation).where(
        Conversation.licence_id == licence.id,
        Conversation.root_post_id.in_(tuple(root_post_ids)),
    )
    with database.transaction() as session:
        return [
            _new_thread(licence, conversation)
            for conversation in session.scalars(rows.with_for_update())
        ]


def _new_thread(licence: LicenceAccess, conversation: Conversation) -> tuple[Lane, LaneEntry]:
    conversation.root_post_id = None
    conversation.thread_number += 1
    conversation.channel_id = licence.default_channel_id
    thread = Thread.of(conversation)
    lane = Lane.of_conversation(licence.id, conversation.conversation_id)
    return lane, LaneEntry(DeliveryKind.ROOT, thread.root_key, "", root_payload(lane, thread))
