"""What an operator sees of it in Flower and the logs, and what nobody may see there."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.acceptance.conftest import Site
from tests.deployment import FLOWER_LOGIN, Running
from tests.waiting import wait_until

# Words that stand for personal data; none may appear outside Mattermost and the database.
SECRETS = ("Gerardus", "geheimtekst", "geheimbestand", "geheim.example")

# Each message that fails below, and what its red entry says.
FAILURES = {
    "reply:m3": "sender_role",
    "notification:": "color",
    "reply:m4": "licence_unknown",
    "reply:m5": "server_error",
}


def _get(url: str, login: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url)
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


def _flower_tasks(flower: Running) -> dict[str, Any]:
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
def test_flower_and_logs_show_failures_and_no_personal_data(site: Site) -> None:
    """Tasks appear by name, failed ones red with a reason; names and texts appear nowhere."""
    flower = site.deployment.start("flower")
    wait_until(
        lambda: _get(f"http://127.0.0.1:{flower.port}/healthcheck")[0] == 200,
        timeout_s=60,
        what="Flower",
    )
    site.deployment.start_worker()
    host = site.deployment.start_host()

    host.delay(
        "create_root_post", "L1", "c1", visitor_name="Gerardus", page_url="https://geheim.example"
    )
    host.delay("post_reply", "L1", "c1", **_message())
    host.send_by_name(
        "mattermost.post_reply", licence_id="L1", conversation_id="c1", **_message(message_id="m2")
    )
    host.delay("post_reply", "L1", "c1", **_message(message_id="m3", sender_role="Gerardus"))
    host.delay(
        "send_notification", "L1", notification_type="b", text="geheimtekst", color="Gerardus"
    )
    host.delay("post_reply", "nobody", "c1", **_message(message_id="m4"))
    wait_until(lambda: len(site.accepted()) >= 3, what="the posts")
    site.stand_in.set_fault("html_502", times=1)
    host.delay("post_reply", "L1", "c1", **_message(message_id="m5"))
    failed = wait_until(
        lambda: found if len(found := _failures(flower)) >= len(FAILURES) else None,
        timeout_s=30,
        what="the failures in Flower",
    )

    seen = json.dumps(_flower_tasks(flower)) + site.deployment.logs()
    assert [word for word in SECRETS if word in seen] == []
    for key, reason in FAILURES.items():
        assert [text for text in failed if key in text and reason in text], (key, failed)
    assert "'message_id': 'm1'" in seen
    assert "'message_id': 'm2'" in seen


def _failures(flower: Running) -> list[str]:
    tasks = _flower_tasks(flower).values()
    return [str(task["exception"]) for task in tasks if task["state"] == "FAILURE"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_flower_needs_a_login(site: Site) -> None:
    """Its pages ask for the login, and without one set it does not start."""
    flower = site.deployment.start("flower")
    url = f"http://127.0.0.1:{flower.port}"
    wait_until(lambda: _get(f"{url}/healthcheck")[0] == 200, timeout_s=60, what="Flower")
    site.deployment.environment["FLOWER_BASIC_AUTH"] = ""
    refused = site.deployment.start("flower")

    refused.process.wait(30)

    assert _get(f"{url}/")[0] == 401
    assert _get(f"{url}/", FLOWER_LOGIN)[0] == 200
    assert refused.process.returncode == 1
    assert "FLOWER_BASIC_AUTH" in refused.log_text()


def test_health_says_which_part_is_down(site: Site) -> None:
    """200 while database and broker answer, 503 naming the one that does not."""
    web = site.deployment.start("web")
    url = f"http://127.0.0.1:{web.port}/mattermost/health"
    wait_until(lambda: _get(url)[0] == 200, timeout_s=60, what="the web process")
    site.deployment.environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    without_broker = site.deployment.start("web")
    other = f"http://127.0.0.1:{without_broker.port}/mattermost/health"

    status, body = wait_until(
        lambda: found if (found := _get(other))[0] else None, timeout_s=60, what="the other web"
    )

    assert json.loads(_get(url)[1]) == {"status": "ok", "database": "ok", "broker": "ok"}
    assert status == 503
    assert json.loads(body) == {"status": "down", "database": "ok", "broker": "down"}
