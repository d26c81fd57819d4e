"""The Flask application and the blueprint that it, or another application, registers."""

from __future__ import annotations

from flask import Blueprint, Flask

from inbound.health import health
from settings import get_settings
from tasks.logs import configure_logs

blueprint = Blueprint("mattermost", __name__, url_prefix="/mattermost")
blueprint.get("/health")(health)


def create_app() -> Flask:
    """Return the application that the Procfile's ``web`` serves."""
    settings = get_settings()
    configure_logs(level=settings.log_level, log_format=settings.log_format)
    app = Flask(__name__)
    app.register_blueprint(blueprint)
    return app
