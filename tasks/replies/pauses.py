"""A pause before i-Reserve is told of a reply, in which its author may change it or take it back.

The reply's row says until when it waits, and a wake-up that Celery holds back comes then; no
thread waits. Its post is then asked for once more, since an edit calls no webhook, and what was
deleted is not told. Until then nothing of the reply is stored but whose thread it is in.

Replies of one conversation are told in order: one waits for those before it that had a pause, and
with a pause for those that no worker has looked at yet.
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

# A reply that waits for another one looks again after a quarter of the time that it has waited.
SHORTEST_WAIT = timedelta(seconds=0.5)
LONGEST_WAIT = timedelta(seconds=5)
GROWTH = 0.25
# For how long a post of which nothing is known yet may hold up later ones: a worker that died
# leaves it to another one within this time.
UNSEEN_FOR = timedelta(seconds=60)

# Built once, and on the table: they are asked for each reply.
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
# What came before, and may be in the same thread for all that is known.
_ARE_UNSEEN = and_(
    _REPLY.conversation_row.is_(None),
    # SQLite would read all replies of the licence by this, were it not for the function.
    func.coalesce(_REPLY.licence_id, "") == bindparam("licence"),
    _REPLY.id < bindparam("reply"),
    _REPLY.state == ReplyState.RECEIVED,
    _REPLY.reason.is_(None),
    _REPLY.received_at > bindparam("unseen_since"),
)
_BEFORE = select(_REPLY.id, _REPLY.paused_until).where(_WERE_PAUSED)
_BEFORE_A_PAUSED = select(_REPLY.id, _REPLY.paused_until).where(or_(_WERE_PAUSED, _ARE_UNSEEN))


def left_paused(job: ReplyJob) -> KnownReply | None:
    """Return the reply as it goes on waiting; None: it has no pause, or that is over."""
    until = job.known.paused_until
    if until is None or until <= utc_now():
        return None
    left = replace(job.known, next_attempt_at=until)
    with job.runtime.database.autocommit() as connection:
        connection.execute(_row(left).values(next_attempt_at=until))
    return left


def paused(job: ReplyJob, post: Post, owner: ThreadOwner) -> KnownReply | None:
    """Let a reply that is new to the visitor wait, if it has to; None: it is told now."""
    now = utc_now()
    until = job.known.paused_until or job.known.received_at + _pause(job)
    # Of a server that names no time the first look's counts.
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
        # Their worker died, or their server is back: the reply behind them has just asked it.
        sooner = update(Reply).where(Reply.id.in_(overdue), Reply.state == ReplyState.RECEIVED)
        connection.execute(sooner.values(next_attempt_at=now))
        connection.execute(_row(waiting).values(**_noted(waiting)))
    wake_replies([waiting.id], licence_ids=[waiting.licence_id], at=look_at)
    return waiting


def _noted(waiting: KnownReply) -> dict[str, Any]:
    """Return what is stored of a reply that waits: nothing of what it says."""
    columns = ("conversation_row", "posted_at", "paused_until", "next_attempt_at")
    known = {column: getattr(waiting, column) for column in columns}
    return {**known, "reason": PAUSED, "detail": "Its author may change it or take it back."}


def _row(known: KnownReply) -> Update:
    return update(Reply).where(Reply.id == known.id)


def _pause(job: ReplyJob) -> timedelta:
    return timedelta(seconds=job.licence.reply_pause_s)


def _earlier_ones(
    job: ReplyJob, posted_at: datetime, owner: ThreadOwner
) -> Sequence[Row[int, datetime | None]]:
    """Return the replies that are to be told before this one."""
    known, has_pause = job.known, job.licence.reply_pause_s or job.known.paused_until
    values = {"reply": known.id, "posted_at": posted_at, "conversation": owner.row}
    if has_pause:
        unseen_since = known.received_at - UNSEEN_FOR
        values |= {"licence": job.licence.id, "unseen_since": unseen_since}
    with job.runtime.database.reading() as connection:
        return connection.execute(_BEFORE_A_PAUSED if has_pause else _BEFORE, values).all()
