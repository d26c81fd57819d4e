"""The Flask application of the stand-in: the API, its control routes, and the page."""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from demo.mattermost import control_routes, page
from demo.mattermost.api import (
    actions,
    channels,
    commands,
    files,
    hooks,
    lists,
    posts,
    system,
    threads,
    users,
)
from demo.mattermost.backend import Backend
from demo.mattermost.errors import NO_SUCH_PATH, ApiError
from demo.mattermost.exchange import BACKEND, backend, refusal
from demo.mattermost.gate import API_PREFIX, guard
from demo.mattermost.hook_answers import post_answer
from demo.mattermost.wire import WsgiApp

_PARTS = (system, users, channels, threads, posts, lists, files, hooks, actions, commands)
_WEB_CLIENT = "<html></html>\n"


def create_app(server: Backend) -> WsgiApp:
    """Return the WSGI application of one server."""
    server.webhooks.on_answer = partial(post_answer, server)
    app = _application()

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ[BACKEND] = server
        return app(environ, start)

    return answer


# The routes take most of a server's start time, so all servers of a process share them: the tests
# start hundreds of servers.
@cache
def _application() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(_api())
    app.register_blueprint(commands.responses)
    app.register_blueprint(control_routes.blueprint)
    app.register_blueprint(page.blueprint)
    app.register_error_handler(ApiError, _refused)
    app.register_error_handler(HTTPException, _not_routed)
    return app


def _api() -> Blueprint:
    api = Blueprint("api", __name__, url_prefix=API_PREFIX)
    guard(api)
    for part in _PARTS:
        api.register_blueprint(part.blueprint)
    return api


def _refused(error: ApiError) -> Response:
    return refusal(backend().options.version.refused(error))


def _not_routed(error: HTTPException) -> Response:
    """Answer as Mattermost does to an unknown address.

    Below the API's prefix the answer is 404, also for a known address with another method (6.7
    calls its JSON plain text). Anywhere else it is the web client, with status 200.
    """
    version = backend().options.version
    if error.code not in (404, 405, 308):
        return Response(f"{error.code} {error.name}\n", error.code, content_type="text/plain")
    if request.path.startswith(API_PREFIX):
        g.is_unversioned = True
        return refusal(ApiError(NO_SUCH_PATH), content_type=version.unknown_path_type)
    return Response(_WEB_CLIENT, content_type=version.page_type)
