"""The public tasks, which i-Reserve enqueues with ``.delay()``.

The functions are declarations without a body: the workers do the work. Their parameters are the
fields of the schemas in ``messages``.
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
    message is the question. ``conversation_url`` leads the team to i-Reserve. ``fields`` maps
    titles to values. A conversation has one root post, however often this task is called. A later
    call changes only the fields that it names.
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

    ``sender_role`` is "visitor", "agent", "bot" or "system". Only "system" needs no
    ``sender_name``. With ``visibility="internal"`` the message is a note for the team, and looks
    like one. An attachment has a ``name`` and a ``url`` or a ``path``. ``origin_post_id`` says that
    the message came from Mattermost: nothing is posted.
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
    """Update a conversation's state, assignee, subject and fields, which its root post shows.

    ``state`` is "open", "taken" (give the assignee), "snoozed" or "closed". ``revision`` is a whole
    number that grows with each change, for example a time in milliseconds. A call is ignored if its
    revision is not higher than the last. A field that is not named stays as it is. A visitor's
    message opens a closed or snoozed conversation again.
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

    ``fields`` maps titles to values. ``color`` is "good", "warning", "danger" or "#rrggbb". Calls
    with the same type and ``notification_id`` post once. Without a ``notification_id`` each call
    posts.
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
    """Store a new or changed user of i-Reserve.

    A reply is recorded under the user who has the e-mail address of the reply's author. The newest
    call for a ``user_id`` wins. No reply is recorded under a deactivated user (``active=False``).
    """
