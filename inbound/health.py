"""The address that uptime checks ask: are the database and the broker there?"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import structlog
from flask import Response, jsonify
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tasks.runtime import Runtime, current_runtime

log = structlog.get_logger(__name__)


def health() -> tuple[Response, int]:
    """Return 200 and "ok" for each part that answers, 503 when one does not."""
    runtime = current_runtime()
    parts = {
        "database": _answers("database", lambda: _ask_database(runtime)),
        "broker": _answers("broker", runtime.lanes.now_ms),
    }
    is_well = all(parts.values())
    body = {name: "ok" if answers else "down" for name, answers in parts.items()}
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(status="ok" if is_well else "down", **body), status


def _ask_database(runtime: Runtime) -> None:
    with runtime.database.transaction() as session:
        session.execute(text("SELECT 1"))


def _answers(part: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (SQLAlchemyError, RedisError) as error:
        log.error("health_check_failed", part=part, error=type(error).__name__)
        return False
    return True
