"""i-Reserve's users, with whom the authors of replies are matched by e-mail address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, Base, utc_now

# The longest address that mail can be sent to has 254 characters (RFC 5321).
EMAIL_LENGTH = 254


class User(Base):
    """A user of i-Reserve within a licence; ``email`` is in lower case, as Mattermost keeps it."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "licence_id", "email"),)

    licence_id: Mapped[str] = mapped_column(
        ForeignKey("licences.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    name: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
