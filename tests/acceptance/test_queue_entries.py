"""Whatever is in the queue, the worker survives, sends good messages, and reports bad entries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis import Redis

from ireserve_mattermost.unreadable import UNREADABLE
from ireserve_mattermost.wake_ups import QUEUE, licence_wake_up, wake_up
from tests.stage.deployed import DeployedStage
from tests.waiting import wait_until

MARKED = "Gerardus"
PIDBOX = "/0.ireserve-mattermost.pidbox"


def changed(**parts: Any) -> str:
    """Return a wake-up's message with some parts changed."""
    return json.dumps({**json.loads(licence_wake_up("L1")[1]), **parts})


# Entries that the worker sets aside before any task runs.
UNREADABLE_ENTRIES: dict[str, str | bytes] = {
    "no JSON": "no json",
    "no text": b"\xff\xfe\0\1",
    "another shape": "[1, 2]",
    "no properties": json.dumps({"body": "", "headers": {}}),
    "pickle": changed(**{"content-type": "application/x-python-serialize", "body": MARKED}),
    "headers a list": changed(headers=[1]),
    "unknown task": wake_up("mattermost.post_replyy", "t1", {"text": MARKED}),
    "huge": b"[" + b"1," * 10_000_000 + b"1]",
}
# Entries that fail as tasks, since only the task can find the mistake.
FAILING = {
    "unknown argument": wake_up("mattermost.drain_licence", "t2", {"licence": "L1"}),
    "wrong type": wake_up("mattermost.drain_licence", "t3", {"licence_id": ["L1"]}),
    "wrong ids": wake_up("mattermost.resolve_reply", "t4", {"reply_ids": ["x", 10**30]}),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_worker_outlives_what_is_no_task(stage: DeployedStage) -> None:
    """The worker sets unreadable entries aside, `doctor` counts them, and messages go on.

    No text of an entry is logged.
    """
    worker, host = stage.deployment.start_worker(), stage.deployment.start_host()
    with Redis.from_url(stage.redis.url) as redis:
        for raw in (*UNREADABLE_ENTRIES.values(), *FAILING.values()):
            redis.lpush(QUEUE, raw)
        for raw in ("no json", "{}", "[1]", json.dumps({"properties": {}})):
            redis.publish(PIDBOX, raw)
        host.delay("create_root_post", "L1", "c1", visitor_name="Jan")
        wait_until(lambda: len(stage.accepted()) == 1, timeout_s=30, what="the root post")
        kept = [bytes(raw) for raw in redis.lrange(UNREADABLE, 0, -1)]
        left = redis.llen(QUEUE)
    shown = json.loads(stage.deployment.command("doctor", "--json").stdout)

    expected = [
        raw.encode() if isinstance(raw, str) else raw for raw in UNREADABLE_ENTRIES.values()
    ]
    assert worker.process.poll() is None, worker.log_text()[-2_000:]
    assert sorted(kept) == sorted(expected)
    assert left == 0
    entries = next(check for check in shown["checks"] if check["name"] == "entries")
    assert (entries["state"], str(len(expected)) in entries["sentence"]) == ("fail", True)
    assert worker.log_text().count("queue_entry_set_aside") == len(expected)
    assert MARKED not in worker.log_text()
