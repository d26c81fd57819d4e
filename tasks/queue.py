"""A Redis transport for kombu that sets aside messages that no worker can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import structlog
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from redis import Redis
from redis.exceptions import RedisError

from ireserve_mattermost.unreadable import keep_unreadable
from tasks.app import app
from tasks.queue_entry import UnreadableTaskError, require_runnable
from tasks.runtime import current_runtime

log = structlog.get_logger(__name__)


class CheckedRedis(Redis):
    """The Redis client with which a worker takes messages from its queue.

    kombu decodes a message at once, and a message that it cannot decode ends the worker. So this
    client checks each message before kombu gets it.
    """

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Return the answer to a command; None for a message that was set aside."""
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not answer:
            return answer
        try:
            require_runnable(answer[1], app.tasks)
        except UnreadableTaskError as error:
            _set_aside(answer[1], str(error))
            return None
        return answer


def _set_aside(raw: bytes, why: str) -> None:
    log.error("queue_entry_set_aside", why=why, size_bytes=len(raw))
    try:
        if not keep_unreadable(current_runtime().redis, raw):
            log.error("queue_entry_dropped", error="too many are kept")
    except RedisError as error:
        # Redis is full or cannot be reached. Even then the message must not end the worker.
        log.error("queue_entry_dropped", error=type(error).__name__)


class Channel(kombu_redis.Channel):
    """A channel whose consumer survives every message."""

    def _get_client(self) -> type[Redis]:
        return CheckedRedis

    def basic_consume(
        self,
        queue: str,
        no_ack: bool,
        callback: Callable[..., Any] | None,
        consumer_tag: str | None,
        **kwargs: Any,
    ) -> str:
        """Consume from the queue, and set aside each message on which Celery raises an error."""
        guarded = callback and _guarded(callback)
        return str(super().basic_consume(queue, no_ack, guarded, consumer_tag, **kwargs))

    def _deliver_fanout_message(self, message: Any, exchange: str) -> Any:
        # Remote control: every worker gets what any process publishes there.
        try:
            return super()._deliver_fanout_message(message, exchange)  # type: ignore[misc]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            log.warning("control_message_unreadable", error=type(error).__name__)
            return False


def _guarded(callback: Callable[..., Any]) -> Callable[[Any], Any]:
    def take(message: Any) -> Any:
        try:
            return callback(message)
        except (RedisError, OSError, OperationalError):
            # The broker cannot be reached: Celery connects again.
            raise
        except Exception as error:  # noqa: BLE001
            # No error may end the worker. Only the error's class is kept, because its text may hold
            # personal data.
            _set_aside(json.dumps(message._raw).encode(), type(error).__name__)
            message.ack()
            return None

    return take


class Transport(kombu_redis.Transport):
    """The transport that uses ``Channel``."""

    Channel = Channel


def use_checked_queue() -> None:
    """Make this worker process take messages through ``Transport``.

    The scheme of the broker's address selects the transport, because Celery ignores its own setting
    for a transport if the address is a Unix socket.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
