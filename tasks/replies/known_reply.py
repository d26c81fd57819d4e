"""A reply as its row has it, and what follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from models import Receipt, ReplyEvent, ReplySource, ReplyState, Visibility
from tasks.replies.backoff import GIVEN_UP
from tasks.replies.files import File

# The client of a post's author loses a reaction that comes before the answer to the post: seen up
# to 300 ms behind the post on a server next door. This leaves room for one that is far away.
RECEIPT_DELAY = timedelta(seconds=1.5)


@dataclass(frozen=True, slots=True)
class KnownReply:
    """A reply as its row has it; the names are those of the columns."""

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
        """Which version of the post is recorded; None: none has ever been.

        A version whose files are still to come is not recorded whole, so it counts as older.
        """
        if not self.revision:
            return None
        return self.post_update_at_ms - (1 if lacks_files(self.files) else 0)

    @property
    def is_read_by_the_visitor(self) -> bool:
        """Whether the recorded version is one that the visitor reads."""
        return self.visibility is Visibility.PUBLIC and self.text is not None

    @property
    def shows_nothing(self) -> bool:
        """Whether the version that was read last was deleted, or had nothing to show."""
        return self.text is None and self.post_update_at_ms > 0

    @property
    def fitting_receipt(self) -> Receipt | None:
        """The receipt that says what became of the post; None: nothing yet."""
        is_empty = self.state is ReplyState.EMPTY or self.shows_nothing
        if self.next_attempt_at == GIVEN_UP or is_empty:
            return Receipt.NOT_RECORDED
        if self.visibility is None:
            return None
        is_note = self.visibility is Visibility.INTERNAL
        return Receipt.INTERNAL if is_note else Receipt.RECORDED

    def with_due_receipt(self, now: datetime) -> Self:
        """Return the reply with the moment at which its post gets another receipt, if it does."""
        if self.fitting_receipt is self.receipt:
            return replace(self, receipt_due_at=None)
        return replace(self, receipt_due_at=max(self.received_at + RECEIPT_DELAY, now))


def lacks_files(files: Sequence[File]) -> bool:
    """Return whether files are still to come: our own store could not take them, as a rule."""
    return any(file.is_awaited for file in files)
