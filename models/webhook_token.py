"""The tokens of a licence's outgoing webhooks, as hashes."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, RowId, utc_now


class WebhookToken(Base):
    """One token of a licence's webhooks; a webhook has two tokens during a rotation.

    A random token of 26 characters cannot be guessed, so it needs no salt and no slow hash.
    """

    __tablename__ = "webhook_tokens"
    __table_args__ = (Index(None, "token_hash", unique=True),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licences.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def hash_token(token: str) -> str:
    """Return the token's SHA-256 in hexadecimal, as it is stored."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
