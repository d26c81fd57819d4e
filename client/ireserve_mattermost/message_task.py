"""The class of the public tasks: ``.delay()`` puts a message into its lane and wakes a worker."""

from __future__ import annotations

import inspect
from typing import Any, Callable, ClassVar, Mapping

from celery import Task
from celery.utils import uuid
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from ireserve_mattermost.address import redis_url
from ireserve_mattermost.connections import producer_redis
from ireserve_mattermost.keys import IDS, key_of, lane_of, require_id_types, require_writable_ids
from ireserve_mattermost.lanes import LaneEntry, Lanes
from ireserve_mattermost.messages import require_sender_name, writable
from ireserve_mattermost.wake_ups import wake_up

# A message is sent by its lane, and its Celery message only wakes a worker and may be lost. So
# Celery's options for when, where and whether to run a task would have no effect.
_REFUSED_OPTIONS = (
    "chain",
    "chord",
    "link",
    "link_error",
    "queue",
    "exchange",
    "routing_key",
    "connection",
    "expires",
    "eta",
    "countdown",
)


class MessageTask(Task):  # type: ignore[type-arg]
    """A task that enqueues a message. ``kind`` is the message's kind in the ledger."""

    abstract = True
    kind: str
    # The function that a woken worker runs. The application sets it; in i-Reserve it is None.
    work: ClassVar[Callable[[MessageTask], str] | None] = None

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return all given arguments by name.

        Raises:
            TypeError: an argument is missing or unknown.
        """
        try:
            payload = dict(inspect.signature(self.run).bind(*args, **kwargs).arguments)
            require_sender_name(self.kind, payload)
            return payload
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None

    def apply_async(  # type: ignore[override]
        self,
        args: Any = None,
        kwargs: Any = None,
        task_id: str | None = None,
        *,
        context: Mapping[str, str] | None = None,
        headers: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Put the message into its lane and wake a worker, in one step.

        If other messages wait in the lane already, no Celery message is published: the worker that
        was woken for them sends this message too. The workers' logs show the ``correlation_id`` of
        the ``context`` in each line about the message, in place of the task's id.

        Raises:
            TypeError: an argument is missing, unknown, or of a type that cannot be sent.
            ValueError: an option of Celery has no effect here, or the address of Redis is wrong.
            TooManyError: too many messages wait for the licence already.
            kombu.exceptions.OperationalError: Redis did not answer within 1.5 s, or refused.
                Calling again with the same message is safe.
        """
        _refuse(self.name, options)
        payload = self.by_name(tuple(args or ()), dict(kwargs or {}))
        require_id_types(payload)
        task_id = task_id or uuid()
        entry = entry_of(self.kind, payload, task_id, context=context)
        wake = wake_up(self.name, task_id, ids_of(payload), headers)
        try:
            producer_lanes().append(lane_of(self.kind, payload), entry, wake=wake)
        except RedisError as error:
            raise OperationalError(f"Redis did not take the message: {error}") from None
        return self.AsyncResult(task_id)

    def apply(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse to run in this process: only a worker can run the task.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} cannot run in this process: enqueue it with .delay()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Drain the lanes of the message's licence, in a worker.

        Raises:
            TypeError: the task was called like a function.
        """
        if self.work is None or self.request.called_directly:
            return self.apply()
        return type(self).work(self)  # type: ignore[misc]


def _refuse(task: str, options: Mapping[str, Any]) -> None:
    for name in _REFUSED_OPTIONS:
        if options.get(name):
            raise ValueError(
                f"{task} is sent at once and in order by its lane: {name} cannot be kept, "
                "so call .delay() for each message, without it"
            )


def entry_of(
    kind: str,
    payload: Mapping[str, Any],
    task_id: str,
    *,
    context: Mapping[str, str] | None = None,
) -> LaneEntry:
    """Return the message as an entry of its lane.

    Raises:
        TypeError: an id cannot be written.
    """
    require_writable_ids(payload)
    key = key_of(kind, payload, task_id=task_id)
    return LaneEntry(kind, key, task_id, writable(payload), context=dict(context or {}))


def ids_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that Flower and the logs may show: the ids only."""
    return {name: payload[name] for name in IDS if payload.get(name) is not None}


class _Producer:
    """The process's lanes for ``.delay()``. redis-py itself handles forks and threads."""

    lanes: Any | None = None


def producer_lanes() -> Any:
    """Return the lanes, on a connection with the short timeouts for enqueueing."""
    if _Producer.lanes is None:
        _Producer.lanes = Lanes(producer_redis(redis_url()))
    return _Producer.lanes


def use_lanes(lanes: Any | None) -> Any | None:
    """Make ``.delay()`` write to these lanes; return the lanes that it wrote to before.

    None: the lanes of the Redis that the environment names.
    """
    before, _Producer.lanes = _Producer.lanes, lanes
    return before
