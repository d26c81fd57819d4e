"""Logs: one line for each event, with its data as fields, as JSON or for a terminal."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any, Literal

import structlog
from celery.exceptions import CPendingDeprecationWarning

from settings import mistyped_names
from tasks.failures import LoggedError
from tasks.watch.own_servers import trouble_of

log = structlog.get_logger(__name__)

# At DEBUG these loggers write arguments, and addresses with file names.
TALKATIVE = ("celery.pool", "urllib3", "kombu", "amqp")

# At INFO these loggers write every statement, or two more lines for each task.
REPETITIVE = ("sqlalchemy", "celery.app.trace", "celery.beat", "celery.worker.strategy")


_TIME = structlog.processors.TimeStamper(fmt="iso", utc=True)


def configure_logs(*, level: str, log_format: Literal["console", "json"]) -> None:
    """Send all logs of the process to standard error, through one formatter."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _TIME,
        structlog.processors.format_exc_info,
    ]
    renderer = _renderer(log_format)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers = [handler]
    # Otherwise each warning is two lines in another format.
    logging.captureWarnings(True)
    logging.root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLevelName(level)))
    for name in REPETITIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("celery.app.trace").addFilter(_replace_known_error)
    handler.addFilter(_drop_traceback)
    # Each time Redis comes back, Celery warns of an option that has no effect on our tasks.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)


def log_line(
    event: str, *, log_format: Literal["console", "json"], logger: str, **fields: Any
) -> str:
    """Return an event as a line of a process's log, for programs that configure no log."""
    entry = {"event": event, "level": "info", "logger": logger, **fields}
    return str(_renderer(log_format)(None, "info", _TIME(None, "info", entry)))


def _renderer(log_format: Literal["console", "json"]) -> structlog.types.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )


def log_mistyped_names() -> None:
    """Log each environment variable whose name resembles one of our settings that is not set."""
    for name, setting in mistyped_names().items():
        log.warning("setting_unknown", name=name, did_you_mean=setting)


def _replace_known_error(record: logging.LogRecord) -> bool:
    """Return whether the error is logged as it is: not if its cause has a line, here or earlier.

    If the database or Redis is away, one line replaces a traceback of fifty lines.
    """
    error = record.exc_info[1] if record.exc_info else None
    trouble = trouble_of(error) if error else None
    if trouble is None:
        return not isinstance(error, LoggedError)
    log.error("task_broken_off", server=trouble.server, why=trouble.why)
    return False


def _drop_traceback(record: logging.LogRecord) -> bool:
    """Leave out a traceback if one of our servers is away: it does not show the cause."""
    error = record.exc_info[1] if record.exc_info else None
    if error and (trouble_of(error) or type(error).__name__ == "RestartFreqExceeded"):
        record.exc_info = record.exc_text = None
    return True
