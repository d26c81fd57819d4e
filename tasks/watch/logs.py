"""Logs: one line per event, its data as fields; as JSON or for a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

from tasks.failures import DeliveryFailedError

# At DEBUG these write arguments and addresses with file names.
TALKATIVE = ("celery.pool", "urllib3", "kombu", "amqp")

# At INFO these write every statement, or two lines for each task beside our own.
REPETITIVE = ("sqlalchemy", "celery.app.trace", "celery.beat", "celery.worker.strategy")


def configure_logs(*, level: str, log_format: Literal["console", "json"]) -> None:
    """Send all logs of the process to standard error, through one formatter."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
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
    # Otherwise they are two lines of their own form.
    logging.captureWarnings(True)
    logging.root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLevelName(level)))
    for name in REPETITIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("celery.app.trace").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out the error that only shows a failed message in red: it has its line already."""
    return not (record.exc_info and isinstance(record.exc_info[1], DeliveryFailedError))
