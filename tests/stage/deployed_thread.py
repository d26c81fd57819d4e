"""A conversation's thread on a deployed stage: members' replies, and how they were recorded."""

from __future__ import annotations

import hashlib
import io
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Select, func, select

from models import Conversation, Reply, ReplySource, ReplyState
from tasks.mattermost import MattermostClient
from tests.stage.deployed import CHANNEL, DeployedStage, running_stage, team_of
from tests.stage.deployment import Process
from tests.waiting import wait_until

LICENCE = "L1"
PLACE = f"{team_of(LICENCE)}/{CHANNEL}"
# A word in every reply's text, which must not appear in any log.
WORD = "geheimtekst"


@dataclass(slots=True)
class DeployedThread:
    """The thread of one conversation, in which members reply. A worker must be running.

    By post id, ``said`` holds the SHA-256 of a reply's files, and ``said_at_ms`` its time.
    """

    stage: DeployedStage
    root_post_id: str = ""
    said: dict[str, list[str]] = field(default_factory=dict)
    said_at_ms: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """Let i-Reserve start the conversation, and wait for its thread."""
        host = self.stage.deployment.start_host()
        host.delay("create_root_post", LICENCE, "c1", visitor_name="Jan")
        self.root_post_id = wait_until(self._linked_root, timeout_s=30, what="the thread")

    def _linked_root(self) -> str | None:
        with self.stage.database.transaction() as session:
            return session.scalar(select(Conversation.root_post_id))

    def start_web(self) -> Process:
        """Start the web process and make an outgoing webhook that calls it."""
        web = self.stage.deployment.start("web")
        _wait_for_web(web)
        url = f"http://127.0.0.1:{web.port}/mattermost/replies"
        hook = {"channel": PLACE, "callback_urls": [url], "content_type": "application/json"}
        token = self.stage.stand_in.setup({"hooks": [hook]})["hooks"][0]["token"]
        done = self.stage.deployment.command(
            "licence", "webhook", LICENCE, "--token-file", "-", stdin=token
        )
        assert done.returncode == 0, done.stderr
        return web

    def say(self, count: int) -> None:
        """Write ``count`` replies in the thread."""
        with self.stage.member() as member:
            for number in range(count):
                self._post(member, f"{WORD} {number}")

    def upload(self, content: bytes) -> str:
        """Upload a file; return its id."""
        with self.stage.member() as member:
            return member.upload_file(
                channel_id=self.stage.channel_ids[LICENCE],
                name="plan.bin",
                stream=io.BytesIO(content),
                size_bytes=len(content),
            ).id

    def say_with_file(self, file_id: str, content: bytes) -> None:
        """Write a reply with an uploaded file."""
        with self.stage.member() as member:
            self._post(member, WORD, file_id, hashlib.sha256(content).hexdigest())

    def count_received(self) -> int:
        """Return the number of replies in the inbox, recorded ones included."""
        with self.stage.database.transaction() as session:
            return session.scalar(select(func.count()).select_from(Reply)) or 0

    def count_recorded(self) -> int:
        """Return the number of recorded replies."""
        query = select(func.count()).where(Reply.state == ReplyState.RECORDED)
        with self.stage.database.transaction() as session:
            return session.scalar(query) or 0

    def recorded(self) -> dict[str, list[str]]:
        """Return the SHA-256 of each recorded reply's stored files, by post id."""
        store = Path(self.stage.deployment.environment["ATTACHMENTS_URL"].removeprefix("file://"))
        with self.stage.database.transaction() as session:
            replies = session.scalars(_recorded())
            return {
                reply.post_id: [
                    hashlib.sha256((store / (file.path or "")).read_bytes()).hexdigest()
                    for file in reply.attachments
                ]
                for reply in replies
            }

    def sources(self) -> Mapping[str, ReplySource]:
        """Return the source of each recorded reply by post id, in the order of the posts."""
        with self.stage.database.transaction() as session:
            return {reply.post_id: reply.source for reply in session.scalars(_recorded())}

    def said_in_order(self) -> list[str]:
        """Return the replies' post ids in catch-up's order: by Mattermost's time, then by id."""
        return sorted(self.said, key=lambda post_id: (self.said_at_ms[post_id], post_id))

    def delays_s(self) -> list[float]:
        """Return the seconds from each reply's post until it was recorded."""
        with self.stage.database.transaction() as session:
            return [
                (reply.recorded_at - reply.posted_at).total_seconds()
                for reply in session.scalars(_recorded())
                if reply.recorded_at and reply.posted_at
            ]

    def _post(
        self, member: MattermostClient, text: str, file_id: str = "", sha256: str = ""
    ) -> None:
        post = member.create_post(
            channel_id=self.stage.channel_ids[LICENCE],
            root_id=self.root_post_id,
            message=text,
            file_ids=[file_id] if file_id else [],
        )
        self.said[post.id] = [sha256] if sha256 else []
        self.said_at_ms[post.id] = post.create_at_ms


@contextmanager
def running_thread(
    directory: Path, *, database_url: str, catch_up_interval_s: int
) -> Iterator[DeployedThread]:
    """Yield a conversation's thread on a deployment with a worker."""
    with running_stage(
        directory, database_url=database_url, CATCH_UP_INTERVAL_S=str(catch_up_interval_s)
    ) as stage:
        stage.deployment.start_worker()
        thread = DeployedThread(stage)
        thread.begin()
        yield thread


def _recorded() -> Select[Reply]:
    return (
        select(Reply).where(Reply.state == ReplyState.RECORDED).order_by(Reply.posted_at, Reply.id)
    )


def _wait_for_web(web: Process) -> None:
    def is_up() -> bool:
        try:
            url = f"http://127.0.0.1:{web.port}/mattermost/health"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(is_up, timeout_s=60, what="the web process")
