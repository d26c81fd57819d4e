"""The inbox: a post's id is written down once, whoever brings it, and resolved afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from celery import Celery
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Reply, ReplySource, ReplyState, utc_now

# Usually the wake-up that whoever brings the post publishes comes first; the sweep is for those
# that were lost, and has nothing to do with a reply that is younger than this.
WAKE_UP_GRACE = timedelta(seconds=5)
# The task that resolves replies; who wakes it need not import it and all that it takes.
RESOLVE_REPLY = "mattermost.resolve_reply"

_REPLIES = cast(Table, Reply.__table__)
_ONE_PER_POST = ("licence_id", "post_id")
# The two dialects spell the clause alike, and SQLAlchemy has no common word for it.
_INSERTS = {
    "postgresql": postgresql.insert(_REPLIES)
    .on_conflict_do_nothing(index_elements=_ONE_PER_POST)
    .returning(_REPLIES.c.id),
    "sqlite": sqlite.insert(_REPLIES)
    .on_conflict_do_nothing(index_elements=_ONE_PER_POST)
    .returning(_REPLIES.c.id),
}


def receive(session: Session, *, licence_id: str, post_id: str, source: ReplySource) -> int | None:
    """Return the id of the new reply, to be resolved; None when the post is in the inbox already.

    Nobody may be woken before the caller has committed.
    """
    insert = _INSERTS[session.get_bind().dialect.name]
    now = utc_now()
    values = {
        "licence_id": licence_id,
        "post_id": post_id,
        "state": ReplyState.RECEIVED,
        "source": source,
        "received_at": now,
        "next_attempt_at": now + WAKE_UP_GRACE,
    }
    reply_id: int | None = session.execute(insert, values).scalar_one_or_none()
    return reply_id


def wake(app: Celery, reply_ids: Sequence[int]) -> None:
    """Publish one task for these replies, whose rows are committed.

    Raises:
        kombu.exceptions.OperationalError: the broker is down; the sweep finds the rows.
    """
    kwargs = {"reply_ids": list(reply_ids)}
    app.send_task(RESOLVE_REPLY, kwargs=kwargs, argsrepr="()", kwargsrepr=repr(kwargs))
