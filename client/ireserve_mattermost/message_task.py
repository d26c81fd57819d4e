"""The task class: ``.delay()`` writes a message into its lane, and wakes a worker for it."""

from __future__ import annotations

import inspect
from typing import Any, Callable, ClassVar, Mapping

from celery import Task
from celery.utils import uuid
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from ireserve_mattermost.address import redis_url
from ireserve_mattermost.connections import producer_redis
from ireserve_mattermost.keys import IDS, check_id_types, check_ids_can_be_written, key_of, lane_of
from ireserve_mattermost.lanes import LaneEntry, Lanes
from ireserve_mattermost.messages import check_sender, writable
from ireserve_mattermost.wake_ups import wake_up

# What rides in a Celery message is lost with it, and a message is not sent by its Celery message.
# So nothing that changes when, where or whether it is sent can be kept.
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
    """A task that carries a message. ``kind`` is the ledger's word for what it becomes."""

    abstract = True
    kind: str
    # What a worker does when it is woken; the application sets it, i-Reserve has none.
    work: ClassVar[Callable[[MessageTask], str] | None] = None

    def by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return all given arguments by name.

        Raises:
            TypeError: an argument is missing or unknown.
        """
        try:
            payload = dict(inspect.signature(self.run).bind(*args, **kwargs).arguments)
            check_sender(self.kind, payload)
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

        A message behind others that wait already is sent by the task that was published for them:
        nothing is published for it. ``correlation_id`` of the ``context`` stands in each
        line of the workers' logs about the message, in the place of the task's id.

        Raises:
            TypeError: an argument is missing or unknown, or of a type that cannot be sent.
            ValueError: an option of Celery's that cannot be kept, or a wrong address of Redis.
            TooManyError: too much waits for the licence already.
            kombu.exceptions.OperationalError: Redis is away (within 1.5 s). Nothing is half done:
                calling again with the same message is safe.
        """
        _refuse(self.name, options)
        payload = self.by_name(tuple(args or ()), dict(kwargs or {}))
        check_id_types(payload)
        task_id = task_id or uuid()
        entry = entry_of(self.kind, payload, task_id, context=context)
        wake = wake_up(self.name, task_id, ids_of(payload), headers)
        try:
            producer_lanes().append(lane_of(self.kind, payload), entry, wake=wake)
        except RedisError as error:
            raise OperationalError(f"Redis did not take the message: {error}") from None
        return self.AsyncResult(task_id)

    def apply(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse to run here: only a worker has what it takes.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} cannot run in this process: enqueue it with .delay()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Work off the message's lane, in a worker.

        Raises:
            TypeError: it was called like a function.
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
    """Return the message as its lane holds it.

    Raises:
        TypeError: an id cannot be written.
    """
    check_ids_can_be_written(payload)
    key = key_of(kind, payload, task_id=task_id)
    return LaneEntry(kind, key, task_id, writable(payload), context=dict(context or {}))


def ids_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that Flower and logs may show: ids, and no more."""
    return {name: payload[name] for name in IDS if payload.get(name) is not None}


class _Producer:
    """The process's connection for ``.delay()``; redis-py itself copes with forks and threads."""

    lanes: Any | None = None


def producer_lanes() -> Any:
    """Return the lanes, with the short time limits of the enqueueing side."""
    if _Producer.lanes is None:
        _Producer.lanes = Lanes(producer_redis(redis_url()))
    return _Producer.lanes


def use_lanes(lanes: Any | None) -> Any | None:
    """Let ``.delay()`` write into these lanes; return those before. None: those of the address."""
    before, _Producer.lanes = _Producer.lanes, lanes
    return before
