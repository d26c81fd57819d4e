"""How long a process waits for the database: by the server's limits, and by its own clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_ends_at: ContextVar[float | None] = ContextVar("database_deadline", default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one kind of process, in seconds; 0 is no limit.

    PostgreSQL itself enforces ``statement_s``, ``lock_s`` and ``idle_in_transaction_s``. A server
    that has stopped enforces nothing, so the process closes the connection itself after
    ``answer_s`` without an answer. For ``rest_s`` after that, the process refuses every request to
    the database at once.
    """

    connect_s: int
    statement_s: int
    lock_s: int
    idle_in_transaction_s: int
    answer_s: float
    rest_s: float = 0

    def server_options(self) -> str:
        """Return the server's limits in the form of the ``options`` of a new connection."""
        values = {
            "statement_timeout": self.statement_s,
            "lock_timeout": self.lock_s,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_s,
        }
        return " ".join(f"-c {name}={seconds}s" for name, seconds in values.items() if seconds)


# Mattermost waits 30 s for a webhook, and an uptime check waits less. So web answers within 5 s.
WEB = Limits(connect_s=2, statement_s=2, lock_s=2, idle_in_transaction_s=10, answer_s=2.5, rest_s=1)
# A worker has 25 s to stop: for its current statement, and for one more connection on which it
# records what it has sent.
WORKER = Limits(connect_s=5, statement_s=12, lock_s=8, idle_in_transaction_s=30, answer_s=15)
# Reports over a large ledger take a while, but no command waits for ever.
OPERATOR = Limits(connect_s=5, statement_s=120, lock_s=10, idle_in_transaction_s=60, answer_s=130)
# A migration has no limits, also because it waits for another one that is already running.
MIGRATION = Limits(connect_s=5, statement_s=0, lock_s=0, idle_in_transaction_s=0, answer_s=0)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit the total time of this thread's requests to PostgreSQL in the block."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def answer_by(limits: Limits) -> float | None:
    """Return the deadline of a request that begins now, by ``time.monotonic``, or None."""
    of_block = _ends_at.get()
    if not limits.answer_s:
        return of_block
    of_statement = time.monotonic() + limits.answer_s
    return of_statement if of_block is None else min(of_block, of_statement)
