"""The channels that catch-up looks at: those in which a conversation has its thread.

Recent conversations name the active channels, and cursors name the quiet ones. So no query reads
all conversations that there ever were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, select

from models import CatchUpCursor, Conversation, Database, Licence, utc_now
from tasks.outbound.settlement import CLOCK_MARGIN

# A channel without a message or reply in this time has a cursor.
ACTIVE_FOR = timedelta(days=30)
# A conversation with a message or reply within this time makes its channel busy.
BUSY_FOR = timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """A channel to look at, and up to when its changes are collected (Mattermost's time, ms).

    ``last_active_at`` is the time of the last message or reply there; None: none within 30 days.
    """

    id: str
    cursor_ms: int
    last_active_at: datetime | None = None


def licences_with_threads(database: Database) -> list[str]:
    """Return the licences that have a conversation with a thread, however long ago it was."""
    return _licences(database, None)


def busy_licences(database: Database) -> list[str]:
    """Return the licences with a conversation that was active within ``BUSY_FOR``."""
    return _licences(database, utc_now() - BUSY_FOR)


def channels_of(database: Database, licence_id: str) -> list[LiveChannel]:
    """Return all channels of the licence's threads."""
    with database.reading() as connection:
        cursors = _cursors(connection, licence_id)
        # Without a cursor no look has ever succeeded, so only conversations name the old channels.
        since = utc_now() - ACTIVE_FOR if cursors else None
        live = _live_channels(connection, licence_id, since)
    known = {channel.id for channel in live}
    quiet = [LiveChannel(*cursor) for cursor in cursors.items() if cursor[0] not in known]
    return [*live, *quiet]


def busy_channels_of(database: Database, licence_id: str) -> list[LiveChannel]:
    """Return the licence's channels with a conversation that was active within ``BUSY_FOR``."""
    with database.reading() as connection:
        return _live_channels(connection, licence_id, utc_now() - BUSY_FOR)


def _licences(database: Database, since: datetime | None) -> list[str]:
    live = select(Conversation.id).where(
        Conversation.licence_id == Licence.id, Conversation.root_post_id.is_not(None)
    )
    if since is not None:
        live = live.where(Conversation.last_active_at >= since)
    licences = select(Licence.id).where(Licence.enabled, live.exists()).order_by(Licence.id)
    with database.reading() as connection:
        return list(connection.scalars(licences))


def _cursors(connection: Connection, licence_id: str) -> dict[str, int]:
    cursors = select(CatchUpCursor.channel_id, CatchUpCursor.since_ms)
    rows = connection.execute(
        cursors.where(CatchUpCursor.licence_id == licence_id).order_by(CatchUpCursor.channel_id)
    )
    return {row.channel_id: row.since_ms for row in rows}


def _live_channels(
    connection: Connection, licence_id: str, since: datetime | None
) -> list[LiveChannel]:
    """Return the channels; one without a cursor is read from its first conversation on."""
    values = {"licence_id": licence_id} | ({} if since is None else {"since": since})
    rows = connection.execute(_CHANNELS if since is None else _CHANNELS_SINCE, values)
    return [
        LiveChannel(row.channel_id, row.since_ms or _before(row.first), row.last) for row in rows
    ]


def _channels(*conditions: ColumnElement[bool]) -> Select[str, int, datetime, datetime]:
    is_its_cursor = and_(
        CatchUpCursor.licence_id == Conversation.licence_id,
        CatchUpCursor.channel_id == Conversation.channel_id,
    )
    return (
        select(
            Conversation.channel_id,
            CatchUpCursor.since_ms,
            func.min(Conversation.created_at).label("first"),
            func.max(Conversation.last_active_at).label("last"),
        )
        .outerjoin(CatchUpCursor, is_its_cursor)
        .where(
            Conversation.licence_id == bindparam("licence_id"),
            Conversation.root_post_id.is_not(None),
            *conditions,
        )
        .group_by(Conversation.channel_id, CatchUpCursor.since_ms)
        .order_by(Conversation.channel_id)
    )


# Built once, since building these statements takes as long as running them.
_CHANNELS = _channels()
_CHANNELS_SINCE = _channels(
    Conversation.last_active_at
    >= bindparam("since", type_=Conversation.__table__.c.last_active_at.type)
)


def _before(moment: datetime) -> int:
    return round((moment - CLOCK_MARGIN).timestamp() * 1_000)
