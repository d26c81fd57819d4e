"""A consumer for Celery's workers that publishes the events for Flower in batches."""

from __future__ import annotations

from typing import Any

from celery.worker import consumer

# Short enough for a person who reads Flower. Each publication is a request to Redis, and takes
# processor time from the messages that come meanwhile.
EVENT_BATCH_S = 0.5


class Consumer(consumer.Consumer):
    """Takes wake-ups from the queue, and publishes the tasks' events after ``EVENT_BATCH_S``."""

    hub: Any
    event_dispatcher: Any
    _is_planned = False

    def on_send_event_buffered(self) -> None:  # type: ignore[override]
        """Plan to publish the buffered events; each thread calls this when it has an event."""
        if self.hub is None or self._is_planned:
            return
        self._is_planned = True
        # Only the hub's own thread may use its timers.
        self.hub.call_soon(self._plan)

    def _plan(self) -> None:
        # A worker that stops publishes the events that are left.
        self.hub.on_close.add(self._publish)
        self.hub.call_later(EVENT_BATCH_S, self._publish)

    def _publish(self, *_: Any) -> None:
        # Clear this first: an event that comes during the flush may need another one.
        self._is_planned = False
        if self.event_dispatcher:
            self.event_dispatcher.flush()
