"""The tokens of a licence's outgoing webhooks, as hashes."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, RowId, utc_now


class WebhookToken(Base):
    """One token that Mattermost may send; a licence has one for each webhook, two in a rotation.

    A random token of 26 characters needs no salt or slow hash: there is nothing to guess.
    """

    __tablename__ = "webhook_tokens"
    __table_args__ = (Index(None, "token_hash", unique=True),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licences.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def hash_token(token: str) -> str:
    """Return what is stored of a token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
