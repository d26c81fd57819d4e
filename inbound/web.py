"""The Flask application and the blueprint that it, or another application, registers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from flask import Blueprint, Flask

from inbound.health import health
from inbound.wake_ups import WakeUps
from inbound.webhook import METHODS, ReplyWebhook
from models import Database
from settings import get_settings
from tasks.app import app as celery_app
from tasks.logs import configure_logs

# So many requests at once find a database connection without waiting for another's; twice the
# threads that the Procfile gives a web process.
WEB_THREADS = 8


def make_blueprint(*, database: Callable[[], Database], wake_ups: WakeUps) -> Blueprint:
    """Return the addresses under /mattermost, with this database and this way to wake workers."""
    made = Blueprint("mattermost", __name__, url_prefix="/mattermost")
    made.get("/health")(health)
    made.add_url_rule(
        "/replies",
        "replies",
        ReplyWebhook(database=database, wake_ups=wake_ups).take,
        methods=METHODS,
        provide_automatic_options=False,
    )
    return made


@cache
def _database() -> Database:
    """Return the database without a worker's other parts: a webhook needs no keys and no Redis."""
    return Database(get_settings().database_url, pool_size=WEB_THREADS)


blueprint = make_blueprint(database=_database, wake_ups=WakeUps(celery_app))


def create_app() -> Flask:
    """Return the application that the Procfile's ``web`` serves."""
    settings = get_settings()
    configure_logs(level=settings.log_level, log_format=settings.log_format)
    app = Flask(__name__)
    app.register_blueprint(blueprint)
    return app
