"""Files in the attachment store that no reply has: a worker still writes or removes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, MATTERMOST_ID_LENGTH, Base, utc_now
from models.reply import STORE_PATH_LENGTH


class UnownedFile(Base):
    """The path of a file that is still being written, or that no longer belongs to a reply.

    Each of our paths is either here or in ``reply_attachments``, so that a store with other files
    need not be searched. ``licence_id`` is not a foreign key, because the row must stay until the
    file is removed, also after its licence is removed.
    """

    __tablename__ = "unowned_files"
    __table_args__ = (Index(None, "licence_id", "post_id"),)

    path: Mapped[str] = mapped_column(String(STORE_PATH_LENGTH), primary_key=True)
    licence_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    # A worker holds the lock of this post while it writes or removes the file.
    post_id: Mapped[str] = mapped_column(String(MATTERMOST_ID_LENGTH))
    written_at: Mapped[datetime] = mapped_column(default=utc_now)
