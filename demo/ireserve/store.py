"""i-Reserve's own store: its conversations and their messages, in a small SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

# How long a process of the demo waits while another process writes.
BUSY_TIMEOUT_S = 10.0

_TABLES = """
CREATE TABLE conversations (
    licence_id TEXT, conversation_id TEXT, visitor_name TEXT, page_url TEXT, started_at TEXT,
    PRIMARY KEY (licence_id, conversation_id)
);
CREATE TABLE messages (
    licence_id TEXT, conversation_id TEXT, message_id TEXT, sender_name TEXT, sender_role TEXT,
    text TEXT, plain_text TEXT, posted_at TEXT, attachments TEXT, visibility TEXT, state TEXT,
    reply_id INTEGER, revision INTEGER, post_id TEXT, author_user_id TEXT, change INTEGER,
    PRIMARY KEY (licence_id, conversation_id, message_id)
);
CREATE INDEX messages_by_post ON messages (post_id);
CREATE TABLE outcomes (
    outcome_id TEXT PRIMARY KEY, event TEXT, at TEXT, licence_id TEXT, conversation_id TEXT,
    message_id TEXT, reason TEXT, permalink TEXT
);
"""


Role = Literal["visitor", "agent", "bot", "system"]
Visibility = Literal["public", "internal"]


class MessageState(StrEnum):
    """What became of a message since it was written."""

    SENT = "sent"
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One web chat of a visitor."""

    licence_id: str
    conversation_id: str
    visitor_name: str = field(repr=False)
    page_url: str
    started_at: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    ``post_id``, ``reply_id``, ``revision``, ``author_user_id`` and ``plain_text`` are set for a
    member's reply from Mattermost. An attachment has a name, and a path in the attachment store
    or the reason why it has none. It may have a type and a size.
    """

    licence_id: str
    conversation_id: str
    message_id: str
    sender_name: str = field(repr=False)
    sender_role: Role
    text: str = field(repr=False)
    posted_at: str
    plain_text: str | None = field(default=None, repr=False)
    attachments: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    visibility: Visibility = "public"
    state: MessageState = MessageState.SENT
    reply_id: int | None = None
    revision: int = 0
    post_id: str | None = None
    author_user_id: str | None = None

    @classmethod
    def of_row(cls, row: sqlite3.Row) -> Self:
        """Return the message that the row holds."""
        values = {item.name: row[item.name] for item in fields(cls)}
        values["attachments"] = tuple(json.loads(values["attachments"]))
        values["state"] = MessageState(values["state"])
        return cls(**values)

    def to_row(self) -> dict[str, Any]:
        """Return the values of its columns."""
        return {**asdict(self), "attachments": json.dumps(self.attachments)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome that i-Reserve was told: a message failed, or a thread has this address."""

    outcome_id: str
    event: str
    at: str
    licence_id: str
    conversation_id: str | None
    message_id: str | None
    reason: str | None
    permalink: str | None


_COLUMNS = [item.name for item in fields(Message)]
_INSERT = (
    f"INSERT INTO messages ({', '.join(_COLUMNS)}, change) "
    f"VALUES ({', '.join(':' + name for name in _COLUMNS)}, "
    "(SELECT coalesce(max(change), 0) + 1 FROM messages))"
)
# The newest revision wins, in whatever order and however often revisions come. After a restore
# of the package's database from a backup, a post comes with a higher reply_id.
_NEWEST_REVISION = (
    "ON CONFLICT DO UPDATE SET change = excluded.change, "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])
    + " WHERE (excluded.reply_id, excluded.revision) > (messages.reply_id, messages.revision)"
)
_IN_CONVERSATION = "licence_id = ? AND conversation_id = ?"


class Store:
    """The SQLite file. Each call is one transaction; any thread or process may call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self) -> None:
        """Make the file with its tables."""
        with self._transaction() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLES)

    def add_conversation(self, conversation: Conversation) -> None:
        """Add a new conversation."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO conversations VALUES "
                "(:licence_id, :conversation_id, :visitor_name, :page_url, :started_at)",
                asdict(conversation),
            )

    def conversations(self) -> list[Conversation]:
        """Return all conversations, the newest first."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM conversations ORDER BY started_at DESC")
            return [Conversation(**dict(row)) for row in rows]

    def conversation(self, licence_id: str, conversation_id: str) -> Conversation | None:
        """Return one conversation; None if it does not exist."""
        with self._transaction() as connection:
            row = connection.execute(
                f"SELECT * FROM conversations WHERE {_IN_CONVERSATION}",
                (licence_id, conversation_id),
            ).fetchone()
            return Conversation(**dict(row)) if row else None

    def add_message(self, message: Message) -> None:
        """Add a message that was written in i-Reserve; change nothing if it is stored already."""
        with self._transaction() as connection:
            connection.execute(f"{_INSERT} ON CONFLICT DO NOTHING", message.to_row())

    def put_reply(self, message: Message) -> bool:
        """Store this revision of a reply; return whether it was new.

        The same revision again, or an older one after a newer, changes nothing.
        """
        with self._transaction() as connection:
            written = connection.execute(f"{_INSERT} {_NEWEST_REVISION}", message.to_row())
            return written.rowcount > 0

    def messages(self, licence_id: str, conversation_id: str) -> list[Message]:
        """Return the conversation's messages in order, internal notes included."""
        with self._transaction() as connection:
            rows = connection.execute(
                f"SELECT * FROM messages WHERE {_IN_CONVERSATION} "
                # Not by the latest change: an edited message keeps its place.
                "ORDER BY posted_at, reply_id, rowid",
                (licence_id, conversation_id),
            )
            return [Message.of_row(row) for row in rows]

    def visible_to_visitor(self, licence_id: str, conversation_id: str) -> list[Message]:
        """Return the messages that the visitor may see: all but internal notes."""
        messages = self.messages(licence_id, conversation_id)
        return [message for message in messages if message.visibility == "public"]

    def message_of_post(self, post_id: str) -> Message | None:
        """Return the reply with this post id; None if it has not come."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT * FROM messages WHERE post_id = ?", (post_id,)
            ).fetchone()
            return Message.of_row(row) if row else None

    def put_outcome(self, outcome: Outcome) -> None:
        """Store an outcome; the same one again changes nothing."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO outcomes VALUES (:outcome_id, :event, :at, :licence_id, "
                ":conversation_id, :message_id, :reason, :permalink) ON CONFLICT DO NOTHING",
                asdict(outcome),
            )

    def outcomes(self, licence_id: str, conversation_id: str) -> list[Outcome]:
        """Return a conversation's outcomes by their time, the oldest first."""
        with self._transaction() as connection:
            rows = connection.execute(
                f"SELECT * FROM outcomes WHERE {_IN_CONVERSATION} ORDER BY at",
                (licence_id, conversation_id),
            )
            return [Outcome(**dict(row)) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S)) as connection:
            connection.row_factory = sqlite3.Row
            with connection:
                yield connection
