"""Play the sample conversation through the public tasks, and check what Mattermost then has."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from demo.errors import DemoError
from demo.installation import SAMPLE
from demo.ireserve.chat import Opening, say, start_conversation
from demo.ireserve.store import Conversation, Message, Store
from ireserve_mattermost.keys import key_of, lane_of
from tasks import send_notification
from tasks.mattermost import MattermostClient, Post
from tasks.outbound.marks import Mark, mark_of

# Eleven messages take well under a second, but a slow real server may take longer.
DELIVERY_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Played:
    """What was enqueued: the conversation, its messages, and the notifications."""

    conversation: Conversation
    messages: Sequence[Message]
    notifications: Sequence[dict[str, Any]]
    page_title: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def sample(language: str) -> dict[str, Any]:
    """Return the sample: two conversations (one private), the team's replies, and their author."""
    path = SAMPLE / f"conversation.{language}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def play(script: Mapping[str, Any], *, licence_id: str, store: Store, site: str) -> Played:
    """Store and enqueue a conversation and its notifications, and one message twice.

    ``site`` is the address at which i-Reserve shows its conversations.
    """
    started_at = datetime.now(UTC)
    run = started_at.strftime("%Y%m%d-%H%M%S")
    conversation = Conversation(
        licence_id=licence_id,
        conversation_id=f"{licence_id}-{run}",
        visitor_name=script["visitor_name"],
        page_url=script["page_url"],
        started_at=started_at.isoformat(),
    )
    played = Played(
        conversation=conversation,
        messages=[
            _message(conversation, f"{run}-{number}", item)
            for number, item in enumerate(script["messages"], 1)
        ],
        page_title=script.get("page_title"),
        fields=script.get("fields", {}),
        notifications=[
            {**item, "notification_id": f"{item['notification_id']}-{run}"}
            for item in script["notifications"]
        ],
    )
    _enqueue(played, store, site)
    return played


def _message(conversation: Conversation, message_id: str, item: Mapping[str, Any]) -> Message:
    return Message(
        licence_id=conversation.licence_id,
        conversation_id=conversation.conversation_id,
        message_id=message_id,
        sender_name=item["sender_name"],
        sender_role=item["sender_role"],
        text=item["text"],
        posted_at=conversation.started_at,
        attachments=tuple(item.get("attachments", ())),
        visibility=item.get("visibility", "public"),
    )


def _enqueue(played: Played, store: Store, site: str) -> None:
    conversation = played.conversation
    path = f"conversations/{conversation.licence_id}/{conversation.conversation_id}"
    opening = Opening(
        url=f"{site}/{path}", page_title=played.page_title, fields=dict(played.fields)
    )
    start_conversation(store, conversation, opening)
    for message in played.messages:
        say(store, replace(message, posted_at=datetime.now(UTC).isoformat()))
    # i-Reserve enqueues a message again when in doubt; Mattermost still gets one post.
    say(store, played.messages[0])
    for notification in played.notifications:
        send_notification.delay(played.conversation.licence_id, **notification)


def delivered(client: MattermostClient, played: Played, channels: Sequence[str]) -> list[Post]:
    """Wait until all enqueued messages are posted; return our posts, oldest first.

    Raises:
        DemoError: they are not posted within ``DELIVERY_TIMEOUT_S``.
    """
    expected = 1 + len(played.messages) + len(played.notifications)
    deadline = time.monotonic() + DELIVERY_TIMEOUT_S
    while True:
        posts = _our_posts(client, played, channels)
        if len(posts) >= expected:
            # A duplicate would follow within this second.
            time.sleep(1)
            return _our_posts(client, played, channels)
        if time.monotonic() > deadline:
            raise DemoError(f"{len(posts)} of {expected} posts are there")
        time.sleep(0.1)


def _our_posts(client: MattermostClient, played: Played, channels: Sequence[str]) -> list[Post]:
    # A channel of a real server may hold posts of earlier runs.
    notifications = {_key(played, item) for item in played.notifications}
    conversation_id = played.conversation.conversation_id
    posts = [
        post
        for channel_id in dict.fromkeys(channels)
        # Pages list the newest first. Reversed, posts of one millisecond keep their order.
        for post in reversed(client.get_posts_page(channel_id, page=0, per_page=200))
        if mark_of(post).get("conversation_id") == conversation_id
        or mark_of(post).get("key") in notifications
    ]
    return sorted(posts, key=lambda post: post.create_at_ms)


def _key(played: Played, notification: Mapping[str, Any]) -> str:
    payload = {"licence_id": played.conversation.licence_id, **notification}
    key = key_of("notification", payload, task_id="")
    return Mark.of(lane_of("notification", payload), key).digest


def problems(played: Played, posts: Sequence[Post]) -> list[str]:
    """Return what is wrong. Expected: one root, and every message once, in order, with files."""
    threaded = [post for post in posts if mark_of(post).get("conversation_id")]
    roots = [post for post in threaded if not post.root_id]
    replies = [post for post in threaded if post.root_id]
    notifications = [post for post in posts if mark_of(post).get("notification_type")]
    found = []
    if len(roots) != 1 or played.conversation.conversation_id not in roots[0].message:
        found.append(f"there are {len(roots)} root posts with the conversation's id, not one")
    if any(post.root_id != roots[0].id for post in replies if roots):
        found.append("a reply is under another root")
    if [mark_of(post)["message_id"] for post in replies] != [
        message.message_id for message in played.messages
    ]:
        found.append("the replies are not each there once and in order")
    found += _file_problems(played, replies)
    if sorted(mark_of(post)["notification_type"] for post in notifications) != sorted(
        item["notification_type"] for item in played.notifications
    ):
        found.append("the notifications are not each there once")
    return found


def _file_problems(played: Played, replies: Sequence[Post]) -> list[str]:
    found = []
    for message, post in zip(played.messages, replies, strict=False):
        names = [file.name for file in post.files]
        wanted = [item["name"] for item in message.attachments]
        missing = [name for name in wanted if name not in names]
        unnamed = [name for name in missing if name.split(".")[0] not in post.message]
        if unnamed or names != [name for name in wanted if name in names]:
            found.append(f"message {message.message_id}: its files are not there or not named")
        if missing and not names:
            found.append(f"message {message.message_id}: a lost file cost the others")
    return found
