"""Checks of the database: its schema, its limits, its encrypted tokens, unregistered licences."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models import Database, KeyRing, KeyRingError, Licence
from models.limits import within
from models.migrations import schema_state
from tasks.checks.check import Check, failed, passed, skipped, warned
from tasks.outbound.resending import count_of_unregistered
from tasks.watch.own_servers import first_line

# A server that does not respond is reported after this time.
DATABASE_WITHIN_S = 10.0
# The most licences that one line names.
MAX_NAMED = 10


def check_database(database: Database) -> Check:
    """Check whether the database can be reached, has the newest schema, and takes writes."""
    try:
        with within(DATABASE_WITHIN_S):
            state, is_read_only = schema_state(database), database.is_read_only()
    except SQLAlchemyError as error:
        return failed(
            "database",
            f"the database cannot be reached ({first_line(error)})",
            "Check DATABASE_URL (host, user, password, database), that its server runs, and that "
            "it takes more connections (max_connections).",
        )
    if not state.is_current:
        return failed(
            "database",
            f"the schema is at revision {state.current or 'none'}, the newest is {state.newest}",
            "Run: ireserve-mattermost db upgrade.",
        )
    if is_read_only:
        return failed(
            "database",
            "the database answers and takes nothing: it is read-only",
            "Point DATABASE_URL at the primary server, or at a file that this user may write.",
        )
    return passed("database", f"reachable, schema at revision {state.current}")


def check_limits(database: Database) -> Check:
    """Check whether PostgreSQL itself ends statements that take too long."""
    name = "database limits"
    try:
        with within(DATABASE_WITHIN_S):
            limit_s = database.statement_limit_s()
    except SQLAlchemyError:
        return skipped(name, "the database does not answer")
    if not limit_s:
        return warned(
            name,
            "PostgreSQL ends no statement by itself: a pooler does not pass our limits on",
            "Set them for the role: see PgBouncer in docs/operating.md.",
        )
    return passed(name, "PostgreSQL ends statements, waits for locks and idle transactions")


def check_keys(database: Database, keyring: Callable[[], KeyRing]) -> Check:
    """Check whether every stored bot token can be decrypted."""
    name = "encryption keys"
    try:
        ring = keyring()
        with database.snapshot() as session:
            stored = session.execute(select(Licence.id, Licence.bot_token_encrypted)).all()
    except KeyRingError as error:
        return failed(name, str(error), "Set ENCRYPTION_KEYS as it was when tokens were stored.")
    except SQLAlchemyError:
        return skipped(name, "the database does not answer")
    locked = [licence_id for licence_id, encrypted in stored if not _opens(ring, encrypted)]
    if locked:
        return failed(
            name,
            f"no key decrypts the bot token of: {', '.join(sorted(locked))}",
            "Put the key that they were stored with back on ENCRYPTION_KEYS.",
        )
    return passed(name, f"bot tokens that decrypt: {len(stored)} of {len(stored)}")


def check_unregistered(database: Database) -> Check:
    """Check whether messages failed because i-Reserve names an unregistered licence."""
    name = "unregistered"
    try:
        with database.snapshot() as session:
            failures = count_of_unregistered(session)
    except SQLAlchemyError:
        return skipped(name, "the database does not answer")
    if not failures:
        return passed(name, "no message failed of a licence that is not registered")
    told = [f"{licence_id} ({count})" for licence_id, count in failures.items()][:MAX_NAMED]
    return failed(
        name,
        f"messages failed of licences that are not registered: {', '.join(told)}"
        + (f" and {len(failures) - MAX_NAMED} more" if len(failures) > MAX_NAMED else ""),
        "Register the licence (licence add), then resend it; or correct its id in i-Reserve, and "
        "discard what failed.",
    )


def _opens(ring: KeyRing, encrypted: str) -> bool:
    try:
        ring.decrypt(encrypted)
    except KeyRingError:
        return False
    return True
