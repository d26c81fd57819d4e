"""The pause before i-Reserve is told of a reply: its author may still change it or take it back.

The row says until when the reply waits. Celery delivers a delayed wake-up then, so no thread waits.
A worker then reads the post again, since an edit calls no webhook; a deleted post is not passed on.
Until then the row has no text, only the conversation and the times.

i-Reserve gets the replies of one conversation in order. A reply waits for earlier replies that had
a pause. A reply with a pause also waits for earlier posts that no worker has looked at yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, Table, Update, and_, bindparam, func, or_, select, update

from models import Reply, ReplyState, utc_now
from tasks.mattermost import Post
from tasks.replies import rows
from tasks.replies.backoff import GIVEN_UP, PAUSED
from tasks.replies.known_reply import KnownReply
from tasks.replies.owners import ThreadOwner
from tasks.replies.questions import ReplyJob
from tasks.wake import wake_replies

# A reply that waits for an earlier one is tried again after a quarter of the time since its own
# pause ended.
SHORTEST_WAIT = timedelta(seconds=0.5)
LONGEST_WAIT = timedelta(seconds=5)
GROWTH = 0.25
# A post that no worker has looked at yet holds up later ones at most for this time. If its worker
# died, another worker takes it sooner.
UNSEEN_FOR = timedelta(seconds=60)

# Built once, and on the table instead of the mapped class, since each reply needs them.
_REPLY = cast(Table, Reply.__table__).c
_WERE_PAUSED = and_(
    _REPLY.conversation_row == bindparam("conversation"),
    _REPLY.id != bindparam("reply"),
    _REPLY.paused_until.is_not(None),
    _REPLY.next_attempt_at < GIVEN_UP,
    or_(_REPLY.state == ReplyState.RECEIVED, _REPLY.pending_event.is_not(None)),
    or_(
        _REPLY.posted_at < bindparam("posted_at"),
        and_(_REPLY.posted_at == bindparam("posted_at"), _REPLY.id < bindparam("reply")),
    ),
)
# Earlier posts whose thread is not known yet: it may be the same thread.
_ARE_UNSEEN = and_(
    _REPLY.conversation_row.is_(None),
    # The function keeps SQLite from using an index that names all replies of the licence.
    func.coalesce(_REPLY.licence_id, "") == bindparam("licence"),
    _REPLY.id < bindparam("reply"),
    _REPLY.state == ReplyState.RECEIVED,
    _REPLY.reason.is_(None),
    _REPLY.received_at > bindparam("unseen_since"),
)
_EARLIER = select(_REPLY.id, _REPLY.paused_until).where(_WERE_PAUSED)
_EARLIER_OR_UNSEEN = select(_REPLY.id, _REPLY.paused_until).where(or_(_WERE_PAUSED, _ARE_UNSEEN))


def continue_pause(job: ReplyJob) -> KnownReply | None:
    """Return the reply if its pause goes on; None: it has no pause, or the pause is over."""
    until = job.known.paused_until
    if until is None or until <= utc_now():
        return None
    left = replace(job.known, next_attempt_at=until)
    with job.runtime.database.autocommit() as connection:
        connection.execute(_row(left).values(next_attempt_at=until))
    return left


def pause_reply(job: ReplyJob, post: Post, owner: ThreadOwner) -> KnownReply | None:
    """Have a reply that is new to the visitor wait, and return it; None: it need not wait."""
    now = utc_now()
    until = job.known.paused_until or job.known.received_at + _pause_length(job)
    # If the server names no time, the time of the first attempt stays.
    posted_at = job.known.posted_at or rows.posted_at_of(post, now)
    earlier = _earlier_ones(job, posted_at, owner)
    if until <= now and not earlier:
        return None
    ends = [row.paused_until or now for row in earlier]
    again = now + min(max((now - until) * GROWTH, SHORTEST_WAIT), LONGEST_WAIT)
    look_at = max([until, *ends, again] if earlier else [until])
    overdue = [row.id for row, end in zip(earlier, ends, strict=True) if end <= now]
    waiting = replace(
        job.known,
        conversation_row=owner.row,
        conversation_id=owner.conversation_id,
        posted_at=posted_at,
        paused_until=until,
        next_attempt_at=look_at,
    )
    with job.runtime.database.connection() as connection:
        # Wake the earlier ones now: their worker died, or their server has just answered again.
        sooner = update(Reply).where(Reply.id.in_(overdue), Reply.state == ReplyState.RECEIVED)
        connection.execute(sooner.values(next_attempt_at=now))
        connection.execute(_row(waiting).values(**_columns_while_waiting(waiting)))
    wake_replies([waiting.id], licence_ids=[waiting.licence_id], at=look_at)
    return waiting


def _columns_while_waiting(waiting: KnownReply) -> dict[str, Any]:
    """Return the columns that are stored while a reply waits; its text is not among them."""
    columns = ("conversation_row", "posted_at", "paused_until", "next_attempt_at")
    known = {column: getattr(waiting, column) for column in columns}
    return {**known, "reason": PAUSED, "detail": "Its author may change it or take it back."}


def _row(known: KnownReply) -> Update:
    return update(Reply).where(Reply.id == known.id)


def _pause_length(job: ReplyJob) -> timedelta:
    return timedelta(seconds=job.licence.reply_pause_s)


def _earlier_ones(
    job: ReplyJob, posted_at: datetime, owner: ThreadOwner
) -> Sequence[Row[int, datetime | None]]:
    """Return the replies that i-Reserve is to get before this one."""
    known, has_pause = job.known, job.licence.reply_pause_s or job.known.paused_until
    values = {"reply": known.id, "posted_at": posted_at, "conversation": owner.row}
    if has_pause:
        unseen_since = known.received_at - UNSEEN_FOR
        values |= {"licence": job.licence.id, "unseen_since": unseen_since}
    with job.runtime.database.reading() as connection:
        return connection.execute(_EARLIER_OR_UNSEEN if has_pause else _EARLIER, values).all()
