"""A worker stops in time, whatever its servers do, and loses or doubles nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models import Delivery, DeliveryState
from tests.stage.deployed import DeployedStage, running_stage
from tests.waiting import wait_until

# The promise. A service manager kills a process after 30 s.
STOP_WITHIN_S = 25.0
FILE_BYTES = 20 * 1024 * 1024
VISITOR = {"sender_name": "Jan", "sender_role": "visitor"}


@pytest.fixture
def stage(tmp_path: Path, sqlite_template: Path) -> Iterator[DeployedStage]:
    """One licence on SQLite, with the default time limits."""
    (tmp_path / "test.db").write_bytes(sqlite_template.read_bytes())
    with running_stage(
        tmp_path,
        database_url=f"sqlite:///{tmp_path / 'test.db'}",
        CONNECT_TIMEOUT_S="3",
        READ_TIMEOUT_S="20",
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param("posts", {DeliveryState.UNSETTLED}, id="post"),
        pytest.param("files", {DeliveryState.SENDING}, id="upload"),
    ],
)
def test_worker_that_is_asked_to_stop_ends_while_its_server_hangs(
    stage: DeployedStage,
    scope: str,
    expected: set[DeliveryState],
    record_property: Callable[[str, object], None],
) -> None:
    """A worker that gets SIGTERM breaks off its request, and the message stays undecided.

    The server reads no byte of a file, or answers no post, for longer than any limit.
    """
    (Path(stage.deployment.directory) / "attachments" / "big.bin").write_bytes(b"\1" * FILE_BYTES)
    worker, host = stage.deployment.start_worker(), stage.deployment.start_host()
    host.delay("create_root_post", "L1", "c1", visitor_name="Jan")
    wait_until(lambda: len(stage.accepted()) == 1, timeout_s=30, what="the root post")
    stage.stand_in.set_fault("slow", scope=scope, seconds=90)
    host.delay(
        "post_reply",
        "L1",
        "c1",
        message_id="m1",
        text="hello",
        attachments=[{"name": "big.bin", "path": "big.bin"}] if scope == "files" else [],
        **VISITOR,
    )
    path = "/files" if scope == "files" else "/posts"
    wait_until(lambda: _hanging(stage, path), timeout_s=30, what="a request that hangs")

    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.process.wait(STOP_WITHIN_S + 20)
    took_s = time.monotonic() - began

    record_property("stopped_s", round(took_s, 1))
    assert took_s < STOP_WITHIN_S
    assert _states(stage) == expected


def _hanging(stage: DeployedStage, path: str) -> bool:
    return any(not entry.outcome for entry in stage.stand_in.received(method="POST", path=path))


def _states(stage: DeployedStage) -> set[DeliveryState]:
    with stage.database.transaction() as session:
        rows = session.scalars(select(Delivery).where(Delivery.key == "reply:m1"))
        return {row.state for row in rows}
