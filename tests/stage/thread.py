"""The team's side of a conversation: members' posts in its thread, and the inbox."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import select, update

from models import Database, Receipts, Reply, ReplyAttachment, ReplySource, User, utc_now
from tasks.mattermost import MattermostClient, Post
from tasks.replies.backoff import GIVE_UP_AFTER_S
from tasks.replies.giving_receipts import give_due_receipts
from tasks.replies.inbox import receive
from tasks.replies.open_replies import claim
from tasks.replies.resolve import Report, resolve
from tests.stage.rows import change_licence
from tests.stage.stage import LICENCE, Stage

CONVERSATION = "c1"
EVERYTHING = 10_000


@dataclass(slots=True)
class MirroredThread:
    """A stage with one conversation, its thread, and the rows of the team's replies."""

    stage: Stage

    @classmethod
    def open(cls, stage: Stage) -> MirroredThread:
        """Start the conversation."""
        stage.start(CONVERSATION)
        stage.stand_in.clear_received()
        return cls(stage)

    @property
    def database(self) -> Database:
        """The database of the stage."""
        return self.stage.runtime.database

    @property
    def root_post_id(self) -> str:
        """The id of the thread's root post."""
        return self.stage.conversation().root_post_id or ""

    def say(
        self, message: str = "", *, client: MattermostClient | None = None, **more: Any
    ) -> Post:
        """Write in the thread as a member."""
        arguments = {"root_id": self.root_post_id, "message": message, **more}
        member = client or self.stage.member()
        return member.create_post(channel_id=self.stage.channel_id, **arguments)

    def upload(self, *contents: bytes) -> list[str]:
        """Upload files named 1.txt, 2.txt and so on as a member; return their ids."""
        return [
            self.stage.member()
            .upload_file(
                channel_id=self.stage.channel_id,
                name=f"{number}.txt",
                stream=io.BytesIO(content),
                size_bytes=len(content),
            )
            .id
            for number, content in enumerate(contents, 1)
        ]

    def receive(self, post_id: str, licence_id: str = LICENCE) -> int:
        """Put a post into the inbox, as the webhook does."""
        with self.database.autocommit() as connection:
            reply_id = receive(
                connection, licence_id=licence_id, post_id=post_id, source=ReplySource.WEBHOOK
            )
        assert reply_id is not None
        return reply_id

    def take_in(self, post: Post) -> Reply | None:
        """Put a post into the inbox and resolve it; return its row, None if it was dropped."""
        reply_id = self.receive(post.id)
        self.resolve(reply_id)
        return self.reply(reply_id)

    def recorded(self, post: Post) -> Reply:
        """Put a post into the inbox and resolve it; return its row, which must exist."""
        row = self.take_in(post)
        assert row is not None
        return row

    def ask_again(self, reply_id: int) -> Reply:
        """Resolve the reply again, as after a change; return its row."""
        self.change(reply_id, state="received", received_at=utc_now(), attempts=0)
        self.resolve(reply_id)
        row = self.reply(reply_id)
        assert row is not None
        return row

    def give_up(self, reply_id: int) -> None:
        """Let the server refuse the reply for the last time, so that it is given up."""
        self.change(reply_id, received_at=utc_now() - timedelta(seconds=GIVE_UP_AFTER_S))
        with self.fault("unauthorized", times=1):
            self.resolve(reply_id)

    def resolve(self, *reply_ids: int) -> Report:
        """Resolve these replies as the task does."""
        return resolve(self.stage.runtime, reply_ids)

    def change(self, reply_id: int, **values: Any) -> None:
        """Change columns of a row."""
        with self.database.transaction() as session:
            session.execute(update(Reply).where(Reply.id == reply_id).values(**values))

    def change_licence(self, **values: Any) -> None:
        """Change columns of the licence."""
        change_licence(self.stage, **values)

    def set_receipts(self, receipts: Receipts) -> None:
        """Set which receipts the licence's posts get."""
        self.change_licence(
            marks_replies=receipts is not Receipts.NONE,
            marks_public_replies=receipts is Receipts.ALL,
        )

    def add_user(self, email: str, *, user_id: str = "u1", active: bool = True) -> None:
        """Store a user of i-Reserve."""
        with self.database.transaction() as session:
            session.add(
                User(
                    licence_id=LICENCE, user_id=user_id, email=email, name="A. User", active=active
                )
            )

    def reply(self, reply_id: int) -> Reply | None:
        """Return the row of a reply."""
        with self.database.transaction() as session:
            return session.get(Reply, reply_id)

    def attachments(self, reply_id: int) -> list[ReplyAttachment]:
        """Return the recorded files of a reply, in order."""
        found = select(ReplyAttachment).where(ReplyAttachment.reply_id == reply_id)
        with self.database.transaction() as session:
            return list(session.scalars(found.order_by(ReplyAttachment.position)))

    def due(self) -> list[int]:
        """Return the replies that the sweep would wake now."""
        with self.database.transaction() as session:
            return [reply_id for reply_id, _ in claim(session, limit=EVERYTHING)]

    def reactions(self, post_id: str) -> list[tuple[str, str]]:
        """Return the reactions to a post: who (bot or member), and the emoji."""
        answer = requests.get(
            f"{self.stage.stand_in.url}/api/v4/posts/{post_id}/reactions",
            headers={"Authorization": f"Bearer {self.stage.bot_token}"},
            timeout=10,
        )
        bot = self.stage.bot().get_me().id
        return [
            ("bot" if each["user_id"] == bot else "member", each["emoji_name"])
            for each in answer.json()
        ]

    def marks(self, post_id: str) -> list[tuple[str, str]]:
        """Give all receipts now, and return the reactions to a post."""
        is_to_come = Reply.receipt_due_at.is_not(None)
        with self.database.transaction() as session:
            session.execute(update(Reply).where(is_to_come).values(receipt_due_at=utc_now()))
        give_due_receipts(self.stage.runtime, LICENCE)
        return self.reactions(post_id)

    def asked(self, path: str, method: str = "GET") -> int:
        """Return the number of these requests to the stand-in."""
        return len(self.stage.stand_in.received(method=method, path=path))

    @contextmanager
    def fault(self, kind: str, **more: Any) -> Iterator[None]:
        """Set a fault on the stand-in for the block."""
        fault = self.stage.stand_in.set_fault(kind, **more)
        try:
            yield
        finally:
            self.stage.stand_in.clear_faults(fault.id)

    def configure(self, **settings: Any) -> None:
        """Change settings of the installation."""
        self.stage.configure(**settings)
