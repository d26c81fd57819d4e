"""The Flask application of the demo's i-Reserve: its page, and the page's protection."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, render_template, request

from demo.ireserve.configuration import Configuration
from demo.ireserve.mirror import Mirror
from demo.ireserve.page import blueprint, current_configuration
from demo.ireserve.words import PAGE_WORDS
from ireserve_mattermost.connections import worker_redis
from models import Database
from settings import Settings, get_settings

# Enough for some pictures from a phone; the demo stores files in a temporary folder.
MAX_REQUEST_BYTES = 50 * 1024 * 1024


def create_app(mirror: Mirror | None = None) -> Flask:
    """Return the application that the environment describes; None: also the mirror."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    app.extensions["configuration"] = Configuration.from_environment()
    app.extensions["mirror"] = mirror or _mirror_of(get_settings())
    app.register_blueprint(blueprint)
    app.before_request(_require_own_page)
    app.after_request(_protect)
    app.register_error_handler(404, _not_found)
    return app


def _mirror_of(settings: Settings) -> Mirror:
    return Mirror(Database(settings.database_url), worker_redis(settings.redis_url))


def _require_own_page() -> None:
    """Refuse a POST from a page of another site: the demo has no sign-in."""
    origin = urlsplit(request.headers.get("Origin", ""))
    if request.method == "POST" and origin.netloc != request.host:
        abort(403)


def _protect(response: Response) -> Response:
    """Let the page load only its own files, and frame only the stand-in's page."""
    framed = current_configuration().stand_in_url or "'none'"
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-src {framed}",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _not_found(_error: Exception) -> tuple[str, int]:
    language = current_configuration().language
    words = PAGE_WORDS[language]
    return render_template("not_found.html", language=language, words=words), 404
