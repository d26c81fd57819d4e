"""A reply as it stands in its row, and what follows from the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from models import Receipt, ReplyEvent, ReplySource, ReplyState, Visibility
from tasks.replies.backoff import GIVEN_UP
from tasks.replies.files import File

# The author's client loses a reaction that arrives before the server's answer to the post. On a
# nearby server this was seen up to 300 ms after the post; a distant one needs more time.
RECEIPT_DELAY = timedelta(seconds=1.5)


@dataclass(frozen=True, slots=True)
class KnownReply:
    """A reply as it stands in its row; the names are those of the columns."""

    id: int
    licence_id: str
    post_id: str
    source: ReplySource
    state: ReplyState
    conversation_row: int | None
    conversation_id: str | None
    author_user_id: str | None
    author_name: str | None = field(repr=False)
    text: str | None = field(repr=False)
    plain_text: str | None = field(repr=False)
    visibility: Visibility | None
    posted_at: datetime | None
    post_update_at_ms: int
    revision: int
    is_taken_back: bool
    pending_event: ReplyEvent | None
    received_at: datetime
    next_attempt_at: datetime
    attempts: int
    paused_until: datetime | None
    receipt: Receipt | None
    receipt_due_at: datetime | None
    files: tuple[File, ...] = field(repr=False)

    @property
    def recorded_at_ms(self) -> int | None:
        """The recorded version of the post (its ``update_at``, ms); None: no version is recorded.

        A version whose files are still to come is not recorded whole, so it counts as 1 ms older.
        """
        if not self.revision:
            return None
        return self.post_update_at_ms - (1 if lacks_files(self.files) else 0)

    @property
    def is_read_by_the_visitor(self) -> bool:
        """Whether the visitor reads the recorded version."""
        return self.visibility is Visibility.PUBLIC and self.text is not None

    @property
    def shows_nothing(self) -> bool:
        """Whether the version that was last read was deleted or had nothing to show."""
        return self.text is None and self.post_update_at_ms > 0

    @property
    def fitting_receipt(self) -> Receipt | None:
        """The receipt that shows what became of the post; None: nothing is known yet."""
        is_empty = self.state is ReplyState.EMPTY or self.shows_nothing
        if self.next_attempt_at == GIVEN_UP or is_empty:
            return Receipt.NOT_RECORDED
        if self.visibility is None:
            return None
        is_note = self.visibility is Visibility.INTERNAL
        return Receipt.INTERNAL if is_note else Receipt.RECORDED

    def with_due_receipt(self, now: datetime) -> Self:
        """Return the reply with the time at which its post gets another receipt, if it does."""
        if self.fitting_receipt is self.receipt:
            return replace(self, receipt_due_at=None)
        return replace(self, receipt_due_at=max(self.received_at + RECEIPT_DELAY, now))


def lacks_files(files: Sequence[File]) -> bool:
    """Return whether files are still to come, usually because our own store was away."""
    return any(file.is_awaited for file in files)
