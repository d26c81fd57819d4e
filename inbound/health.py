"""The address for uptime checks: whether database, broker and attachment store work."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import structlog
from flask import Response, jsonify
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from models import Database
from models.limits import within
from tasks.watch.broker import durability_trouble, write_trouble
from tasks.watch.store_looks import PartState, store_state

log = structlog.get_logger(__name__)

# Redis has 2 s, so the answer comes within 5 s even if neither part responds.
DATABASE_WITHIN_S = 2.5


class HealthPage:
    """The health page, which needs only the database and the Redis client of the web process."""

    def __init__(self, *, database: Callable[[], Database], redis: Callable[[], Redis]) -> None:
        self._database = database
        self._redis = redis

    def show(self) -> tuple[Response, int]:
        """Return the state of each part, with status 200, or 503 if a part is down.

        The store is "unknown" until a worker has tried it; an unknown store causes no 503.
        """
        parts = {
            "database": _state("database", self._ask_database),
            "broker": _state("broker", self._ask_broker),
            "store": self._state_of_store(),
        }
        is_well = PartState.DOWN not in parts.values()
        body = {name: state.value for name, state in parts.items()}
        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
        return jsonify(status="ok" if is_well else "down", **body), status

    def _state_of_store(self) -> PartState:
        """Return what a worker has noted, because asking the store could block this process."""
        try:
            state = store_state(self._redis())
        except RedisError:
            return PartState.UNKNOWN
        if state is PartState.DOWN:
            log.error("health_check_failed", part="store", error="StoreAway")
        return state

    def _ask_database(self) -> None:
        with within(DATABASE_WITHIN_S):
            if self._database().is_read_only():
                raise SQLAlchemyError("the database is read-only")

    def _ask_broker(self) -> None:
        trouble = write_trouble(self._redis()) or durability_trouble(self._redis())
        if trouble is not None:
            raise RedisError(trouble.what)


def _state(part: str, ask: Callable[[], object]) -> PartState:
    try:
        ask()
    except (SQLAlchemyError, RedisError) as error:
        log.error("health_check_failed", part=part, error=type(error).__name__)
        return PartState.DOWN
    return PartState.OK
