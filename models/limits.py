"""How long a process waits for the database: on the server's side, and by its own clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_ends_at: ContextVar[float | None] = ContextVar("database_deadline", default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one kind of process, in seconds; 0 is none.

    ``statement_s``, ``lock_s`` and ``idle_in_transaction_s`` are PostgreSQL's own: it ends what
    takes longer, and the connection stays. A server that stands still ends nothing: after
    ``answer_s`` without an answer the process closes the connection itself, and for ``rest_s`` asks
    nothing: what has queued up meanwhile is refused at once.
    """

    connect_s: int
    statement_s: int
    lock_s: int
    idle_in_transaction_s: int
    answer_s: float
    rest_s: float = 0

    def server_options(self) -> str:
        """Return them as PostgreSQL takes them when a connection is made."""
        values = {
            "statement_timeout": self.statement_s,
            "lock_timeout": self.lock_s,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_s,
        }
        return " ".join(f"-c {name}={seconds}s" for name, seconds in values.items() if seconds)


# Mattermost waits 30 s for a webhook and an uptime check less: there is an answer within 5 s.
WEB = Limits(connect_s=2, statement_s=2, lock_s=2, idle_in_transaction_s=10, answer_s=2.5, rest_s=1)
# A worker that is asked to stop has 25 s: for the statement that it waits for, and for one more
# connection to write down what it has sent.
WORKER = Limits(connect_s=5, statement_s=12, lock_s=8, idle_in_transaction_s=30, answer_s=15)
# Reports over a large ledger take a while; nothing that an operator starts waits for ever.
OPERATOR = Limits(connect_s=5, statement_s=120, lock_s=10, idle_in_transaction_s=60, answer_s=130)
# A migration takes as long as it takes, and waits for another one that runs already.
MIGRATION = Limits(connect_s=5, statement_s=0, lock_s=0, idle_in_transaction_s=0, answer_s=0)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let everything that this thread asks PostgreSQL in the block take this time in all."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def answer_by(limits: Limits) -> float | None:
    """Return when the answer to what is asked now must be there, by ``time.monotonic``."""
    of_block = _ends_at.get()
    if not limits.answer_s:
        return of_block
    of_statement = time.monotonic() + limits.answer_s
    return of_statement if of_block is None else min(of_block, of_statement)
