"""Publishes wake-ups for new replies, and all else that ``web`` writes to Redis, in the background.

So no webhook waits for the broker.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from queue import Empty, Full, Queue
from threading import Lock, Thread
from typing import TypeAlias

import structlog
from celery import Celery
from redis import Redis

from tasks.wake import wake_replies
from tasks.watch.refusals import Address, Refusal, count_refused
from tasks.watch.seen_posts import note_own_posts

log = structlog.get_logger(__name__)

# Enough for a burst while the broker is down. A reply that does not fit is not lost: the sweep
# finds it in the inbox.
MAX_ITEMS = 10_000
# Replies in one task message: few enough that several workers share a burst.
MAX_BATCH = 50
# The pause between two task messages. Publishing one costs about as much as answering a webhook, so
# replies within this time share a message. No visitor notices the delay.
PAUSE_S = 0.05


# Means that there are refusals to count. The refusals themselves are not in the queue, because a
# flood of them must not displace replies.
_REFUSALS = None


# A licence with its reply, the id of one of our posts, or ``_REFUSALS``.
_Item: TypeAlias = tuple[str, int] | str | None


class WakeUps:
    """A queue of new replies and of our posts' ids, and the one thread that publishes them."""

    def __init__(
        self, app: Celery, *, redis: Callable[[], Redis], max_items: int = MAX_ITEMS
    ) -> None:
        """Use this application's configuration; the thread starts with the first item."""
        self._app = app
        self._redis = redis
        self._max_items = max_items
        self._watches_forks = False
        self._reset()

    def add(self, reply_id: int, *, licence_id: str) -> None:
        """Wake a worker for this committed reply, in the background."""
        if not self._put((licence_id, reply_id)):
            log.warning("wake_up_dropped", reply_id=reply_id)

    def note_own_post(self, post_id: str) -> None:
        """Note that a webhook came for one of our posts, for the doctor's round trip."""
        self._put(post_id)

    def note_refusal(self, address: Address, status: HTTPStatus) -> None:
        """Count a refused call, in the background."""
        with self._mutex:
            is_first = not self._refused
            self._refused[address, status] += 1
        if is_first and not self._put(_REFUSALS):
            self._take_refused()

    def _put(self, item: _Item) -> bool:
        self._start()
        try:
            self._waiting.put_nowait(item)
        except Full:
            return False
        return True

    def _reset(self) -> None:
        self._mutex = Lock()
        self._refused: Counter[Refusal] = Counter()
        self._waiting: Queue[_Item] = Queue(self._max_items)
        self._thread: Thread | None = None

    def _start(self) -> None:
        with self._mutex:
            if self._thread is not None and self._thread.is_alive():
                return
            if not self._watches_forks:
                # A forked child does not inherit the thread, and may inherit a locked mutex.
                os.register_at_fork(after_in_child=self._reset)
                self._watches_forks = True
            self._thread = Thread(
                target=self._run, args=(self._waiting,), name="wake-ups", daemon=True
            )
            self._thread.start()

    def _run(self, waiting: Queue[_Item]) -> None:
        while True:
            batch = _next_batch(waiting)
            try:
                self._publish(batch)
            except Exception as error:  # noqa: BLE001
                # No error may end the thread. The sweep finds the replies of this batch.
                log.error("wake_ups_failed", error=type(error).__name__)
            time.sleep(PAUSE_S)

    def _publish(self, batch: Sequence[_Item]) -> None:
        if _REFUSALS in batch:
            count_refused(self._redis(), self._take_refused())
        if own := [each for each in batch if isinstance(each, str)]:
            note_own_posts(self._redis(), own)
        if replies := [each for each in batch if isinstance(each, tuple)]:
            licences, ids = zip(*replies, strict=True)
            wake_replies(ids, licence_ids=licences, publisher=self._app)

    def _take_refused(self) -> Counter[Refusal]:
        with self._mutex:
            taken, self._refused = self._refused, Counter()
        return taken


def _next_batch(waiting: Queue[_Item]) -> list[_Item]:
    """Wait for an item; return it with the items behind it, at most ``MAX_BATCH``."""
    batch = [waiting.get()]
    with suppress(Empty):
        while len(batch) < MAX_BATCH:
            batch.append(waiting.get_nowait())
    return batch
