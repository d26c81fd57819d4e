"""A client that follows the page of the lanes' protocol needs only a connection to Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.pages import blocks
from tests.stage.deployed import running_stage
from tests.waiting import wait_until

PAGE = "docs/lanes.md"


def test_client_of_the_page_is_sent_in_order(sqlite_url: str, tmp_path: Path) -> None:
    """The page's code appends two messages, and a real worker posts them without a wake-up."""
    (client,) = [block.code for block in blocks(PAGE) if block.language == "python"]
    with running_stage(tmp_path, database_url=sqlite_url, licences=("licence-7",)) as stage:
        stage.deployment.start_worker()
        stage.deployment.start("beat")
        environment = {**os.environ, "REDIS_URL": stage.redis.url, "PYTHONPATH": ""}
        # Run it in an empty folder without this project's packages.
        subprocess.run([sys.executable, "-c", client], env=environment, cwd=tmp_path, check=True)

        wait_until(
            lambda: len(stage.accepted()) >= 3, what="the root and two messages", timeout_s=30
        )
        posts = stage.accepted()

    marks = [(post.props or {})["ireserve"].get("message_id") for post in posts]
    assert marks[1:] == ["m-lane-1", "m-lane-2"]
    assert "ireserve_mattermost" not in client
