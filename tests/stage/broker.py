"""Our application's connections to its broker."""

from __future__ import annotations

from tasks.app import app


def forget_connections() -> None:
    """Let our application connect anew: what it publishes next goes to the address of then."""
    app._pool = None  # type: ignore[attr-defined]
    app.amqp._producer_pool = None  # type: ignore[attr-defined]
