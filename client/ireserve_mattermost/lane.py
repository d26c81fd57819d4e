"""The name of a lane, and the form of a message in its lane."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Mapping
from urllib.parse import quote, unquote

# Our keys in Redis begin with this; those of Celery do not.
PREFIX = "ireserve-mattermost:"
# The kinds of messages, and the version of their entries. A worker sets aside an entry of an
# unknown kind or of a later version. It ignores unknown fields.
KINDS = ("root", "reply", "conversation", "notification", "user")
ENTRY_VERSION = 2
# The version of an internal note's entry. An older worker does not know the field for notes, and
# would post the note as an answer to the visitor.
NOTE_VERSION = 3
# The context's field that names the call in the caller's own logs, and how many characters are
# kept.
CORRELATION_ID = "correlation_id"
CORRELATION_ID_LENGTH = 100
# The length of the ledger's column, and the last moment of the year 9999 (ms since 1970).
KEY_LENGTH = 120
LAST_MS = 253_402_300_799_000


@dataclass(frozen=True)
class Lane:
    """The name of a lane: its licence, and the conversation or the type of its messages.

    ``family`` is "c" for a conversation, "n" for notifications and "u" for users.
    """

    licence_id: str
    family: str
    subject: str

    @classmethod
    def of_conversation(cls, licence_id: str, conversation_id: str) -> Lane:
        """Return the lane of a conversation."""
        return cls(licence_id, "c", conversation_id)

    @classmethod
    def of_notifications(cls, licence_id: str, notification_type: str) -> Lane:
        """Return the lane of a licence's notifications of one type."""
        return cls(licence_id, "n", notification_type)

    @classmethod
    def parse(cls, name: str) -> Lane:
        """Return the lane with this name, as ``str(lane)`` writes it.

        Raises:
            ValueError: the text is no name of a lane.
        """
        parts = name.split(":")
        if len(parts) != 3 or not all(parts):
            raise ValueError("no name of a lane: it has licence, family and subject")
        licence_id, family, subject = parts
        return cls(unquote(licence_id), family, unquote(subject))

    def __str__(self) -> str:
        """Return the name; its parts are quoted, so that a colon always separates two parts."""
        return f"{quote(self.licence_id, safe='')}:{self.family}:{quote(self.subject, safe='')}"


@dataclass(frozen=True)
class LaneEntry:
    """A message as it was enqueued.

    ``kind`` and ``key`` name the message in the ledger. ``payload`` holds the task's arguments,
    unchecked. ``enqueued_at_ms`` is Redis' time when the message was put into its lane, and 0
    before that. The caller gives ``context`` for the logs.
    """

    kind: str
    key: str
    task_id: str
    payload: dict[str, Any]
    enqueued_at_ms: int = 0
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def correlation_id(self) -> str:
        """The id that stands in each line of the log about the message.

        The caller gives this id as ``correlation_id`` in the context; without one it is the
        task's id.
        """
        return self.caller_correlation_id or self.task_id

    @property
    def caller_correlation_id(self) -> str | None:
        """The message's id in the caller's own logs; None: the caller gave none."""
        given: object = self.context.get(CORRELATION_ID)
        return given[:CORRELATION_ID_LENGTH] if isinstance(given, str) and given else None

    def dump(self) -> bytes:
        """Return the entry as ``Lanes.append`` writes it, without the time that Redis adds.

        Raises:
            TypeError: an argument cannot be written as JSON; the message names the argument.
        """
        content = {
            "v": _version_of(self.payload),
            "kind": self.kind,
            "key": self.key,
            "task_id": self.task_id,
            "arguments": self.payload,
            "context": self.context,
        }
        try:
            text = _as_json(content)
        except (TypeError, ValueError, RecursionError):
            raise TypeError(_why_not_json({**self.payload, "context": self.context})) from None
        # A lone surrogate (half of a broken emoji) has no UTF-8 form and becomes "?".
        return text.encode(errors="replace")

    @classmethod
    def load(cls, raw: bytes) -> LaneEntry:
        """Parse an entry as Redis holds it, and ignore unknown fields.

        Raises:
            ValueError: the bytes are no entry, or an entry of an unknown kind or version.
        """
        enqueued_at_ms, _, content = raw.partition(b":")
        try:
            return _entry(json.loads(content), int(enqueued_at_ms))
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"no entry of a lane: {type(error).__name__}") from None


def _version_of(payload: Mapping[str, Any]) -> int:
    is_public = payload.get("visibility") in (None, "public")
    return ENTRY_VERSION if is_public else NOTE_VERSION


def _entry(content: Any, enqueued_at_ms: int) -> LaneEntry:
    if content["v"] not in (ENTRY_VERSION, NOTE_VERSION):
        raise ValueError("an entry of another version")
    kind, key, task_id, payload = (
        content[name] for name in ("kind", "key", "task_id", "arguments")
    )
    context: Any = content.get("context") or {}
    if not all(isinstance(text, str) for text in (kind, key, task_id)):
        raise ValueError("kind, key and task of an entry must be text")
    if kind not in KINDS or not isinstance(payload, dict) or not isinstance(context, dict):
        raise ValueError("an entry of an unknown kind or form")
    if len(key) > KEY_LENGTH or not 0 <= enqueued_at_ms <= LAST_MS:
        raise ValueError("an entry whose key or time is out of range")
    return LaneEntry(kind, key, task_id, payload, enqueued_at_ms, context)


def _as_json(value: Any) -> str:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_json_form
    )


def _json_form(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise _NoFormError(f"a {type(value).__name__}")


class _NoFormError(TypeError):
    """A value is of a type that JSON does not have. The message names the type."""


def _why_not_json(arguments: Mapping[str, Any]) -> str:
    """Return which argument cannot be written as JSON, and why."""
    for name, value in arguments.items():
        try:
            _as_json(value)
        except _NoFormError as error:
            return f"{name} holds {error}: pass text, numbers and lists or mappings of them"
        except TypeError:
            return f"{name} holds a key that is no text: pass it as text"
        except ValueError:
            return f"{name} holds a number that JSON cannot write, or itself: pass it as text"
        except RecursionError:
            return f"{name} holds lists in lists without end: pass fewer"
    return "the arguments cannot be written as JSON: pass text, numbers, lists"
