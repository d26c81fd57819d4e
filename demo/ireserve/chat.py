"""The web chat's side of a conversation: what is said is stored here, and enqueued for Mattermost.

i-Reserve has to do no more than this to send; it knows the four tasks and the broker.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from demo.ireserve.store import Conversation, Message, Store
from tasks import create_root_post, post_reply, update_conversation


@dataclass(frozen=True, slots=True)
class Opening:
    """What i-Reserve knows of a conversation at its start, beside who and where.

    ``url`` is where the conversation is shown here.
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
        kombu.exceptions.OperationalError: the broker is away; nothing was stored either.
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
    """Say who has the conversation from now on, and what it is about.

    Raises:
        kombu.exceptions.OperationalError: the broker is away.
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
    """Say that the conversation is over; a message of the visitor opens it again.

    Raises:
        kombu.exceptions.OperationalError: the broker is away.
    """
    update_conversation.delay(
        conversation.licence_id,
        conversation.conversation_id,
        revision=_revision(),
        state="closed",
    )


def _revision() -> int:
    # Milliseconds grow, also from one of our processes to the other.
    return time.time_ns() // 1_000_000


def say(store: Store, message: Message) -> None:
    """Add a message of the conversation, of any sender; the same one again is one.

    Raises:
        kombu.exceptions.OperationalError: the broker is away; nothing was stored either.
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
        # A note for the team looks like one there, and the visitor's page leaves it out.
        visibility=message.visibility,
    )
    store.add_message(message)
