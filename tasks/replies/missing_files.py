"""Count files that are missing in recorded replies, and ask for them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from models import Reply, ReplyAttachment, ReplyState, utc_now
from tasks.replies.files import ASKED_AGAIN
from tasks.watch.filter import Filter

# The most ids in one statement.
_PORTION = 500


def count_missing(session: Session) -> Counter[str]:
    """Return how many files of recorded replies are missing, by licence."""
    rows = session.execute(
        select(Reply.licence_id, func.count())
        .join(ReplyAttachment, ReplyAttachment.reply_id == Reply.id)
        .where(ReplyAttachment.path.is_(None), Reply.state == ReplyState.RECORDED)
        .group_by(Reply.licence_id)
    )
    return Counter({row[0]: row[1] for row in rows})


def ask_again_for_files(session: Session, wanted: Filter) -> list[tuple[int, str]]:
    """Have recorded replies with missing files resolved again; return id and licence of each.

    If a file comes, its reply gets a later revision. If not, the file stays missing, with the new
    reason.
    """
    is_missing = ReplyAttachment.path.is_(None)
    lacks = select(ReplyAttachment.id).where(ReplyAttachment.reply_id == Reply.id, is_missing)
    rows = wanted.rows(Reply, Reply.state == ReplyState.RECORDED, lacks.exists())
    found = session.execute(rows.with_only_columns(Reply.id, Reply.licence_id)).all()
    ids = [reply_id for reply_id, _ in found]
    for start in range(0, len(ids), _PORTION):
        _reopen(session, ids[start : start + _PORTION], is_missing)
    return [(reply_id, licence_id) for reply_id, licence_id in found]


def _reopen(session: Session, ids: Sequence[int], is_missing: ColumnElement[bool]) -> None:
    now = utc_now()
    files = update(ReplyAttachment).where(ReplyAttachment.reply_id.in_(ids), is_missing)
    session.execute(files.values(reason=ASKED_AGAIN))
    opened = {"state": ReplyState.RECEIVED, "received_at": now, "next_attempt_at": now}
    session.execute(update(Reply).where(Reply.id.in_(ids)).values(**opened, attempts=0))
