"""A worker's memory stays bounded while many licences' servers send as much as they can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy import select, update

from models import Conversation, Database, Licence, ReplySource
from tasks.replies.inbox import receive
from tests.acceptance.hostile import HUGE_ANSWERS, HostileServer, Root
from tests.stage.deployed import DeployedStage, running_stage
from tests.stage.deployment import HostProcess, Process
from tests.waiting import wait_until

# The promise.
MOST_MIB = 300
# The number of a worker's threads for one licence, so that an answer comes several times at once.
EACH = 4
HEALTHY = "healthy"
# Separate licences, because three such answers in a row open a licence's circuit.
WITH_MESSAGES = {f"message-{number}": each for number, each in enumerate(HUGE_ANSWERS.values())}
WITH_REPLIES = {f"reply-{number}": each for number, each in enumerate(HUGE_ANSWERS.values())}
HOSTILE = {**WITH_MESSAGES, **WITH_REPLIES}


@pytest.mark.full_load
@pytest.mark.measures_time
def test_memory_under_all_huge_answers_at_once_is_bounded(
    tmp_path: Path, sqlite_url: str, record_property: Callable[[str, object], None]
) -> None:
    """A worker needs less than 300 MiB while servers send huge answers of many kinds at once.

    Each kind answers a message and a request for a reply. The worker still serves a licence with a
    healthy server.
    """
    with running_stage(
        tmp_path, database_url=sqlite_url, licences=(*HOSTILE, HEALTHY), READ_TIMEOUT_S="20"
    ) as stage:
        host = stage.deployment.start_host()
        hostile = HostileServer(HOSTILE, _roots(stage, host))
        with hostile.server() as server:
            _move(stage.database, f"http://127.0.0.1:{server.port}")
            worker = stage.deployment.start_worker()
            stage.deployment.start("beat")
            _ask_for_replies(stage)
            _send_messages(host)
            wait_until(
                lambda: all(hostile.asked[licence_id] >= EACH - 1 for licence_id in HOSTILE),
                timeout_s=240,
                what="every answer, as often as it takes to open a circuit",
            )
            host.delay("post_reply", HEALTHY, "c0", message_id="last", **_message("hello"))
            before = len(stage.accepted())
            wait_until(lambda: len(stage.accepted()) > before, timeout_s=60, what="a healthy post")
            peak_mib = _peak_mib(worker)

    record_property(
        "figure",
        f"a worker's memory under {len(HUGE_ANSWERS)} huge answers at once: {peak_mib:.0f} MiB",
    )
    assert peak_mib < MOST_MIB


def _message(text: str) -> dict[str, str]:
    return {"sender_name": "Jan", "sender_role": "visitor", "text": text}


def _roots(stage: DeployedStage, host: HostProcess) -> dict[str, Root]:
    """Start a conversation of each licence while all servers are healthy; return the threads."""
    worker = stage.deployment.start_worker()
    for licence_id in (*HOSTILE, HEALTHY):
        host.delay("create_root_post", licence_id, "c0", visitor_name="Jan")
    wait_until(
        lambda: len(stage.accepted()) == len(HOSTILE) + 1, timeout_s=60, what="the root posts"
    )
    worker.kill()
    with stage.database.snapshot() as session:
        rows = session.scalars(select(Conversation)).all()
        return {row.licence_id: Root(row.channel_id or "", row.root_post_id or "") for row in rows}


def _move(database: Database, url: str) -> None:
    """Change each licence's server to the hostile one."""
    with database.transaction() as session:
        for licence_id in HOSTILE:
            moved = update(Licence).where(Licence.id == licence_id)
            session.execute(moved.values(server_url=f"{url}/{licence_id}"))


def _ask_for_replies(stage: DeployedStage) -> None:
    """Put replies of each licence into the inbox, as their webhooks do, and wake a worker."""
    reply_ids = []
    with stage.database.autocommit() as connection:
        for number, licence_id in enumerate(WITH_REPLIES):
            for which in range(EACH):
                post_id = f"{number:02}{which:024}"
                source = ReplySource.WEBHOOK
                reply_ids.append(
                    receive(connection, licence_id=licence_id, post_id=post_id, source=source)
                )
    publisher = Celery(broker=stage.redis.url)
    for reply_id in reply_ids:
        publisher.send_task(
            "mattermost.resolve_reply", kwargs={"reply_ids": [reply_id]}, queue="mattermost"
        )


def _send_messages(host: HostProcess) -> None:
    for which in range(EACH):
        for licence_id in WITH_MESSAGES:
            host.delay("post_reply", licence_id, f"c{which}", message_id="m1", **_message("hello"))


def _peak_mib(worker: Process) -> float:
    """Return the peak of the process's resident memory in MiB."""
    lines = Path(f"/proc/{worker.process.pid}/status").read_text().splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kibibytes) / 1_024
