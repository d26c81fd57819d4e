"""gunicorn's own lines, in the same form as all others; its ``--logger-class`` in the Procfile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from gunicorn.glogging import Logger

from settings import get_settings
from tasks.watch.logs import configure_logs

log = structlog.get_logger(__name__)

# Of an address that is none of ours; ours are shorter.
MAX_PATH_LENGTH = 200


class WebLogs(Logger):  # type: ignore[misc]
    """Sends gunicorn's lines through our formatter, and one line for each request."""

    def setup(self, cfg: Any) -> None:
        """Set up the logs of the process; those who start the workers call this too."""
        settings = get_settings()
        configure_logs(level=settings.log_level, log_format=settings.log_format)
        self.error_log.propagate = self.access_log.propagate = True

    def access(self, resp: Any, req: Any, environ: Any, request_time: timedelta) -> None:
        """Log the request: no query, no headers, and not who asked."""
        if not self.cfg.accesslog:
            return
        status = resp.status if isinstance(resp.status, str) else resp.status.decode()
        log.info(
            "request",
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"][:MAX_PATH_LENGTH],
            status=int(status.split()[0]),
            milliseconds=round(request_time.total_seconds() * 1_000, 1),
        )
