"""What an operator sees in Flower, health, metrics and logs, and what must not be there."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.acceptance.conftest import DeployedStage
from tests.stage.deployment import FLOWER_LOGIN, Process
from tests.waiting import wait_until

# Words that stand for personal data; none may appear outside Mattermost and the database.
SECRETS = ("Gerardus", "geheimtekst", "geheimbestand", "geheim.example")

# For each failing message: a word of its entry in Flower, and the reason at its beginning.
FAILURES = {
    "reply:m3": ("sender_role", "invalid_arguments: "),
    "notification:": ("color", "invalid_arguments: "),
    "reply:m4": ("L9", "licence_unknown: "),
    "reply:m5": ("502", "server_error: "),
}


def _get(url: str, login: str | None = None, bearer: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url)
    if bearer:
        request.add_header("Authorization", f"Bearer {bearer}")
    if login:
        token = base64.b64encode(login.encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _flower_tasks(flower: Process) -> dict[str, Any]:
    status, body = _get(f"http://127.0.0.1:{flower.port}/api/tasks", FLOWER_LOGIN)
    return dict(json.loads(body)) if status == 200 else {}


def _message(**more: Any) -> dict[str, Any]:
    return {
        "message_id": "m1",
        "sender_name": "Gerardus",
        "sender_role": "visitor",
        "text": "geheimtekst",
        "attachments": [{"name": "geheimbestand.png", "path": "geheimbestand.png"}],
        **more,
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_flower_and_logs_show_failures_and_no_personal_data(stage: DeployedStage) -> None:
    """Flower shows failed tasks with a reason, and neither Flower nor logs show names or texts."""
    flower = stage.deployment.start("flower")
    wait_until(
        lambda: _get(f"http://127.0.0.1:{flower.port}/healthcheck")[0] == 200,
        timeout_s=60,
        what="Flower",
    )
    stage.deployment.start_worker()
    host = stage.deployment.start_host()

    host.delay(
        "create_root_post", "L1", "c1", visitor_name="Gerardus", page_url="https://geheim.example"
    )
    host.delay("post_reply", "L1", "c1", **_message())
    host.send_by_name("mattermost.post_reply", "L1", "c1", **_message(message_id="m2"))
    host.delay("post_reply", "L1", "c1", **_message(message_id="m3", sender_role="Gerardus"))
    host.delay(
        "send_notification", "L1", notification_type="b", text="geheimtekst", color="Gerardus"
    )
    host.delay("post_reply", "L9", "c1", **_message(message_id="m4"))
    wait_until(lambda: len(stage.accepted()) >= 3, what="the posts")
    stage.stand_in.set_fault("html_502", times=1)
    host.delay("post_reply", "L1", "c1", **_message(message_id="m5"))
    failed = wait_until(
        lambda: found if len(found := _failures(flower)) >= len(FAILURES) else None,
        timeout_s=30,
        what="the failures in Flower",
    )

    seen = json.dumps(_flower_tasks(flower)) + stage.deployment.logs()
    assert [word for word in SECRETS if word in seen] == []
    for key, (word, reason) in FAILURES.items():
        begun = [text for text in failed if text.startswith(reason) and key in text]
        assert [text for text in begun if word in text], (key, failed)
    shown = {str(task["kwargs"]) for task in _flower_tasks(flower).values()}
    assert {"L1 / c1, message_id=m2", "L9 / c1, message_id=m4"} < shown
    # The notification has a task of its own, or it was sent by another one and its failure has one.
    assert any(text.startswith("L1, notification_type=b") for text in shown)


def _failures(flower: Process) -> list[str]:
    tasks = _flower_tasks(flower).values()
    return [str(task["exception"]) for task in tasks if task["state"] == "FAILURE"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_flower_lists_our_queue_beside_workers_of_another_application(
    stage: DeployedStage, tmp_path: Path
) -> None:
    """Flower's Broker page shows our queue and its length, beside another application's worker."""
    with _foreign_worker(stage.redis.url, tmp_path):
        flower = stage.deployment.start("flower")
        url = f"http://127.0.0.1:{flower.port}"
        wait_until(lambda: _get(f"{url}/healthcheck")[0] == 200, timeout_s=60, what="Flower")
        stage.deployment.start_host().delay("create_root_post", "L1", "c1", visitor_name="Jan")

        status, body = _get(f"{url}/api/queues/length", FLOWER_LOGIN)
        page = _get(f"{url}/broker", FLOWER_LOGIN)

    assert (status, json.loads(body)["active_queues"]) == (
        200,
        [{"name": "mattermost", "messages": 1}],
    )
    assert page[0] == 200
    assert ">mattermost<" in page[1].replace(" ", "").replace("\n", "")


@contextmanager
def _foreign_worker(redis_url: str, directory: Path) -> Iterator[None]:
    """Run a worker of another application on the same Redis for the block."""
    options = "worker --pool solo --queues foreign --loglevel INFO"
    # A module of its own keeps Celery from reading our celeryconfig.py.
    (directory / "foreign.py").write_text("from celery import Celery\n\napp = Celery()\n")
    command = ["celery", "--app", "foreign", "--broker", redis_url, *options.split()]
    log = directory / "foreign-worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [Path(sys.executable).parent / command[0], *command[1:]],
            cwd=directory,
            env={"PATH": os.environ["PATH"], "HOME": str(directory)},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: " ready." in log.read_text(), timeout_s=60, what="the foreign worker")
        yield
    finally:
        worker.terminate()
        worker.wait(20)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_flower_needs_a_login(stage: DeployedStage) -> None:
    """Flower's pages need the login, and Flower does not start if none is set."""
    flower = stage.deployment.start("flower")
    url = f"http://127.0.0.1:{flower.port}"
    wait_until(lambda: _get(f"{url}/healthcheck")[0] == 200, timeout_s=60, what="Flower")
    stage.deployment.environment["FLOWER_BASIC_AUTH"] = ""
    refused = stage.deployment.start("flower")

    refused.process.wait(30)

    assert _get(f"{url}/")[0] == 401
    assert _get(f"{url}/", FLOWER_LOGIN)[0] == 200
    assert refused.process.returncode == 1
    assert "FLOWER_BASIC_AUTH" in refused.log_text()


