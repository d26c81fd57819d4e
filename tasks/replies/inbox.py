"""The inbox: each post's id is written down once, and a worker resolves the post afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Reply, ReplySource, ReplyState, utc_now
from tasks.replies.id_lists import as_list, listed
from tasks.replies.reply_ids import next_id, this_moment

# Usually the wake-up that is published with the post comes first. The sweep is for lost wake-ups,
# so it passes over a reply that is younger than this.
WAKE_UP_GRACE = timedelta(seconds=5)

_REPLIES = cast(Table, Reply.__table__)
# The posts of one statement. PostgreSQL's sequence repeats after 4,096 numbers; half of them leave
# room for statements that run at the same time.
AT_ONCE = 2_000
_ONE_PER_POST = ("licence_id", "post_id")
# The columns that have the same value for all posts of one statement.
_SHARED = ("licence_id", "state", "source", "received_at", "next_attempt_at")
# Both dialects have the same clause, but SQLAlchemy has no common function for it.
_INSERTS = {
    "postgresql": postgresql.insert(_REPLIES).on_conflict_do_nothing(index_elements=_ONE_PER_POST),
    "sqlite": sqlite.insert(_REPLIES).on_conflict_do_nothing(index_elements=_ONE_PER_POST),
}
_RECEIVE = {
    dialect: insert.values(
        id=next_id(_REPLIES, dialect),
        **{name: bindparam(name, type_=_REPLIES.c[name].type) for name in ("post_id", *_SHARED)},
    ).returning(_REPLIES.c.id)
    for dialect, insert in _INSERTS.items()
}


def receive(
    connection: Connection, *, licence_id: str, post_id: str, source: ReplySource
) -> int | None:
    """Write the post into the inbox; return the new reply's id, None if the post is there already.

    The caller must commit before it wakes a worker.
    """
    values = {"post_id": post_id, **_shared_values(licence_id, source), **this_moment()}
    insert = _RECEIVE[connection.dialect.name]
    reply_id: int | None = connection.execute(insert, values).scalar_one_or_none()
    return reply_id


def receive_all(
    session: Session, *, licence_id: str, post_ids: Sequence[str], source: ReplySource
) -> dict[str, int]:
    """Write the posts into the inbox, in order; return the ids of the new replies by post id.

    This does the same as ``receive`` for each post, in as few statements as possible.
    """
    new: dict[str, int] = {}
    for start in range(0, len(post_ids), AT_ONCE):
        portion = post_ids[start : start + AT_ONCE]
        new |= _receive_portion(session, portion, licence_id=licence_id, source=source)
    return new


def _receive_portion(
    session: Session, post_ids: Sequence[str], *, licence_id: str, source: ReplySource
) -> dict[str, int]:
    dialect = session.get_bind().dialect.name
    posts = listed(dialect)
    shared = [bindparam(name, type_=_REPLIES.c[name].type) for name in _SHARED]
    number = next_id(_REPLIES, dialect)
    if dialect == "sqlite":
        # The number is the same for each row of the statement, so the row's place is added.
        number += posts.c.key
    # Without a WHERE, SQLite would read ON CONFLICT as a part of the SELECT.
    rows = select(number, posts.c.value, *shared).where(true()).order_by(posts.c.key)
    insert = _INSERTS[dialect].from_select(["id", "post_id", *_SHARED], rows)
    values = {
        **as_list(post_ids),
        **_shared_values(licence_id, source),
        **this_moment(rows=len(post_ids)),
    }
    found = session.execute(insert.returning(_REPLIES.c.post_id, _REPLIES.c.id), values)
    return dict(found.all())


def _shared_values(licence_id: str, source: ReplySource) -> dict[str, Any]:
    now = utc_now()
    return {
        "licence_id": licence_id,
        "state": ReplyState.RECEIVED,
        "source": source,
        "received_at": now,
        "next_attempt_at": now + WAKE_UP_GRACE,
    }
