"""The web chat's side of a conversation: what is said is stored here, and enqueued for Mattermost.

This is all that i-Reserve has to do for the way out; it knows the broker and nothing else of ours.
"""

from __future__ import annotations

import time

from demo.ireserve.store import Conversation, Message, Store
from tasks import create_root_post, post_reply, update_conversation


def start_conversation(store: Store, conversation: Conversation, *, url: str | None = None) -> None:
    """Begin a conversation, which the team finds here at ``url``.

    Raises:
        kombu.exceptions.OperationalError: the broker is away; nothing was stored either.
    """
    create_root_post.delay(
        conversation.licence_id,
        conversation.conversation_id,
        visitor_name=conversation.visitor_name,
        page_url=conversation.page_url or None,
        conversation_url=url,
        started_at=conversation.started_at,
    )
    store.add_conversation(conversation)


def end_conversation(conversation: Conversation) -> None:
    """Say that the conversation is over; a message of the visitor opens it again.

    Raises:
        kombu.exceptions.OperationalError: the broker is away.
    """
    update_conversation.delay(
        conversation.licence_id,
        conversation.conversation_id,
        # Milliseconds grow, also from one of our processes to the other.
        revision=time.time_ns() // 1_000_000,
        state="closed",
    )


def say(store: Store, message: Message) -> None:
    """Add a message of the visitor or of an agent; the same one again is one.

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
    )
    store.add_message(message)
