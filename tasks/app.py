"""The Celery application, and the task class that writes a message down, then wakes a worker."""

from __future__ import annotations

import inspect
import logging
from functools import cached_property
from typing import Any, cast

from celery import Celery, Task
from celery.result import AsyncResult
from celery.utils import uuid
from celery.worker.request import Request
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from settings import get_settings
from tasks.connections import producer_redis
from tasks.lanes import LaneEntry, Lanes
from tasks.messages import InvalidMessageError, key_of, lane_of

# The standard library's, for this runs in i-Reserve's process, whose logs are its own affair.
log = logging.getLogger(__name__)

# Says that the message is in its lane; one that was enqueued by name from elsewhere lacks it.
APPENDED_HEADER = "ireserve_appended"
# What Flower and the logs may show of a message's arguments.
SHOWN_ARGUMENTS = (
    "licence_id",
    "conversation_id",
    "message_id",
    "notification_type",
    "notification_id",
    "user_id",
    "lane",
)

# Not the current one: where i-Reserve imports us, its own tasks must stay with its own application.
app = Celery("ireserve_mattermost", set_as_current=False)
app.config_from_object("celeryconfig")


class MaskedRequest(Request):  # type: ignore[misc]
    """A task in a worker, whose arguments events and logs do not show.

    Our own task class masks what it sends; this masks what others send by name.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not (self._request_dict or {}).get(APPENDED_HEADER):
            self._argsrepr, self._kwargsrepr = "()", shown(self._by_name())

    def _by_name(self) -> dict[str, Any]:
        try:
            return cast("MessageTask", self.task).by_name(tuple(self.args), self.kwargs)
        except TypeError:
            # They are not its arguments: the task fails and says so.
            return dict(self.kwargs)


class MessageTask(Task):  # type: ignore[misc]
    """A task that carries a message: `.delay()` puts it into its lane, then wakes a worker.

    ``kind`` is the ledger's word for what the message becomes.
    """

    abstract = True
    kind: str
    Request = MaskedRequest

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.run)

    def by_name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return all given arguments by name.

        Raises:
            TypeError: an argument is missing or unknown.
        """
        return dict(self._signature.bind(*args, **kwargs).arguments)

    def apply_async(
        self,
        args: Any = None,
        kwargs: Any = None,
        task_id: str | None = None,
        **options: Any,
    ) -> AsyncResult:
        """Put the message into its lane, then publish the task that wakes a worker.

        A message behind others that wait already is sent by the task that was published for them:
        nothing is published for it. Once the message is in its lane it will be sent: when the
        wake-up cannot be published, the sweep finds the lane some seconds later, and the call
        succeeds.

        Raises:
            TypeError: an argument is missing or unknown.
            kombu.exceptions.OperationalError: Redis is away (within 1.5 s). Nothing is half done:
                calling again with the same message is safe.
        """
        if options.get("eta") or options.get("countdown"):
            raise ValueError(f"{self.name} is sent at once and in order: give no eta or countdown")
        payload = self.by_name(tuple(args or ()), dict(kwargs or {}))
        task_id = task_id or uuid()
        try:
            must_wake = self._append(payload, task_id)
        except InvalidMessageError:
            # The task says what is wrong, where an operator sees it.
            return self._publish(payload, task_id, options, appended=False)
        if not must_wake:
            return self.AsyncResult(task_id)
        try:
            return self._publish(payload, task_id, options, appended=True)
        except OperationalError:
            log.warning("wake_up_not_published task_id=%s", task_id)
            return self.AsyncResult(task_id)

    def _append(self, payload: dict[str, Any], task_id: str) -> bool:
        """Put the message into its lane; say whether a worker must be woken for it."""
        try:
            return append_message(producer_lanes(), self.kind, payload, task_id)
        except (RedisConnectionError, RedisTimeoutError) as error:
            raise OperationalError(str(error)) from None
        except RedisError as error:
            raise OperationalError(f"Redis refused the message: {error}") from None

    def _publish(
        self, payload: dict[str, Any], task_id: str, options: dict[str, Any], *, appended: bool
    ) -> AsyncResult:
        headers = {**(options.pop("headers", None) or {}), APPENDED_HEADER: appended}
        masks = {"argsrepr": "()", "kwargsrepr": shown(payload)}
        return super().apply_async(
            (), payload, task_id=task_id, headers=headers, **{**options, **masks}
        )


def append_message(lanes: Lanes, kind: str, payload: dict[str, Any], task_id: str) -> bool:
    """Put a message into its lane and return whether a worker must be woken for it.

    Raises:
        InvalidMessageError: the ids that lane and key are named after are missing or wrong.
    """
    lane = lane_of(kind, payload)
    key = key_of(kind, payload, task_id=task_id)
    return lanes.append(lane, LaneEntry(kind, key, task_id, payload))


def shown(arguments: dict[str, Any]) -> str:
    """Return the arguments as Flower and the logs may show them: ids, and no more."""
    return repr({name: arguments[name] for name in SHOWN_ARGUMENTS if name in arguments})


class _Producer:
    """The process's connection for `.delay()`; redis-py itself copes with forks and threads."""

    lanes: Lanes | None = None


def producer_lanes() -> Lanes:
    """Return the lanes as whoever enqueues writes them."""
    if _Producer.lanes is None:
        _Producer.lanes = Lanes(producer_redis(get_settings().redis_url))
    return _Producer.lanes
