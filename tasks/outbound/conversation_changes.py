"""Compute how messages and i-Reserve's calls change the stored conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, or_, true

from ireserve_mattermost.messages import ChatMessage, ConversationChange, Message, RootPost
from ireserve_mattermost.values import is_blank
from models import ConversationState

# More of a question than a card shows, so that the card can cut it.
QUESTION_LENGTH = 300
# The states that a visitor's message ends.
_ENDED = frozenset({ConversationState.CLOSED, ConversationState.SNOOZED})
_GOING_ON = tuple(state for state in ConversationState if state not in _ENDED)
# Messages of these senders are no answer: the visitor still waits for a person.
_ANSWERS_NOTHING = frozenset({"bot", "system"})


@dataclass(frozen=True, slots=True)
class EnqueuedMessage:
    """A message of the conversation, or a change of it, and when it was enqueued.

    ``is_new``: no worker has begun the message before. A message that was begun before has already
    made its changes.
    """

    message: Message
    enqueued_at: datetime
    is_new: bool = True


class Effect(StrEnum):
    """What a message of the web chat does to its conversation."""

    NONE = "none"
    ANSWERS = "answers"
    ASKS = "asks"

    @classmethod
    def of(cls, message: ChatMessage) -> Effect:
        """Return what this message does."""
        if message.is_internal or message.sender_role in _ANSWERS_NOTHING:
            return cls.NONE
        return cls.ANSWERS if message.sender_role == "agent" else cls.ASKS

    def changes_nothing(self, stored: FromClause) -> ColumnElement[bool]:
        """Return the condition under which ``changed_columns`` is empty for one such message."""
        columns = stored.c
        if self is Effect.NONE:
            return true()
        if self is Effect.ANSWERS:
            return columns.waiting_since.is_(None)
        return and_(
            columns.visitor_name.is_not(None),
            columns.question.is_not(None),
            columns.waiting_since.is_not(None),
            or_(columns.state.is_(None), *(columns.state == each for each in _GOING_ON)),
        )


def changed_columns(
    known: Mapping[str, Any], messages: Iterable[EnqueuedMessage]
) -> dict[str, Any]:
    """Return the columns of the conversation that differ from ``known``, with their new values."""
    changed = dict(known)
    for each in messages:
        match each.message:
            case RootPost():
                _apply_root(changed, each.message, each.enqueued_at)
            case ConversationChange():
                _apply_change(changed, each.message, each.enqueued_at)
            case ChatMessage() if each.is_new:
                _apply_chat_message(changed, each.message, each.message.sent_at or each.enqueued_at)
    return {name: value for name, value in changed.items() if value != known.get(name)}


def _apply_root(changed: dict[str, Any], root: RootPost, at: datetime) -> None:
    changed["visitor_name"] = _stored(root.visitor_name)
    if root.question and changed["question"] is None:
        changed["waiting_since"] = changed["waiting_since"] or root.started_at or at
    _put(
        changed,
        page_url=_stored(root.page_url),
        started_at=root.started_at,
        page_title=_stored(root.page_title),
        question=_cut(root.question),
        conversation_url=_stored(root.conversation_url),
        fields=_fields(root.fields),
    )


def _apply_change(changed: dict[str, Any], change: ConversationChange, at: datetime) -> None:
    """Apply the change, unless a newer change was applied before."""
    known = changed["revision"]
    if change.revision is None or (known is not None and change.revision <= known):
        return
    changed["revision"] = change.revision
    if change.state is not None and change.state != changed["state"]:
        changed |= {"state": ConversationState(change.state), "state_at": at}
    if changed["state"] is ConversationState.OPEN and change.state is not None:
        _assign(changed, None, None)
    if change.assignee_user_id is not None or change.assignee_name is not None:
        _assign(changed, change.assignee_user_id, _stored(change.assignee_name))
    _put(
        changed,
        subject=_cut(change.subject),
        conversation_url=_stored(change.conversation_url),
        fields=_fields(change.fields),
    )


def _assign(changed: dict[str, Any], user_id: str | None, name: str | None) -> None:
    if user_id != changed["assignee_user_id"]:
        # The username is looked up when the card is drawn.
        changed["assignee_username"] = None
    changed |= {"assignee_user_id": user_id, "assignee_name": name}


def _apply_chat_message(changed: dict[str, Any], message: ChatMessage, at: datetime) -> None:
    match Effect.of(message):
        case Effect.NONE:
            return
        case Effect.ANSWERS:
            if changed["waiting_since"]:
                changed |= {"waiting_since": None, "answered_at": at}
            return
    if changed["visitor_name"] is None:
        changed["visitor_name"] = _stored(message.sender_name)
    if changed["question"] is None:
        changed["question"] = _cut(_question_of(message))
    changed["waiting_since"] = changed["waiting_since"] or at
    if changed["state"] in _ENDED:
        is_assigned = changed["assignee_user_id"] or changed["assignee_name"]
        state = ConversationState.TAKEN if is_assigned else ConversationState.OPEN
        changed |= {"state": state, "state_at": at}


def _question_of(message: ChatMessage) -> str:
    if not is_blank(message.text):
        return message.text
    return " ".join(f"📎 {file.name}" for file in message.attachments)


def _put(changed: dict[str, Any], **values: Any) -> None:
    changed |= {name: value for name, value in values.items() if value is not None}


def _cut(text: str | None) -> str | None:
    return None if text is None else _stored(text[: 2 * QUESTION_LENGTH].strip()[:QUESTION_LENGTH])


def _stored(text: str | None) -> str | None:
    # PostgreSQL cannot store a NUL, which is invisible anyway.
    return text and text.replace("\0", "")


def _fields(fields: Iterable[tuple[str, str]] | None) -> list[list[str]] | None:
    if fields is None:
        return None
    return [[title.replace("\0", ""), value.replace("\0", "")] for title, value in fields]
