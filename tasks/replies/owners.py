"""Find the conversation that a thread belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from models import Conversation

# Built once, since each reply needs it.
_OF_ROOT = select(Conversation.id, Conversation.conversation_id).where(
    Conversation.licence_id == bindparam("licence"), Conversation.root_post_id == bindparam("root")
)


@dataclass(frozen=True, slots=True)
class ThreadOwner:
    """The conversation that a thread belongs to: its row and its id."""

    row: int
    conversation_id: str


def find_owner(connection: Connection, licence_id: str, root_post_id: str) -> ThreadOwner | None:
    """Return the conversation of this licence whose thread has this root."""
    row = connection.execute(_OF_ROOT, {"licence": licence_id, "root": root_post_id}).first()
    return None if row is None else ThreadOwner(row.id, row.conversation_id)


def waits_for_a_thread(connection: Connection, licence_id: str, conversation_id: str) -> bool:
    """Return whether the conversation waits for its thread, or for the link to it."""
    waiting = select(Conversation.id).where(
        Conversation.licence_id == licence_id,
        Conversation.conversation_id == conversation_id,
        Conversation.root_post_id.is_(None),
    )
    return connection.scalar(waiting) is not None
