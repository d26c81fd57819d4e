"""Store what is said in the web chat, and enqueue it for Mattermost.

This is all that i-Reserve has to do to send. It needs only the four tasks and the broker.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from demo.ireserve.store import Conversation, Message, Store
from tasks import create_root_post, post_reply, update_conversation


@dataclass(frozen=True, slots=True)
class Opening:
    """What i-Reserve knows of a conversation at its start, beside the visitor and the page.

    ``url`` is the address of the conversation in i-Reserve.
    """

    url: str | None = None
    page_title: str | None = None
    question: str | None = field(default=None, repr=False)
    fields: Mapping[str, str | int | float] = field(default_factory=dict, repr=False)


def start_conversation(
    store: Store, conversation: Conversation, opening: Opening = Opening()
) -> None:
    """Begin a conversation.

    Raises:
        kombu.exceptions.OperationalError: the broker cannot be reached; nothing was stored.
    """
    create_root_post.delay(
        conversation.licence_id,
        conversation.conversation_id,
        visitor_name=conversation.visitor_name,
        page_url=conversation.page_url or None,
        page_title=opening.page_title,
        question=opening.question,
        conversation_url=opening.url,
        fields=opening.fields,
        started_at=conversation.started_at,
    )
    store.add_conversation(conversation)


def take_conversation(
    conversation: Conversation, *, user_id: str, name: str, subject: str | None = None
) -> None:
    """Enqueue that an agent has taken the conversation, and its subject.

    Raises:
        kombu.exceptions.OperationalError: the broker cannot be reached.
    """
    update_conversation.delay(
        conversation.licence_id,
        conversation.conversation_id,
        revision=_revision(),
        state="taken",
        assignee_user_id=user_id,
        assignee_name=name,
        subject=subject,
    )


def end_conversation(conversation: Conversation) -> None:
    """Enqueue that the conversation is closed; the visitor's next message opens it again.

    Raises:
        kombu.exceptions.OperationalError: the broker cannot be reached.
    """
    update_conversation.delay(
        conversation.licence_id,
        conversation.conversation_id,
        revision=_revision(),
        state="closed",
    )


def _revision() -> int:
    # The clock gives growing numbers, whichever of the demo's processes asks.
    return time.time_ns() // 1_000_000


def say(store: Store, message: Message) -> None:
    """Enqueue and store a message of any sender; the same message again changes nothing.

    Raises:
        kombu.exceptions.OperationalError: the broker cannot be reached; nothing was stored.
    """
    post_reply.delay(
        message.licence_id,
        message.conversation_id,
        message_id=message.message_id,
        sender_name=message.sender_name,
        sender_role=message.sender_role,
        text=message.text,
        attachments=[{"name": file["name"], "path": file["path"]} for file in message.attachments],
        sent_at=message.posted_at,
        # Mattermost shows an internal message as a note, and the visitor's page omits it.
        visibility=message.visibility,
    )
    store.add_message(message)
