"""How far catch-up has come in each channel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import MATTERMOST_ID_LENGTH, Base, utc_now


class CatchUpCursor(Base):
    """Catch-up has collected all changes of the channel's posts up to ``since_ms``.

    ``since_ms`` is in milliseconds since the epoch, by the server's clock.
    """

    __tablename__ = "catch_up_cursors"

    licence_id: Mapped[str] = mapped_column(
        ForeignKey("licences.id", ondelete="CASCADE"), primary_key=True
    )
    channel_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH), primary_key=True)
    since_ms: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
