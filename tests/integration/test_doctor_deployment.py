"""With real processes, a new licence passes all checks of the doctor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.mattermost import StandIn
from tests.stage.deployment import Deployment
from tests.waiting import wait_until

PLACE = "support/webchat"


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """PostgreSQL, as in production."""
    return postgres_url


@pytest.fixture
def deployment(redis_url: str, database_url: str, tmp_path: Path) -> Iterator[Deployment]:
    """An installation without running processes."""
    made = Deployment.create(tmp_path, redis_url=redis_url, database_url=database_url)
    yield made
    made.stop()


def test_new_licence_is_green_from_end_to_end(
    deployment: Deployment, stand_in: StandIn, tmp_path: Path
) -> None:
    """One command makes licence and webhook, and the doctor's round trip then succeeds."""
    made = stand_in.setup(
        {
            "teams": [{"name": "support"}],
            "channels": [{"team": "support", "name": "webchat"}],
            "bots": [{"username": "ireserve", "channels": [PLACE]}],
        }
    )
    (tmp_path / "bot").write_text(made["bots"]["ireserve"]["token"])
    (tmp_path / "admin").write_text(made["admin"]["token"])
    web = deployment.start("web")
    callback_url = f"http://127.0.0.1:{web.port}/mattermost/replies"
    admin = ("--admin-token-file", str(tmp_path / "admin"), "--callback-url", callback_url)
    wait_until(lambda: _answers(callback_url), what="the web process", timeout_s=60)
    deployment.start_worker()
    deployment.start("beat")

    added = deployment.command(
        "licence", "add", "L1", "--url", stand_in.url, "--team", "support", "--channel", "webchat",
        "--token-file", str(tmp_path / "bot"), *admin,
    )  # fmt: skip
    # Repeat the doctor until the first sweep has run.
    findings = wait_until(
        lambda: _green(deployment, "doctor", "L1", "--round-trip", *admin),
        what="a green doctor",
        timeout_s=60,
    )

    assert added.returncode == 0, added.stderr
    assert findings["round trip"] == "ok"
    assert findings["webhook"] == "ok"
    assert findings["callback URL"] == "ok"
    assert (findings["workers"], findings["beat"]) == ("ok", "ok")
    assert findings["database connections"] == "ok"
    assert [post for post in stand_in.received(method="POST", path="/posts") if post.root_id] == []


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 405
    except requests.ConnectionError:
        return False


def _green(deployment: Deployment, *words: str) -> dict[str, Any] | None:
    done = deployment.command(*words, "--json")
    states = {each["name"]: each["state"] for each in json.loads(done.stdout)["checks"]}
    return states if done.returncode == 0 else None
