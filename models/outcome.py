"""Outcomes that i-Reserve has not received yet: failed messages, and where threads are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ID_LENGTH, Base, RowId, utc_now

# A UUID.
OUTCOME_ID_LENGTH = 36


class Outcome(Base):
    """One outcome for i-Reserve, committed with the change that it reports.

    A worker deletes the row after sending the outcome. ``notice`` has the arguments of i-Reserve's
    task: ids, reasons and times, never a message text. ``licence_id`` is not a foreign key, as in
    the ledger.
    """

    __tablename__ = "outcomes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    licence_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    outcome_id: Mapped[str] = mapped_column(String(OUTCOME_ID_LENGTH))
    notice: Mapped[dict[str, Any]] = mapped_column(JSON)
    # When the sweep sends the outcome, if the row is still here.
    next_attempt_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
