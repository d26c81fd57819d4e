"""Data that is older than any retention, and what is left after retention has run."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from models import Conversation, Delivery, Reply, utc_now
from models.base import Base
from tests.stage.thread import MirroredThread

LONG_AGO = timedelta(days=400)


def make_old(thread: MirroredThread) -> None:
    """Date all conversations, deliveries and replies long ago."""
    then = utc_now() - LONG_AGO
    with thread.database.transaction() as session:
        session.execute(update(Conversation).values(last_active_at=then))
        session.execute(update(Delivery).values(started_at=then, finished_at=then))
        session.execute(update(Reply).values(received_at=then, recorded_at=then, posted_at=then))


def row_count(thread: MirroredThread, table: type[Base]) -> int:
    """Return the number of rows in a table."""
    with thread.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def stored_files(thread: MirroredThread) -> list[str]:
    """Return the names of the files in the attachment store, sorted."""
    return sorted(each.name for each in thread.stage.store.rglob("*") if each.is_file())