def test_health_says_which_part_is_down(stage: DeployedStage) -> None:
    """Health answers 200 while database and broker answer, else 503 with the part that is down."""
    web = stage.deployment.start("web")
    url = f"http://127.0.0.1:{web.port}/mattermost/health"
    wait_until(lambda: _get(url)[0] == 200, timeout_s=60, what="the web process")
    stage.deployment.environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    without_broker = stage.deployment.start("web")
    other = f"http://127.0.0.1:{without_broker.port}/mattermost/health"

    status, body = wait_until(
        lambda: found if (found := _get(other))[0] else None, timeout_s=60, what="the other web"
    )

    ok = {"status": "ok", "database": "ok", "broker": "ok", "store": "unknown"}
    assert json.loads(_get(url)[1]) == ok
    assert status == 503
    assert json.loads(body) == {**ok, "status": "down", "broker": "down"}


@pytest.mark.one_database
def test_metrics_tell_of_all_processes(stage: DeployedStage) -> None:
    """The web process's metrics include the work of two workers and the sweep."""
    stage.deployment.environment["METRICS_TOKEN"] = "token-of-prometheus"
    web = stage.deployment.start("web")
    for process in ("worker", "worker", "beat"):
        stage.deployment.start(process)
    host = stage.deployment.start_host()
    for number in range(20):
        host.delay("create_root_post", "L1", f"c{number}", visitor_name="Gerardus")
    host.delay("post_reply", "L1", "c1", **_message(sender_role="Gerardus"))
    url = f"http://127.0.0.1:{web.port}/mattermost/metrics"

    def read() -> dict[str, float]:
        text = _get(url, bearer="token-of-prometheus")[1]
        families = text_string_to_metric_families(text)
        return {_series(sample): sample.value for family in families for sample in family.samples}

    swept = "ireserve_mattermost_sweep_last_run_timestamp_seconds{}"
    found = wait_until(
        lambda: found if _settled(found := read()) == 21 and found[swept] else None,
        timeout_s=60,
        what="all messages and a sweep",
    )

    assert {name: found[name] for name in _EXPECTED} == _EXPECTED
    assert found["ireserve_mattermost_delay_seconds_bucket{L1,+Inf}"] == 20
    assert abs(found[swept] - time.time()) < 60


_EXPECTED = {
    "ireserve_mattermost_up{broker}": 1,
    "ireserve_mattermost_up{database}": 1,
    "ireserve_mattermost_messages_total{L1,root,sent}": 20,
    "ireserve_mattermost_messages_total{L1,root,failed}": 0,
    "ireserve_mattermost_messages_total{L1,reply,failed}": 1,
    "ireserve_mattermost_delay_seconds_count{L1}": 20,
    "ireserve_mattermost_messages_waiting{L1}": 0,
    "ireserve_mattermost_circuit_state{L1}": 0,
    # Both workers have the same name, as the test starts them.
    "ireserve_mattermost_processes{worker}": 1,
    "ireserve_mattermost_processes{beat}": 1,
}


def _settled(found: dict[str, float]) -> float:
    """Return the number of finished messages."""
    return sum(count for name, count in found.items() if "_messages_total" in name)


def _series(sample: Sample) -> str:
    """Return the sample's name with its labels' values, the licence first."""
    names = ("licence", "part", "kind", "path", "state", "le")
    values = [sample.labels[name] for name in names if name in sample.labels]
    return f"{sample.name}{{{','.join(values)}}}"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_line_of_each_process_is_one_json_object(stage: DeployedStage) -> None:
    """Worker, beat and web log only JSON lines, including those of Celery and the HTTP server."""
    stage.deployment.environment["LOG_FORMAT"] = "json"
    worker = stage.deployment.start_worker()
    beat, web = stage.deployment.start("beat"), stage.deployment.start("web")
    stage.deployment.start_host().delay("create_root_post", "L1", "c1", visitor_name="Gerardus")
    url = f"http://127.0.0.1:{web.port}/mattermost/health?visitor=Gerardus"
    wait_until(lambda: _get(url)[0] == 200, timeout_s=60, what="the web process")
    wait_until(lambda: "message_sent" in worker.log_text(), what="a message")
    wait_until(lambda: "beat_started" in beat.log_text(), what="beat")

    for process in (web, beat, worker):
        process.kill(signal.SIGTERM)

    lines = [line for line in stage.deployment.logs().splitlines() if line.strip()]
    # Celery prints these lines without logging when it is asked to stop.
    logged = [json.loads(line) for line in lines if not line.startswith("worker: ")]
    assert [
        line for line in logged if not {"event", "level", "logger", "timestamp"} <= set(line)
    ] == []
    (request,) = [line for line in logged if line["event"] == "request" and line["status"] == 200]
    assert (request["method"], request["path"]) == ("GET", "/mattermost/health")
    assert "Gerardus" not in stage.deployment.logs()
