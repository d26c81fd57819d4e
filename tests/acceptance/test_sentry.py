"""Sentry's real SDK reports the errors of a deployment without personal data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import requests
from redis import Redis
from sqlalchemy import text

from models import Database
from tasks.watch.last_sweeps import SWEPT
from tests.acceptance.conftest import DeployedStage
from tests.sentry_endpoint import Endpoint, running_endpoint
from tests.waiting import wait_until

# Words that stand for personal data and secrets, which no report may contain.
TOKEN = "t" * 32
SECRETS = ("Gerardus", "geheimtekst", "geheimbestand", "geheim@example.com", "geheim.example")
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def endpoint(stage: DeployedStage) -> Iterator[Endpoint]:
    """An endpoint that gets the reports of the deployment's processes."""
    with running_endpoint() as endpoint:
        stage.deployment.environment["SENTRY_DSN"] = endpoint.dsn
        yield endpoint
        stage.deployment.stop()


def _break_the_database(stage: DeployedStage) -> None:
    """Drop a table, so that tasks meet an unexpected error."""
    url = stage.deployment.environment["DATABASE_URL"]
    database = Database(url)
    with database.transaction() as session:
        session.execute(text("DROP TABLE replies"))
    database.dispose()


@ONE_DATABASE
def test_worker_reports_failures_with_task_and_reason_and_nobodys_data(
    stage: DeployedStage, endpoint: Endpoint
) -> None:
    """A worker reports failed messages and unexpected errors with task and reason, without data."""
    stage.deployment.start_worker()
    host = stage.deployment.start_host()
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)

    def is_reported(*words: str) -> None:
        wait_until(partial(endpoint.containing, *words), timeout_s=30, what=str(words))

    host.delay(
        "create_root_post", "L1", "c1", visitor_name="Gerardus", page_url="https://geheim.example"
    )
    # Wait, because a message behind another one of its licence has no task of its own.
    is_reported("mattermost.create_root_post", "rejected_by_plugin", "in L1:c:c1")
    host.delay(
        "post_reply", "L1", "c2", message_id="m1", sender_name="Gerardus", sender_role="Gerardus",
        text="geheimtekst", attachments=[{"name": "geheimbestand", "path": "geheimbestand"}],
    )  # fmt: skip
    host.delay("sync_user", "nobody", user_id="u1", email="geheim@example.com", name="Gerardus")
    _break_the_database(stage)
    host.send_by_name("mattermost.resolve_reply", reply_ids=["geheimtekst"])

    is_reported("mattermost.post_reply", "invalid_arguments", "sender_role")
    is_reported("mattermost.sync_user", "licence_unknown")
    is_reported("mattermost.resolve_reply", "OperationalError", "(withheld)")
    seen = endpoint.all_bytes().decode()
    assert [word for word in SECRETS if word in seen] == []
    assert stage.deployment.environment["ENCRYPTION_KEYS"] not in seen
    assert '"vars"' not in seen


@ONE_DATABASE
def test_web_reports_an_unexpected_error_without_the_request(
    stage: DeployedStage, endpoint: Endpoint
) -> None:
    """The web process reports an unexpected error by its endpoint, without the request or text."""
    # A text where a number should be breaks the metrics in a way that no code expects.
    with Redis.from_url(stage.redis.url) as redis:
        redis.set(SWEPT, "geheimtekst")
    stage.deployment.environment["METRICS_TOKEN"] = TOKEN
    web = stage.deployment.start("web")
    url = f"http://127.0.0.1:{web.port}/mattermost/metrics?visitor=Gerardus"

    status = wait_until(lambda: _status(url), timeout_s=60, what="the web process")
    wait_until(
        lambda: endpoint.containing("mattermost.metrics", "ValueError", "(withheld)"),
        what="a report",
    )

    seen = endpoint.all_bytes().decode()
    assert status == 500
    assert [word for word in SECRETS if word in seen] == []


def _status(url: str) -> int:
    try:
        headers = {"X-Name": "Gerardus", "Authorization": f"Bearer {TOKEN}"}
        return requests.get(url, headers=headers, timeout=10).status_code
    except requests.ConnectionError:
        return 0
