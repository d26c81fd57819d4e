"""Calls of Mattermost's outgoing webhooks, licences that accept them, and an endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from celery import Celery
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from inbound.wake_ups import WakeUps
from inbound.web import make_blueprint, register
from ireserve_mattermost.connections import worker_redis
from models import Database, Licence, Reply, ReplySource, ReplyState
from tasks.replies.webhook_tokens import add_token
from tests.stage.deployment import Deployment, Process
from tests.waiting import wait_until

RECORDING = json.loads(
    (Path(__file__).parent / "samples" / "recorded-6.7.2.json").read_text(encoding="utf-8")
)
CALLS: dict[str, dict[str, Any]] = {
    **{name: calls[0] for name, calls in RECORDING["outgoing_webhook"].items() if calls},
    "form": next(case for case in RECORDING["cases"] if case["case"] == "hook.form")["hook"],
}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

TOKEN = "y9tj9izicpbnpmh4ksgsxxx46a"
FORM_TOKEN = "nkzj8ya7ufnd5x9thxxwnxff8e"
OTHER_TOKEN = "s6jrhosbm7gq986fxj6mat683r"
BOT_USER_ID = "zuuzot59gtbhmy4rwp71r9htih"
POST_ID = "576dfb4agb8nmnnyiswncptbxw"
TIMEOUT_S = 20


def payload(**changes: Any) -> dict[str, Any]:
    """Return the fields of a call for a member's reply, with changes; None omits a field."""
    fields = {**json.loads(CALLS["of_agent_reply"]["body"]), **changes}
    return {name: value for name, value in fields.items() if value is not None}


def as_json(fields: dict[str, Any]) -> bytes:
    """Return the body of a call in JSON."""
    return json.dumps(fields).encode()


def as_form(fields: dict[str, Any]) -> bytes:
    """Return the body of a call as a form, with the timestamp in seconds."""
    seconds = {"timestamp": fields["timestamp"] // 1_000} if "timestamp" in fields else {}
    return urlencode(sorted({**fields, **seconds}.items())).encode()


def send(url: str, body: bytes, *, content_type: str | None = JSON) -> requests.Response:
    """Call the endpoint once, as a webhook does."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return requests.post(url, data=body, headers=headers, timeout=TIMEOUT_S)


def add_licence(
    database: Database,
    licence_id: str = "L1",
    *,
    tokens: tuple[str, ...] = (TOKEN,),
    bot_user_id: str = BOT_USER_ID,
    enabled: bool = True,
) -> None:
    """Store a licence with the tokens of its webhooks."""
    with database.transaction() as session:
        session.add(
            Licence(
                id=licence_id,
                enabled=enabled,
                server_url="http://127.0.0.1:1",
                team_id="t" * 26,
                team_name="support",
                default_channel_id="c" * 26,
                default_channel_name="webchat",
                bot_user_id=bot_user_id,
                bot_username="ireserve",
                bot_token_encrypted="",
                max_post_size=16_383,
                max_file_size_bytes=1,
            )
        )
        session.flush()
        for token in tokens:
            add_token(session, licence_id, token=token)


def replies(database: Database) -> list[Reply]:
    """Return the inbox in the order of arrival."""
    with database.transaction() as session:
        return list(session.scalars(select(Reply).order_by(Reply.id)))


def inbox(database: Database) -> list[tuple[str, str, ReplyState, ReplySource]]:
    """Return licence, post, state and source of each row in the inbox."""
    return [(row.licence_id, row.post_id, row.state, row.source) for row in replies(database)]


def host_app(database: Database, redis_url: str) -> Flask:
    """Return the Flask application of a host, with our blueprint and without our settings."""
    made = Flask("host")
    redis = worker_redis(redis_url)
    blueprint = make_blueprint(
        database=lambda: database,
        redis=lambda: redis,
        wake_ups=WakeUps(Celery(broker=redis_url), redis=lambda: redis),
    )
    register(made, blueprint)
    return made


@contextmanager
def running_app(app: Flask) -> Iterator[str]:
    """Serve the application on a free port; yield the address of its webhook endpoint."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/mattermost/replies"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def start_web(deployment: Deployment) -> tuple[Process, str]:
    """Start the web process; return it and its endpoint when it answers."""
    web = deployment.start("web")
    base = f"http://127.0.0.1:{web.port}/mattermost"

    def answers() -> bool:
        assert web.process.poll() is None, web.log_text()
        try:
            return requests.get(f"{base}/replies", timeout=5).status_code == 405
        except requests.ConnectionError:
            return False

    wait_until(answers, timeout_s=30, what="the web process")
    return web, f"{base}/replies"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A served endpoint and its database."""

    url: str
    database: Database

    def send(self, body: bytes, content_type: str | None = JSON) -> tuple[int, Any]:
        """Call the endpoint; return status and answer."""
        return answer_of(send(self.url, body, content_type=content_type))


def answer_of(response: requests.Response) -> tuple[int, Any]:
    """Return status and JSON of an answer."""
    assert response.headers["Content-Type"] == JSON
    return response.status_code, response.json()
