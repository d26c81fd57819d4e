"""The Celery application's connections to its broker."""

from __future__ import annotations

from tasks.app import app


def forget_connections() -> None:
    """Drop the connections, so that the application connects to its current broker address."""
    app._pool = None  # type: ignore[attr-defined]
    app.amqp._producer_pool = None  # type: ignore[attr-defined]
