"""The least work that keeps a message: the naive task, with bare calls to Redis and the database.

The caller appends the message to a list. Before the post, the task takes a lock, reads the list and
writes one row, through the database's driver alone. Our code is not used.

It has a worker of its own. A worker that takes turns with no other runs each message with the
processor's caches cold, as ours does.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Any
from uuid import uuid4

import psycopg
from redis import Redis

from benchmarks import naive

_LIST = "bare-calls:"
_TAKE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', 30000) then return {} end
return redis.call('LRANGE', KEYS[2], 0, 9)
"""
_TABLE = "CREATE TABLE IF NOT EXISTS bare_calls (id VARCHAR(80) PRIMARY KEY, state VARCHAR(10))"

app = naive.yardstick_app("bare")
_redis = Redis.from_url(os.environ.get("REDIS_URL", "redis://"))
_take = _redis.register_script(_TAKE)
# The free connections, each with its INSERT statement; the last one that was used is taken first.
_free: list[tuple[Any, str]] = []


@app.task(name="bare_calls.post_reply")
def _post_kept(*where: str, **message: str) -> None:
    """Lock and read the list, store the message, and post it."""
    name = f"{_LIST}{message['conversation_id']}"
    _take(keys=[f"{name}:lock", name], args=[uuid4().hex])
    _write(message["message_id"])
    naive.post_reply(*where, **message)
    _redis.delete(name, f"{name}:lock")


class _Appending:
    """An object that is called like a task, appends the message to its list, and wakes a worker."""

    def delay(self, *where: str, **message: str) -> None:
        """Append the message and wake a worker."""
        _redis.rpush(f"{_LIST}{message['conversation_id']}", repr(message))
        _post_kept.delay(*where, **message)


post_reply = _Appending()


def _write(message_id: str) -> None:
    connection, insert = _free.pop() if _free else _connected(os.environ["DATABASE_URL"])
    connection.execute(insert, (message_id, "sending"))
    _free.append((connection, insert))


def _connected(url: str) -> tuple[Any, str]:
    """Return an open connection in autocommit mode, and the INSERT statement for it."""
    insert = "INSERT INTO bare_calls VALUES ({0}, {0}) ON CONFLICT DO NOTHING"
    if url.startswith("sqlite"):
        # A file of its own: a write would empty the cache of pages of our worker, and ours its.
        path = f"{url.partition('///')[2]}-bare"
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=30, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_TABLE)
        return connection, insert.format("?")
    server = psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)
    server.execute(_TABLE)
    return server, insert.format("%s")
