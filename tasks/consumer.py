"""Celery's consumer of a worker, which publishes what Flower shows a moment later, together."""

from __future__ import annotations

from typing import Any

from celery.worker import consumer

# Flower's own page is no faster. An event that is published at once is a question to Redis, and
# takes the interpreter from the message that it is about.
TOGETHER_S = 0.1


class Consumer(consumer.Consumer):
    """Takes wake-ups from the queue; the events of the tasks are published after ``TOGETHER_S``."""

    hub: Any
    event_dispatcher: Any
    _is_planned = False

    def on_send_event_buffered(self) -> None:  # type: ignore[override]
        """Plan to publish what is buffered; called by each thread that has an event."""
        if self.hub is None or self._is_planned:
            return
        self._is_planned = True
        # The hub's timers belong to its own thread.
        self.hub.call_soon(self._plan)

    def _plan(self) -> None:
        # A worker that stops publishes what is left.
        self.hub.on_close.add(self._publish)
        self.hub.call_later(TOGETHER_S, self._publish)

    def _publish(self, *_: Any) -> None:
        # First, for what is buffered from now on may be too late for this time.
        self._is_planned = False
        if self.event_dispatcher:
            self.event_dispatcher.flush()
