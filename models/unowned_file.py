"""Files in the attachment store that no reply has: they are being written, or are to be removed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, utc_now
from models.reply import STORE_PATH_LENGTH


class UnownedFile(Base):
    """A path that was written down before its file was, or that a reply has no more.

    Each of our paths in the store is either here or in ``reply_attachments``, so that nothing is
    ever looked for in a store that others use too. ``licence_id`` is no foreign key: the row must
    outlive the licence until the file is gone.
    """

    __tablename__ = "unowned_files"
    __table_args__ = (Index(None, "licence_id", "post_id"),)

    path: Mapped[str] = mapped_column(String(STORE_PATH_LENGTH), primary_key=True)
    licence_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    # Whose lock is held while the file is written or removed.
    post_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    written_at: Mapped[datetime] = mapped_column(default=utc_now)
