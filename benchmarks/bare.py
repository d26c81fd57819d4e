"""A yardstick: the smallest Flask route that looks a token up and writes a row."""

from __future__ import annotations

import sys
from typing import Any, cast

from flask import Flask, request
from sqlalchemy import Table, insert, select

from inbound.server import serve
from inbound.web_logs import RequestLog
from models import Database, Reply, ReplySource, ReplyState, WebhookToken, hash_token, utc_now
from models.session import WEB_THREADS
from settings import get_settings
from tasks.watch.logs import configure_logs

_TOKENS = cast(Table, WebhookToken.__table__)
_REPLIES = cast(Table, Reply.__table__)


def create_app() -> Flask:
    """Return an application with one route: one SELECT, one INSERT, no checks."""
    app = Flask(__name__)
    database = Database(get_settings().database_url, pool_size=WEB_THREADS)

    @app.post("/mattermost/replies")
    def take() -> dict[str, Any]:
        fields = request.get_json()
        known = select(_TOKENS.c.licence_id).where(
            _TOKENS.c.token_hash == hash_token(fields["token"])
        )
        with database.engine.begin() as connection:
            row = {
                "licence_id": connection.execute(known).scalar_one(),
                "post_id": fields["post_id"],
                "state": ReplyState.RECEIVED,
                "source": ReplySource.WEBHOOK,
                "received_at": utc_now(),
            }
            connection.execute(insert(_REPLIES), row)
        return {}

    return app


if __name__ == "__main__":
    configure_logs(level="INFO", log_format="console")
    port = int(sys.argv[sys.argv.index("--port") + 1])
    serve(RequestLog(create_app()), host="127.0.0.1", port=port, threads=WEB_THREADS)
