"""A stage: one licence on the stand-in, and a worker's code in this process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from demo.mattermost import StandIn
from ireserve_mattermost.keys import lane_of
from ireserve_mattermost.lanes import PREFIX, Lane
from ireserve_mattermost.message_task import entry_of
from models import Conversation, Delivery
from tasks.mattermost import MattermostClient, Post
from tasks.outbound.drain import DrainReport, enter, serve
from tasks.runtime import Runtime

TEAM = "support"
CHANNEL = "webchat"
BOT = "ireserve"
LICENCE = "L1"
VISITOR = {"sender_name": "Jan", "sender_role": "visitor"}


def drain(runtime: Runtime, lane: Lane) -> DrainReport:
    """Send the lane's messages as a woken worker does, even if the lane is to wait."""
    runtime.redis.zadd(f"{PREFIX}lanes:{quote(lane.licence_id, safe='')}", {str(lane): 0}, xx=True)
    return serve(runtime, enter(runtime, lane.licence_id, wake_id="test"))


@dataclass(slots=True)
class Stage:
    """One licence with its channel and bot on the stand-in."""

    runtime: Runtime
    stand_in: StandIn
    channel_id: str
    bot_token: str
    user_token: str
    store: Path
    next_task: int = 0

    def configure(self, **settings: Any) -> None:
        """Change settings of the installation."""
        changed = self.runtime.settings.model_copy(update=settings)
        self.runtime = replace(self.runtime, settings=changed)

    def append(self, kind: str, **payload: Any) -> Lane:
        """Put a message into its lane without waking a worker."""
        self.next_task += 1
        payload = {"licence_id": LICENCE, **payload}
        lane = lane_of(kind, payload)
        self.runtime.lanes.append(lane, entry_of(kind, payload, f"task-{self.next_task}"))
        return lane

    def drain(self, lane: Lane) -> DrainReport:
        """Send the lane's messages now, even if the lane is to wait."""
        return drain(self.runtime, lane)

    def start(self, conversation_id: str = "c1", **more: Any) -> DrainReport:
        """Enqueue a conversation's start and drain its lane."""
        arguments = {"visitor_name": "Jan", "conversation_id": conversation_id, **more}
        return self.drain(self.append("root", **arguments))

    def reply(
        self, message_id: str, text: str = "", conversation_id: str = "c1", **more: Any
    ) -> DrainReport:
        """Enqueue a visitor's message and drain its lane."""
        arguments = {
            "conversation_id": conversation_id,
            "message_id": message_id,
            "text": text,
            **VISITOR,
            **more,
        }
        return self.drain(self.append("reply", **arguments))

    def update(self, revision: int, conversation_id: str = "c1", **more: Any) -> DrainReport:
        """Enqueue a change of a conversation and drain its lane."""
        arguments = {"conversation_id": conversation_id, "revision": revision, **more}
        return self.drain(self.append("conversation", **arguments))

    def patches(self) -> list[Any]:
        """Return the record of the requests that changed a post."""
        return [
            entry for entry in self.stand_in.received(method="PUT") if entry.path.endswith("/patch")
        ]

    def notify(
        self, notification_type: str = "booking", text: str = "news", **more: Any
    ) -> DrainReport:
        """Enqueue a notification and drain its lane."""
        arguments = {"notification_type": notification_type, "text": text, **more}
        return self.drain(self.append("notification", **arguments))

    def channel_posts(self, channel_id: str | None = None) -> list[Post]:
        """Return the posts of the channel, oldest first, as a member sees them."""
        # The page lists the newest first. Reversed, posts of one millisecond are in order, too.
        page = self.member().get_posts_page(channel_id or self.channel_id, page=0, per_page=200)
        return page[::-1]

    def member(self) -> MattermostClient:
        """Return a client with the member's token."""
        return MattermostClient(self.stand_in.url, self.user_token)

    def bot(self) -> MattermostClient:
        """Return a client with the bot's token."""
        return MattermostClient(self.stand_in.url, self.bot_token)

    def posts_sent(self) -> list[Any]:
        """Return the record of the POST /posts requests."""
        return self.stand_in.received(method="POST", path="/posts")

    def ledger(self) -> list[Delivery]:
        """Return all deliveries in the order in which they began."""
        with self.runtime.database.transaction() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.id)))

    def states(self) -> dict[str, tuple[str, str | None]]:
        """Return state and reason of each delivery by key."""
        return {row.key: (row.state.value, row.reason) for row in self.ledger()}

    def conversation(self) -> Conversation:
        """Return the only conversation."""
        with self.runtime.database.transaction() as session:
            return session.scalars(select(Conversation)).one()
