"""Play the sample conversation through the public tasks, and check what Mattermost then has."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from demo.installation import SAMPLE, DemoError
from tasks import create_root_post, post_reply, send_notification
from tasks.marks import mark_of
from tasks.mattermost import MattermostClient, Post

# Eight messages take well under a second; a slow real server with large files takes longer.
DELIVERY_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Played:
    """What was enqueued: the conversation's id, its messages, and the notifications."""

    conversation_id: str
    started_at: datetime
    messages: Sequence[dict[str, Any]]
    notifications: Sequence[dict[str, Any]]


def play(licence_id: str) -> Played:
    """Enqueue the sample conversation and the notifications; some of it twice, as it happens."""
    sample = json.loads((SAMPLE / "conversation.json").read_text())
    started_at = datetime.now(UTC)
    run = started_at.strftime("%Y%m%d-%H%M%S")
    played = Played(
        conversation_id=f"demo-{run}",
        started_at=started_at,
        messages=[
            {**message, "message_id": f"{run}-{number}"}
            for number, message in enumerate(sample["messages"], 1)
        ],
        notifications=[
            {**item, "notification_id": f"{item['notification_id']}-{run}"}
            for item in sample["notifications"]
        ],
    )
    create_root_post.delay(
        licence_id,
        played.conversation_id,
        visitor_name=sample["visitor_name"],
        page_url=sample["page_url"],
        started_at=started_at.isoformat(),
    )
    for message in played.messages:
        post_reply.delay(licence_id, played.conversation_id, **message)
    # i-Reserve calls again when it is not sure: the same message is posted once.
    post_reply.delay(licence_id, played.conversation_id, **played.messages[0])
    for notification in played.notifications:
        send_notification.delay(licence_id, **notification)
    return played


def delivered(client: MattermostClient, played: Played, channels: Sequence[str]) -> list[Post]:
    """Return our posts, oldest first, once all that was played is there.

    Raises:
        DemoError: it is not within ``DELIVERY_TIMEOUT_S``.
    """
    expected = 1 + len(played.messages) + len(played.notifications)
    deadline = time.monotonic() + DELIVERY_TIMEOUT_S
    while True:
        posts = _our_posts(client, played, channels)
        if len(posts) >= expected:
            # A double would come right behind.
            time.sleep(1)
            return _our_posts(client, played, channels)
        if time.monotonic() > deadline:
            raise DemoError(f"{len(posts)} of {expected} posts are there; see processes.log")
        time.sleep(0.1)


def _our_posts(client: MattermostClient, played: Played, channels: Sequence[str]) -> list[Post]:
    oldest_ms = round(played.started_at.timestamp() * 1_000) - 60_000
    posts = [
        post
        for channel_id in dict.fromkeys(channels)
        for post in client.get_posts_page(channel_id, page=0, per_page=200)
        if post.create_at_ms >= oldest_ms and mark_of(post)
    ]
    return sorted(posts, key=lambda post: post.create_at_ms)


def problems(played: Played, posts: Sequence[Post]) -> list[str]:
    """Return what is not as it should be: one root, every message once, in order, with files."""
    threaded = [post for post in posts if mark_of(post).get("conversation_id")]
    roots = [post for post in threaded if not post.root_id]
    replies = [post for post in threaded if post.root_id]
    notifications = [post for post in posts if mark_of(post).get("notification_type")]
    found = []
    if len(roots) != 1 or played.conversation_id not in roots[0].message:
        found.append(f"there are {len(roots)} root posts with the conversation's id, not one")
    if any(post.root_id != roots[0].id for post in replies if roots):
        found.append("a reply is under another root")
    if [mark_of(post)["message_id"] for post in replies] != [
        message["message_id"] for message in played.messages
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
        wanted = [item["name"] for item in message.get("attachments", ())]
        missing = [name for name in wanted if name not in names]
        unnamed = [name for name in missing if name.split(".")[0] not in post.message]
        if unnamed or names != [name for name in wanted if name in names]:
            found.append(f"message {message['message_id']}: its files are not there or not named")
        if missing and not names:
            found.append(f"message {message['message_id']}: a lost file cost the others")
    return found
