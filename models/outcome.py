"""What i-Reserve has not been told yet of its own messages: failures, and where threads are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, Base, RowId, utc_now

# A UUID.
OUTCOME_ID_LENGTH = 36


class Outcome(Base):
    """One thing to tell, written with what it tells of, and removed once it was told.

    ``notice`` is what i-Reserve's task is called with: ids, reasons and times, never what was said.
    ``licence_id`` is no foreign key, as in the ledger.
    """

    __tablename__ = "outcomes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    licence_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    outcome_id: Mapped[str] = mapped_column(String(OUTCOME_ID_LENGTH))
    notice: Mapped[dict[str, Any]] = mapped_column(JSON)
    # When the sweep is to tell it if it is still here by then.
    next_attempt_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
