"""The Flask application, and the blueprint for this and other applications."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import structlog
from flask import Blueprint, Flask, got_request_exception, request
from redis import Redis
from structlog.contextvars import unbind_contextvars

from inbound.health import HealthPage
from inbound.metrics import MetricsPage, OwnSettings
from inbound.wake_ups import WakeUps
from inbound.webhook import METHODS, ReplyWebhook
from ireserve_mattermost.connections import web_redis
from models import Database
from models.limits import WEB
from models.session import WEB_THREADS
from settings import Settings, get_settings, mistyped_names
from tasks.app import app as celery_app
from tasks.watch.error_reports import report_error, start_error_reports, why_off
from tasks.watch.logs import configure_logs, log_mistyped_names

# The name of the path that a proxy may leave in front of our addresses.
PREFIX = "prefix"

log = structlog.get_logger(__name__)


def make_blueprint(
    *,
    database: Callable[[], Database],
    redis: Callable[[], Redis],
    wake_ups: WakeUps,
    metrics: MetricsPage | None = None,
) -> Blueprint:
    """Return the blueprint of the addresses under /mattermost, on this database and Redis."""
    made = Blueprint("mattermost", __name__, url_prefix="/mattermost")
    made.url_value_preprocessor(lambda _endpoint, values: _forget_prefix(values))
    made.teardown_request(lambda _error: unbind_contextvars("correlation_id"))
    health = HealthPage(database=database, redis=redis)
    made.get("/health", endpoint="health")(health.show)
    if metrics is not None:
        made.get("/metrics", endpoint="metrics")(metrics.show)
    take = ReplyWebhook(database=database, wake_ups=wake_ups).take
    # Also with a slash at the end, where Flask's HTML page for an error would not help an operator.
    for path in ("/replies", "/replies/"):
        made.add_url_rule(path, "replies", take, methods=METHODS, provide_automatic_options=False)
    return made


def _forget_prefix(values: dict[str, Any] | None) -> None:
    if values is not None:
        values.pop(PREFIX, None)


@cache
def _database() -> Database:
    """Return the web process's one pool; the addresses here need none of a worker's other parts."""
    return Database(get_settings().database_url, pool_size=WEB_THREADS, limits=WEB)


@cache
def _redis() -> Redis:
    return web_redis(get_settings().redis_url)


def _metrics_token() -> str | None:
    token = get_settings().metrics_token
    return None if token is None else token.get_secret_value()


def own_settings(settings: Settings, unread: Collection[str]) -> OwnSettings:
    """Return what the metrics show of the settings; ``unread`` are names that no process reads."""
    has_tasks = settings.reply_task or settings.outcome_task
    dsn = settings.sentry_dsn
    is_unusable = dsn is not None and why_off(dsn.get_secret_value()) is not None
    return OwnSettings(settings.reply_queue if has_tasks else None, len(unread) + is_unusable)


@cache
def _own_settings() -> OwnSettings:
    """Return the figures of this process's settings; comparing all names takes milliseconds."""
    return own_settings(get_settings(), mistyped_names())


_wake_ups = WakeUps(celery_app, redis=_redis)
blueprint = make_blueprint(
    database=_database,
    redis=_redis,
    wake_ups=_wake_ups,
    metrics=MetricsPage(
        database=_database,
        redis=_redis,
        token=_metrics_token,
        wake_ups=_wake_ups,
        settings=_own_settings,
    ),
)


def register(app: Flask, made: Blueprint) -> None:
    """Register the addresses, also behind a path that a proxy leaves in front of them."""
    app.register_blueprint(made)
    app.register_blueprint(made, name="prefixed", url_prefix=f"/<path:{PREFIX}>/mattermost")


def create_app() -> Flask:
    """Return the application that the Procfile's ``web`` serves."""
    settings = get_settings()
    configure_logs(level=settings.log_level, log_format=settings.log_format)
    log.info("web_started", redis=settings.redis_label)
    log_mistyped_names()
    app = Flask(__name__)
    register(app, blueprint)
    if start_error_reports(settings, process="web"):
        got_request_exception.connect(_report, app)
    return app


def _report(_: Flask, exception: BaseException) -> None:
    report_error(exception, transaction=request.endpoint or "")
