"""The public tasks: what i-Reserve enqueues, with ``.delay()``.

Their bodies run in the workers. What is declared here is the schema of ``messages``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Mapping, Sequence, Tuple, Union

from ireserve_mattermost.messages import Role, State, Visibility
from ireserve_mattermost.public import AttachmentDict, FieldDict, Id, message_task

Moment = Union[str, datetime]
FieldValue = Union[str, int, float]
Fields = Union[Mapping[str, FieldValue], Sequence[Tuple[str, FieldValue]], Sequence[FieldDict]]


@message_task(name="mattermost.create_root_post", kind="root")
def create_root_post(
    licence_id: Id,
    conversation_id: Id,
    *,
    visitor_name: str,
    page_url: str | None = None,
    started_at: Moment | None = None,
    question: str | None = None,
    page_title: str | None = None,
    conversation_url: str | None = None,
    fields: Fields | None = None,
) -> None:
    """Start a conversation's thread: a root post with the visitor, the question and the page.

    ``started_at`` is ISO 8601 (UTC when it names no zone). Without ``question`` the visitor's first
    message is the question. ``conversation_url`` leads the team to i-Reserve, ``fields`` maps
    titles to values. A conversation has one root post, however often this is called: a later call
    completes it, and leaves what it does not name as it is.
    """


@message_task(name="mattermost.post_reply", kind="reply")
def post_reply(
    licence_id: Id,
    conversation_id: Id,
    *,
    message_id: Id,
    sender_role: Role,
    sender_name: str | None = None,
    text: str = "",
    attachments: Sequence[AttachmentDict] = (),
    sent_at: Moment | None = None,
    origin_post_id: Id | None = None,
    visibility: Visibility = "public",
) -> None:
    """Post a message of the conversation into its thread, once for each ``message_id``.

    ``sender_role`` is "visitor", "agent", "bot" or "system"; the last one alone needs no
    ``sender_name``. With ``visibility="internal"`` it is a note for the team, and looks like one.
    An attachment has a ``name`` and a ``url`` or a ``path``. With ``origin_post_id`` the message
    came from Mattermost in the first place: nothing is posted.
    """


@message_task(name="mattermost.update_conversation", kind="conversation")
def update_conversation(
    licence_id: Id,
    conversation_id: Id,
    *,
    revision: int,
    state: State | None = None,
    assignee_user_id: Id | None = None,
    assignee_name: str | None = None,
    subject: str | None = None,
    fields: Fields | None = None,
    conversation_url: str | None = None,
) -> None:
    """Say what a conversation is like now; its root post shows it.

    ``state`` is "open", "taken" (give the assignee), "snoozed" or "closed". ``revision`` is a whole
    number of yours that grows with each change, as a time in milliseconds: a call with a lower or
    equal one than the last is left out. What is not named stays as it is. A visitor's message opens
    a closed or snoozed conversation again.
    """


@message_task(name="mattermost.send_notification", kind="notification")
def send_notification(
    licence_id: Id,
    *,
    notification_type: Id,
    text: str = "",
    title: str | None = None,
    fields: Fields | None = None,
    color: str | None = None,
    url: str | None = None,
    notification_id: Id | None = None,
) -> None:
    """Post a notification in the channel mapped to its type, or else in the default channel.

    ``fields`` maps titles to values. ``color`` is "good", "warning", "danger" or "#rrggbb". The
    same ``notification_id`` of a type is posted once; without one each call posts.
    """


@message_task(name="mattermost.sync_user", kind="user")
def sync_user(
    licence_id: Id,
    *,
    user_id: Id,
    email: str,
    name: str,
    active: bool = True,
) -> None:
    """Store a user of i-Reserve, new or changed: replies are recorded under who has their e-mail.

    The newest call for a ``user_id`` wins. A deactivated one (``active=False``) is no author.
    """
