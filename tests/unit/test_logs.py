"""What a process's log contains, and what it omits."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from tasks.failures import DeliveryFailedError
from tasks.watch.logs import configure_logs


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Restore the logging of this process after the test."""
    handlers, level = logging.root.handlers, logging.root.level
    trace = logging.getLogger("celery.app.trace")
    filters = list(trace.filters)
    yield
    logging.root.handlers, trace.filters = handlers, filters
    logging.root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        pytest.param(DeliveryFailedError("reply:m1: timeout"), False, id="a failed message"),
        pytest.param(ZeroDivisionError(), True, id="anything else"),
    ],
)
def test_celerys_record_of_a_failed_message_is_dropped(
    capsys: pytest.CaptureFixture[str], error: Exception, shown: bool
) -> None:
    """Celery's record of a failed message is dropped: our own line says why. Others are logged."""
    configure_logs(level="INFO", log_format="console")

    logging.getLogger("celery.app.trace").error("Task raised unexpected", exc_info=error)

    assert ("Task raised unexpected" in capsys.readouterr().err) == shown
