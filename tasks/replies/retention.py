"""Retention of replies: remove old ones that need nothing more, with their files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, and_, delete, or_
from sqlalchemy.orm import Session

from models import Reply, ReplyState
from models.steps import Expiry, Steps, expired
from tasks.replies.backoff import GIVEN_UP
from tasks.replies.unowned_files import write_down_files_of

# A reply that still waits for Mattermost, the store or i-Reserve stays, however old it is.
MUST_STAY = or_(
    Reply.pending_event.is_not(None),
    and_(Reply.state == ReplyState.RECEIVED, Reply.next_attempt_at < GIVEN_UP),
)


def remove_replies(steps: Steps, *, before: datetime) -> Iterator[int]:
    """Remove replies that were recorded or given up before then; yield how many in each step."""
    may_go = and_(~MUST_STAY, Reply.received_at < before, _was_recorded(before))
    expiry = Expiry(Reply.id, Reply.received_at, may_go)
    for ids in expired(steps.database, expiry, before=before):
        for portion in steps.portions(ids):
            these = and_(Reply.id.in_(portion), may_go)
            yield steps.write(partial(delete_replies, these=these))
        if steps.is_over:
            return


def _was_recorded(before: datetime) -> ColumnElement[bool]:
    return or_(Reply.recorded_at.is_(None), Reply.recorded_at < before)


def delete_replies(session: Session, these: ColumnElement[bool]) -> int:
    """Delete these replies, and note that their files are to be removed; return how many."""
    write_down_files_of(session, these)
    return len(session.scalars(delete(Reply).where(these).returning(Reply.id)).all())
