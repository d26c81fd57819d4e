"""The inbox: a post's id is written down once, wherever it comes from, and resolved afterwards."""

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

# Usually the wake-up that is published with the post comes first; the sweep is for wake-ups that
# were lost, and leaves a reply alone that is younger than this.
WAKE_UP_GRACE = timedelta(seconds=5)

_REPLIES = cast(Table, Reply.__table__)
# What one statement takes: fewer than a millisecond has numbers, of which PostgreSQL's count would
# give some twice, also where others count on meanwhile.
AT_ONCE = 2_000
_ONE_PER_POST = ("licence_id", "post_id")
# What all posts that are received at once have in common.
_SHARED = ("licence_id", "state", "source", "received_at", "next_attempt_at")
# The two dialects spell the clause alike, and SQLAlchemy has no common word for it.
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
    """Return the id of the new reply, to be resolved; None when the post is in the inbox already.

    No worker may be woken before the caller has committed.
    """
    values = {"post_id": post_id, **_shared_values(licence_id, source), **this_moment()}
    insert = _RECEIVE[connection.dialect.name]
    reply_id: int | None = connection.execute(insert, values).scalar_one_or_none()
    return reply_id


def receive_all(
    session: Session, *, licence_id: str, post_ids: Sequence[str], source: ReplySource
) -> dict[str, int]:
    """Return the ids of the new replies by their posts; they are numbered in the posts' order.

    The same as ``receive`` for each of them, in as few statements as their numbers allow.
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
    # SQLite takes what follows a SELECT without a WHERE for a part of it.
    number = next_id(_REPLIES, dialect)
    if dialect == "sqlite":
        number += posts.c.key
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
