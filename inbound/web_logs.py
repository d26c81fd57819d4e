"""Logs one line for each request."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

# The blueprint's addresses are shorter, so only an unknown address is cut.
MAX_PATH_LENGTH = 200


class RequestLog:
    """A WSGI application that logs the requests of another one."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Log the request when its answer begins, without query, headers and client address."""
        began = time.perf_counter()

        def logged_start(status: str, *more: Any) -> Any:
            log.info(
                "request",
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"][:MAX_PATH_LENGTH],
                status=int(status.split()[0]),
                milliseconds=round((time.perf_counter() - began) * 1_000, 1),
            )
            return start(status, *more)

        return self._application(environ, logged_start)
