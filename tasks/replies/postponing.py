"""Postpone a reply that cannot be recorded now, or give it up when that was the last attempt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from models import Database, ReplyState, utc_now
from tasks.replies import rows
from tasks.replies.backoff import GIVEN_UP, Obstacle, pause_s
from tasks.replies.endings import Ending, EndKind
from tasks.replies.known_reply import KnownReply


def postpone(database: Database, known: KnownReply, obstacle: Obstacle) -> Ending:
    """Write down why and until when the reply waits, or that it is given up; return which.

    A reply that was recorded before becomes ``received`` again until its change is recorded.
    """
    waiting = _waiting(known, obstacle, utc_now())
    with database.autocommit() as connection:
        rows.write_postponed(
            connection, known, waiting, reason=obstacle.reason, detail=obstacle.detail
        )
    if waiting.next_attempt_at == GIVEN_UP:
        return Ending(EndKind.GIVEN_UP, waiting, obstacle.reason, obstacle.detail)
    return Ending(EndKind.WAITING, waiting, reason=obstacle.reason)


def _waiting(known: KnownReply, obstacle: Obstacle, now: datetime) -> KnownReply:
    if known.state is not ReplyState.RECEIVED:
        known = replace(known, state=ReplyState.RECEIVED, received_at=now, attempts=0)
    if not obstacle.trouble.keeps_the_order:
        known = replace(known, paused_until=None)
    attempts = known.attempts + obstacle.trouble.is_counted
    age_s = (now - known.received_at).total_seconds()
    seconds = pause_s(obstacle.trouble, age_s=age_s, attempts=attempts)
    if seconds is None:
        given_up = replace(known, attempts=attempts, next_attempt_at=GIVEN_UP)
        return given_up.with_due_receipt(now)
    return replace(known, attempts=attempts, next_attempt_at=now + timedelta(seconds=seconds))
