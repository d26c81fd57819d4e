"""Count the statements and transactions of a piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event

from models import Database

WRITING = {"INSERT", "UPDATE", "DELETE"}


@dataclass(slots=True)
class Cost:
    """All statements, and the first word of each statement by transaction."""

    statements: list[str] = field(default_factory=list)
    transactions: list[list[str]] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """The first word of each statement that writes."""
        words = [statement.split()[0] for statement in self.statements]
        return [word for word in words if word in WRITING]

    @property
    def only_reading(self) -> list[list[str]]:
        """The transactions that wrote nothing."""
        return [words for words in self.transactions if WRITING.isdisjoint(words)]


@contextmanager
def counted(database: Database) -> Iterator[Cost]:
    """Count the statements and transactions in the block."""
    cost, engine = Cost(), database.engine

    def note_begin(connection: Connection) -> None:
        if not _is_autocommit(connection):
            cost.transactions.append([])

    def note_statement(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        cost.statements.append(statement)
        # On SQLite the BEGIN statement comes before the event.
        if not _is_autocommit(connection) and not statement.startswith("BEGIN"):
            cost.transactions[-1].append(statement.split()[0])

    event.listen(engine, "begin", note_begin)
    event.listen(engine, "before_cursor_execute", note_statement)
    try:
        yield cost
    finally:
        event.remove(engine, "begin", note_begin)
        event.remove(engine, "before_cursor_execute", note_statement)


def _is_autocommit(connection: Connection) -> bool:
    """Return whether the connection commits each statement by itself."""
    options = connection.get_execution_options().values()
    return "autocommit" in {str(value).lower() for value in options}
