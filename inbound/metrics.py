"""The address that Prometheus scrapes.

The web process keeps no figures: with several workers and web processes, each would know only a
part. Redis has the counters, and each answer looks up everything else.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Metric, make_wsgi_app
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from inbound.metric_families import BrokerFigures, DatabaseFigures, families
from inbound.own_families import OwnFigures, RedisFigures
from inbound.wake_ups import WakeUps
from ireserve_mattermost.unreadable import read_set_aside
from ireserve_mattermost.wake_ups import QUEUE
from models import Database, Licence
from tasks.licences.circuit import Circuits
from tasks.licences.waiting_limit import read_limit
from tasks.replies.missing_files import count_missing
from tasks.replies.unowned_files import count_unowned
from tasks.replies.unrecorded import count_unrecorded
from tasks.watch.backlog import read_backlogs
from tasks.watch.broker import durability_trouble, memory_of, write_trouble
from tasks.watch.last_sweeps import last_sweep_at
from tasks.watch.processes import count_processes
from tasks.watch.redis_clock import clock_apart_s, now_ms
from tasks.watch.refusals import Address, read_refused
from tasks.watch.removals import read_removals
from tasks.watch.store_looks import store_state
from tasks.watch.tallies import NO_LICENCE, Tallies

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """What the metrics show of the settings.

    ``reply_queue`` is the queue of i-Reserve's tasks; None: no task is set. ``without_effect`` is
    the number of settings that do nothing.
    """

    reply_queue: str | None = None
    without_effect: int = 0


class MetricsPage:
    """The metrics page; it needs the bearer token, and is switched off if no token is set."""

    def __init__(
        self,
        *,
        database: Callable[[], Database],
        redis: Callable[[], Redis],
        token: Callable[[], str | None],
        wake_ups: WakeUps,
        settings: Callable[[], OwnSettings] = OwnSettings,
    ) -> None:
        self._token = token
        self._wake_ups = wake_ups
        registry = CollectorRegistry()
        registry.register(Figures(database, redis, settings))
        self._answer = make_wsgi_app(registry)

    def show(self) -> ResponseReturnValue:
        """Return the metrics as text or OpenMetrics, 401 for a wrong token, 404 if they are off."""
        token = self._token()
        if token is None:
            return _refused(HTTPStatus.NOT_FOUND, "metrics are off: set METRICS_TOKEN")
        if not _is_shown(token):
            self._wake_ups.note_refusal(Address.METRICS, HTTPStatus.UNAUTHORIZED)
            return _refused(HTTPStatus.UNAUTHORIZED, "the bearer token is missing or wrong")
        return self._answer


class Figures(Collector):
    """Collects the figures of Redis and the database; if one is down, the other's are shown."""

    def __init__(
        self,
        database: Callable[[], Database],
        redis: Callable[[], Redis],
        settings: Callable[[], OwnSettings] = OwnSettings,
    ) -> None:
        self._database = database
        self._redis = redis
        self._settings = settings

    def describe(self) -> Iterator[Metric]:
        """Yield all possible metrics, without asking Redis or the database."""
        return families(BrokerFigures(), DatabaseFigures())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of this moment."""
        database = self._ask_database()
        return families(self._ask_broker(database), database)

    def _ask_database(self) -> DatabaseFigures | None:
        try:
            with self._database().snapshot() as session:
                return DatabaseFigures(
                    licences=session.scalars(select(Licence.id).order_by(Licence.id)).all(),
                    unrecorded=count_unrecorded(session),
                    missing_files=count_missing(session),
                    unowned_files=count_unowned(session),
                    can_write=not self._database().is_read_only(),
                )
        except SQLAlchemyError as error:
            log.error("metrics_incomplete", part="database", error=type(error).__name__)
            return None

    def _ask_broker(self, database: DatabaseFigures | None) -> BrokerFigures | None:
        try:
            return _broker_figures(self._redis(), database, self._settings())
        except RedisError as error:
            log.error("metrics_incomplete", part="broker", error=type(error).__name__)
            return None


def _broker_figures(
    redis: Redis, database: DatabaseFigures | None, settings: OwnSettings
) -> BrokerFigures:
    tallies = Tallies(redis).read()
    counted = sorted(tallies.keys() - {NO_LICENCE})
    licences: Sequence[str] = counted if database is None else database.licences
    return BrokerFigures(
        tallies=tallies,
        backlogs=read_backlogs(redis),
        circuits=Circuits(redis).states(licences),
        own=_own_figures(redis, settings),
        now=datetime.fromtimestamp(now_ms(redis) / 1_000, UTC),
    )


def _own_figures(redis: Redis, settings: OwnSettings) -> OwnFigures:
    queue = settings.reply_queue
    return OwnFigures(
        redis=_redis_figures(redis),
        store=store_state(redis),
        swept_at=last_sweep_at(redis),
        removals=read_removals(redis),
        refused=read_refused(redis),
        queued=int(redis.llen(QUEUE)),
        set_aside=read_set_aside(redis).count,
        processes=count_processes(redis),
        waiting_limit=read_limit(redis),
        untaken=0 if queue is None else int(redis.llen(queue)),
        settings_without_effect=settings.without_effect,
        clock_apart_s=clock_apart_s(redis),
    )


def _redis_figures(redis: Redis) -> RedisFigures:
    memory = memory_of(redis)
    return RedisFigures(
        takes_messages=write_trouble(redis) is None,
        keeps_messages=durability_trouble(redis) is None,
        used_bytes=memory.used_bytes,
        limit_bytes=memory.limit_bytes,
    )


def _is_shown(token: str) -> bool:
    given = request.authorization
    if given is None or given.type != "bearer" or given.token is None:
        return False
    # The comparison takes the same time for every wrong token, so its time reveals nothing.
    return hmac.compare_digest(given.token.encode(), token.encode())


def _refused(status: HTTPStatus, error: str) -> Response:
    log.warning("metrics_refused", status=int(status))
    answer = jsonify(error=error)
    answer.status_code = status
    if status is HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
