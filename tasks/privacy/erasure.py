"""Erases what is stored of a conversation or a licence: rows, files and waiting messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import ColumnElement, delete, func, null, select, update
from sqlalchemy.orm import Session

from ireserve_mattermost.lanes import HeldLock, Lane, Lanes
from models import Conversation, Database, Delivery, Licence, Outcome, Reply, ReplyAttachment
from tasks.attachments.store import AttachmentStore
from tasks.locks import Locks
from tasks.mattermost import MattermostClient
from tasks.outbound.resending import lock_lane
from tasks.privacy.conversations import root_posts
from tasks.replies.unowned_files import RemovalContext, remove_unowned, write_down_files_of


@dataclass(frozen=True, slots=True)
class Erased:
    """The number of erased objects of each kind; ``threads`` are root posts in Mattermost."""

    conversations: int = 0
    replies: int = 0
    files: int = 0
    payloads: int = 0
    waiting: int = 0
    threads: int = 0

    def __add__(self, other: Erased) -> Erased:
        """Return the sums of both."""
        return Erased(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Places:
    """The places that hold data to erase, and the locks that erasing needs."""

    database: Database
    lanes: Lanes
    store: AttachmentStore
    locks: Locks

    @property
    def removal_context(self) -> RemovalContext:
        """What removing files needs."""
        return RemovalContext(self.database, self.store, self.locks)


def erase_conversation(
    places: Places, lane: Lane, *, client: MattermostClient | None = None
) -> Erased:
    """Erase the conversation of this lane; with a ``client``, also its threads in Mattermost.

    An interrupted run can be repeated, because the rows that lead to the rest are removed last.

    Raises:
        LaneBusyError: a worker is sending in this conversation.
        AttachmentError: the attachment store cannot be reached.
        MattermostError: a thread could not be deleted.
    """
    of = (Conversation.licence_id == lane.licence_id) & (
        Conversation.conversation_id == lane.subject
    )
    with lock_lane(places.lanes, lane) as lock:
        threads = 0 if client is None else _delete_threads(places.database, lane, client, lock)
        files = _remove_files(places, of, lock)
        waiting = _drop(places.lanes, lane, lock)
        with places.database.transaction() as session:
            replies = _count_replies(session, of)
            payloads = _forget_payloads(session, Delivery.lane == str(lane))
            # If the conversation begins again, its new thread must report no missing messages.
            session.execute(update(Delivery).where(Delivery.lane == str(lane)).values(missing=None))
            write_down_files_of(session, _replies_of(of))
            gone = session.scalars(delete(Conversation).where(of).returning(Conversation.id)).all()
    places.lanes.unmark_if_empty(lane)
    remove_unowned(places.removal_context, licence_id=lane.licence_id)
    return Erased(len(gone), replies, files, payloads, waiting, threads)


def erase_licence(places: Places, licence_id: str) -> Erased:
    """Erase the licence and everything that is stored for it; the posts in Mattermost stay.

    Raises:
        LaneBusyError, AttachmentError: as ``erase_conversation``.
    """
    waiting = 0
    for lane in places.lanes.waiting_of(licence_id):
        with lock_lane(places.lanes, lane) as lock:
            waiting += _drop(places.lanes, lane, lock)
        places.lanes.unmark_if_empty(lane)
    of = Conversation.licence_id == licence_id
    files = _remove_files(places, of, None)
    with places.database.transaction() as session:
        contents = count_licence(session, licence_id)
        payloads = _forget_payloads(session, Delivery.licence_id == licence_id)
        write_down_files_of(session, Reply.licence_id == licence_id)
        session.execute(delete(Delivery).where(Delivery.licence_id == licence_id))
        session.execute(delete(Outcome).where(Outcome.licence_id == licence_id))
        session.execute(delete(Licence).where(Licence.id == licence_id))
    remove_unowned(places.removal_context, licence_id=licence_id)
    return Erased(contents.conversations, contents.replies, files, payloads, waiting)


def count_licence(session: Session, licence_id: str) -> Erased:
    """Return the number of objects in the database that are erased with the licence."""
    of = Conversation.licence_id == licence_id
    conversations = session.scalar(select(func.count()).select_from(Conversation).where(of)) or 0
    files = len(_paths(session, of))
    return Erased(conversations, _count_replies(session, of), files)


def _delete_threads(
    database: Database, lane: Lane, client: MattermostClient, lock: HeldLock
) -> int:
    """Delete the conversation's root posts and so their threads; return how many."""
    with database.snapshot() as session:
        roots = root_posts(session, lane)
    there = [post.id for post in client.get_posts_by_ids(sorted(roots)) if not post.delete_at_ms]
    for post_id in there:
        lock.extend()
        client.delete_post(post_id)
    return len(there)


def _remove_files(places: Places, of: ColumnElement[bool], lock: HeldLock | None) -> int:
    with places.database.snapshot() as session:
        paths = _paths(session, of)
    for path in paths:
        if lock is not None:
            lock.extend()
        places.store.remove(path)
    return len(paths)


def _paths(session: Session, of: ColumnElement[bool]) -> Sequence[str]:
    found = session.scalars(
        select(ReplyAttachment.path)
        .join(Reply, Reply.id == ReplyAttachment.reply_id)
        .join(Conversation, Conversation.id == Reply.conversation_row)
        .where(of, ReplyAttachment.path.is_not(None))
    )
    return [path for path in found if path is not None]


def _replies_of(of: ColumnElement[bool]) -> ColumnElement[bool]:
    return Reply.conversation_row.in_(select(Conversation.id).where(of))


def _count_replies(session: Session, of: ColumnElement[bool]) -> int:
    replies = (
        select(func.count())
        .select_from(Reply)
        .join(Conversation, Conversation.id == Reply.conversation_row)
    )
    return session.scalar(replies.where(of)) or 0


def _forget_payloads(session: Session, of: ColumnElement[bool]) -> int:
    forgotten = session.scalars(
        update(Delivery)
        .where(of, Delivery.payload.is_not(None))
        .values(payload=null())
        .returning(Delivery.id)
    )
    return len(forgotten.all())


def _drop(lanes: Lanes, lane: Lane, lock: HeldLock) -> int:
    """Remove all messages from the lane; return how many."""
    count, raw = 0, lanes.head(lane)
    while raw is not None:
        lock.extend()
        raw = lanes.remove_head(lane, raw)
        count += 1
    return count
