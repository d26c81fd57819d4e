"""Collect the statements that run, and the database's plan for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

# The filled tables. No statement for one message may read a whole one.
LARGE = ("conversations", "deliveries")
# PostgreSQL adds cost and rows to each step, which differ by machine.
_COST = re.compile(r"\s*\(cost=.*\)|^\s*->\s*")
_WHOLE = re.compile(rf"(?:Seq Scan on|SCAN) (?:{'|'.join(LARGE)})\b")

Statements = dict[str, Any]


@contextmanager
def watched(engine: Engine) -> Iterator[Statements]:
    """Yield the statements that run in the block, each with its first parameters."""
    seen: Statements = {}

    def _note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            seen.setdefault(statement, parameters)

    event.listen(engine, "before_cursor_execute", _note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", _note)


def plans(engine: Engine, statements: Statements) -> list[str]:
    """Return one line for each statement: its verb and table, and its plan."""
    return [f"{_name(each)}: {_plan(engine, each, given)}" for each, given in statements.items()]


def is_bounded(plan: str) -> bool:
    """Return whether a plan reads no large table as a whole."""
    return _WHOLE.search(plan) is None


def _plan(engine: Engine, statement: str, parameters: Any) -> str:
    word = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
        connection.rollback()
    steps = [_COST.sub("", str(row[-1])).strip() for row in rows]
    return "; ".join(step for step in steps if step) or "by its key"


def _name(statement: str) -> str:
    """Return the verb and the table of a statement."""
    verb = statement.split(None, 1)[0]
    table = re.search(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)", statement)
    return f"{verb} {table[1] if table else ''}"
