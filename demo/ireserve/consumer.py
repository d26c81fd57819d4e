"""An example to copy: i-Reserve's own Celery worker, which gets replies and outcomes.

It imports nothing of this package and needs only the names below. Start it beside i-Reserve:

    CELERY_BROKER_URL=$REDIS_URL celery --app demo.ireserve.consumer worker --pool solo
"""

from __future__ import annotations

import sqlite3
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from demo.ireserve.configuration import Configuration
from demo.ireserve.store import Message, MessageState, Outcome, Store, Visibility

# The values of the settings REPLY_TASK and REPLY_QUEUE.
REPLY_TASK = "ireserve.record_reply"
REPLY_QUEUE = "ireserve-replies"
# The value of the setting OUTCOME_TASK; outcomes come through the same queue.
OUTCOME_TASK = "ireserve.record_outcome"

app = Celery("ireserve")
app.conf.update(
    task_default_queue=REPLY_QUEUE,
    task_ignore_result=True,
    # A task whose worker dies comes again; the store ignores what it has already.
    task_acks_late=True,
    broker_connection_retry_on_startup=True,
)


# A failed task is not sent again, so Celery retries it until the store has the reply.
@app.task(
    name=REPLY_TASK,
    autoretry_for=(sqlite3.OperationalError, OperationalError),
    max_retries=None,
    retry_backoff=True,
)
def record_reply(
    *,
    reply_id: int,
    event: str,
    revision: int,
    licence_id: str,
    conversation_id: str,
    post_id: str,
    visibility: Visibility,
    author_user_id: str | None,
    author_name: str | None,
    text: str | None,
    plain_text: str | None,
    posted_at: str,
    attachments: list[dict[str, Any]],
    **_later: Any,
) -> None:
    """Store a reply, its edit or its deletion; the same call a second time changes nothing.

    ``_later`` takes arguments that a later version may add.
    """
    message = Message(
        licence_id=licence_id,
        conversation_id=conversation_id,
        # One row for each post: after a restored backup, a post may come with another reply_id.
        message_id=f"reply-{post_id}",
        sender_name=author_name or "",
        sender_role="agent",
        text=text or "",
        plain_text=plain_text or "",
        posted_at=posted_at,
        attachments=tuple(attachments),
        visibility=visibility,
        state=_state_after(event),
        reply_id=reply_id,
        revision=revision,
        post_id=post_id,
        author_user_id=author_user_id,
    )
    _store().put_reply(message)
    if event != "deleted":
        _enqueue(message)


@app.task(
    name=OUTCOME_TASK,
    autoretry_for=(sqlite3.OperationalError,),
    max_retries=None,
    retry_backoff=True,
)
def record_outcome(
    *,
    outcome_id: str,
    event: str,
    at: str,
    licence_id: str,
    conversation_id: str | None,
    message_id: str | None,
    reason: str | None,
    permalink: str | None,
    **_later: Any,
) -> None:
    """Store a failure or a thread's address; the same call a second time changes nothing."""
    outcome = Outcome(
        outcome_id, event, at, licence_id, conversation_id, message_id, reason, permalink
    )
    _store().put_outcome(outcome)


def _enqueue(message: Message) -> None:
    """Enqueue the reply, as i-Reserve enqueues every message of a conversation.

    ``origin_post_id`` says that the reply is in Mattermost already, so it is not posted again.
    """
    files = [file for file in message.attachments if file["path"]]
    app.send_task(
        "mattermost.post_reply",
        args=(message.licence_id, message.conversation_id),
        kwargs={
            "message_id": message.message_id,
            "sender_name": message.sender_name,
            "sender_role": message.sender_role,
            "text": message.text,
            "attachments": [{"name": file["name"], "path": file["path"]} for file in files],
            "sent_at": message.posted_at,
            "origin_post_id": message.post_id,
            "visibility": message.visibility,
        },
        queue="mattermost",
        # Flower and the logs show these instead of names and texts.
        argsrepr="()",
        kwargsrepr="{...}",
    )


def _state_after(event: str) -> MessageState:
    return {"edited": MessageState.EDITED, "deleted": MessageState.DELETED}.get(
        event, MessageState.SENT
    )


def _store() -> Store:
    return Store(Configuration.from_environment().store)
