"""Lanes: first-in-first-out lists in Redis, where a message waits until it has been sent.

One lane for each conversation and one for each notification type of a licence. A Celery message
may be lost or come twice; what is in a lane stays there until the ledger says that it is done.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Iterable, Iterator, Mapping, Sequence, cast
from urllib.parse import quote, unquote
from uuid import uuid4

from redis import Redis
from redis.exceptions import LockError

from ireserve_mattermost.wake_ups import QUEUE

PREFIX = "ireserve-mattermost:"
# Lanes that hold messages, each with the moment (ms) from which the sweep is to wake it.
WAITING = PREFIX + "lanes"
# Entries that could not be read: written by something else, or by another version of this code.
UNREADABLE = PREFIX + "unreadable"
# A hash of numbers: how many messages ended how (tasks/watch/tallies.py).
TALLIES = PREFIX + "tallies"

# The kinds of messages, and the form of their entries. A worker that meets another kind or a
# later version sets the entry aside (UNREADABLE); fields that it does not know it leaves out.
KINDS = ("root", "reply", "notification", "user")
ENTRY_VERSION = 2
# What the ledger has room for, and the last moment that a clock can show.
KEY_LENGTH = 120
LAST_MS = 253_402_300_799_000

# Long enough for one request (3 s to connect, 20 s to answer) between two extensions, short
# enough for the messages of a worker that was killed to go on within a minute.
LOCK_S = 30.0
# A lock that was extended within this time still outlives a request: it is not extended again.
FRESH_S = 5.0

# The time is Redis' own: producers on several machines need not agree on it. Whoever finds the
# lane empty wakes a worker; what is appended behind that is sent by the same worker.
_APPEND = """
local now = redis.call('TIME')
local now_ms = now[1] .. string.format('%03d', math.floor(now[2] / 1000))
local length = redis.call('RPUSH', KEYS[1], now_ms .. ':' .. ARGV[1])
local woken_ms = redis.call('ZSCORE', KEYS[2], ARGV[2])
if length > 1 and woken_ms and now_ms - woken_ms <= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[2], now_ms, ARGV[2])
if ARGV[4] ~= '' then redis.call('LPUSH', KEYS[3], ARGV[4]) end
return 1
"""
# A lane that has been waiting for this long is woken again, by the next message or by the sweep:
# its wake-up may be lost. Usually it comes at once.
OVERDUE_MS = 5_000
# What one worker takes from a lane at a time: few enough to hold in memory whatever their size
# (500,000 characters each at most), enough for the database's part in a message to be small.
HEADS = 10

# An empty lane waits for nobody; of a full one the heads, unless it is to be left alone for a while
# or somebody else has the lock.
_TAKE = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[3], ARGV[4])
  return false
end
if redis.call('EXISTS', KEYS[4]) == 1 then return false end
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
return redis.call('LRANGE', KEYS[1], 0, ARGV[3] - 1)
"""
# The heads that were handled, unless the lane is another worker's by now. Finding the lane empty
# and letting it go is one step: a message that is appended later wakes somebody who gets the lock.
# What is removed is counted in the same step, so that no message is counted twice.
_ADVANCE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
if redis.call('LINDEX', KEYS[1], 0) == ARGV[5] then
  redis.call('LTRIM', KEYS[1], ARGV[6], -1)
  for i = 7, #ARGV, 2 do redis.call('HINCRBY', KEYS[4], ARGV[i], ARGV[i + 1]) end
end
local heads = redis.call('LRANGE', KEYS[1], 0, ARGV[3] - 1)
if #heads == 0 then
  redis.call('ZREM', KEYS[3], ARGV[4])
  redis.call('DEL', KEYS[2])
else
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return heads
"""
# Only the entry that was handled: whoever lost the lock must not remove another's head.
_REMOVE_HEAD = """
if redis.call('LINDEX', KEYS[1], 0) == ARGV[1] then redis.call('LPOP', KEYS[1]) end
return redis.call('LINDEX', KEYS[1], 0)
"""
_UNMARK_IF_EMPTY = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""


class LaneLostError(Exception):
    """The lane's lock ran out and may be another worker's by now: leave the lane alone."""


@dataclass(frozen=True)
class Lane:
    """The name of a lane: whose it is, and what goes through it."""

    licence_id: str
    family: str
    subject: str

    @classmethod
    def of_conversation(cls, licence_id: str, conversation_id: str) -> Lane:
        """Return the lane of a conversation."""
        return cls(licence_id, "c", conversation_id)

    @classmethod
    def of_notifications(cls, licence_id: str, notification_type: str) -> Lane:
        """Return the lane of a licence's notifications of one type."""
        return cls(licence_id, "n", notification_type)

    @classmethod
    def parse(cls, name: str) -> Lane:
        """Return the lane with this name, as ``str(lane)`` gave it."""
        licence_id, family, subject = name.split(":")
        return cls(unquote(licence_id), family, unquote(subject))

    def __str__(self) -> str:
        """Return the name, in which neither part can be mistaken for the other."""
        return f"{quote(self.licence_id, safe='')}:{self.family}:{quote(self.subject, safe='')}"


@dataclass(frozen=True)
class LaneEntry:
    """A message as it was enqueued.

    ``kind`` and ``key`` name it in the ledger; ``payload`` holds the task's arguments, unchecked.
    ``enqueued_at_ms`` is Redis' time when it was put into its lane, 0 before that. ``context`` is
    the caller's own, for logs.
    """

    kind: str
    key: str
    task_id: str
    payload: dict[str, Any]
    enqueued_at_ms: int = 0
    context: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> bytes:
        """Return what ``append`` writes, to which Redis adds the time.

        Raises:
            TypeError: the payload holds something that JSON has no form for.
        """
        content = {
            "v": ENTRY_VERSION,
            "kind": self.kind,
            "key": self.key,
            "task_id": self.task_id,
            "arguments": self.payload,
            "context": self.context,
        }
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_json_form)
        # A lone surrogate (half of a broken emoji) has no UTF-8 form; it becomes "?".
        return text.encode(errors="replace")

    @classmethod
    def load(cls, raw: bytes) -> LaneEntry:
        """Return the entry as it stands in its lane.

        Fields that this version does not know are left out.

        Raises:
            ValueError: it is no entry, or one whose kind or version this code does not know.
        """
        enqueued_at_ms, _, content = raw.partition(b":")
        try:
            return _entry(json.loads(content), int(enqueued_at_ms))
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"no entry of a lane: {type(error).__name__}") from None


def _entry(content: Any, enqueued_at_ms: int) -> LaneEntry:
    if isinstance(content, list):
        # The form before there was a version.
        kind, key, task_id, payload = content
        context: Mapping[str, str] = {}
    else:
        if content["v"] != ENTRY_VERSION:
            raise ValueError(f"an entry of version {content['v']!r}")
        kind, key, task_id, payload = (
            content[name] for name in ("kind", "key", "task_id", "arguments")
        )
        context = content.get("context") or {}
    if not all(isinstance(text, str) for text in (kind, key, task_id)):
        raise ValueError("kind, key and task of an entry must be text")
    if kind not in KINDS or not isinstance(payload, dict) or not isinstance(context, dict):
        raise ValueError("an entry of an unknown kind or form")
    if len(key) > KEY_LENGTH or not 0 <= enqueued_at_ms <= LAST_MS:
        raise ValueError("an entry whose key or time is out of range")
    return LaneEntry(kind, key, task_id, payload, enqueued_at_ms, context)


def _json_form(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a task's argument is a {type(value).__name__}: pass text, numbers, lists")


class Lanes:
    """The lanes of one Redis database."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._append = redis.register_script(_APPEND)
        self._take = redis.register_script(_TAKE)
        self._advance = redis.register_script(_ADVANCE)
        self._remove_head = redis.register_script(_REMOVE_HEAD)
        self._unmark_if_empty = redis.register_script(_UNMARK_IF_EMPTY)

    def append(self, lane: Lane, entry: LaneEntry, *, wake: str = "") -> bool:
        """Put the message at the end of its lane and mark the lane as waiting, in one step.

        Returns whether a worker must be woken; False: one has been, for a message before it. A
        ``wake`` (``wake_ups.wake_up``) is published in the same step when one must be.
        """
        name = str(lane)
        args: list[Any] = [entry.dump(), name, OVERDUE_MS, wake]
        return bool(self._append(keys=[_list(name), WAITING, QUEUE], args=args))

    def take(self, lane: Lane) -> TakenLane | None:
        """Lock the lane and return its first entries.

        None: it is empty, another worker's, or to be left alone.
        """
        name, token = str(lane), uuid4().hex
        taken_at = time.monotonic()
        heads = self._take(
            keys=[_list(name), _lock(name), WAITING, _pause(name)],
            args=[token, round(LOCK_S * 1_000), HEADS, name],
        )
        if not heads:
            return None
        lock = self._lock_of(lane)
        lock.local.token = token.encode()
        return TakenLane(lane, LaneLock(lock, taken_at=taken_at), token, tuple(heads))

    def advance(
        self, taken: TakenLane, done: Sequence[bytes], counts: Mapping[str, int] | None = None
    ) -> tuple[bytes, ...]:
        """Remove the entries that are done, the first ones; return which are first now.

        When there are none the lane has been let go. ``counts`` is what the removal adds to which
        field of ``TALLIES``.

        Raises:
            LaneLostError: the lock has run out; nothing was removed.
        """
        name = str(taken.lane)
        added: Iterable[Any] = chain.from_iterable((counts or {}).items())
        heads = self._advance(
            keys=[_list(name), _lock(name), WAITING, TALLIES],
            args=[taken.token, round(LOCK_S * 1_000), HEADS, name, done[0], len(done), *added],
        )
        if heads is None:
            raise LaneLostError("the lane's lock has run out")
        taken.lock.was_extended()
        return tuple(heads)

    def let_go(self, taken: TakenLane) -> None:
        """Leave a lane that is not empty to others."""
        taken.lock.release()

    def head(self, lane: Lane) -> bytes | None:
        """Return the lane's first entry as it is kept in Redis, None if the lane is empty."""
        return cast("bytes | None", self._redis.lindex(_list(str(lane)), 0))

    def remove_head(self, lane: Lane, raw: bytes) -> bytes | None:
        """Remove the first entry if it is still this one; return the entry that is first now."""
        return cast("bytes | None", self._remove_head(keys=[_list(str(lane))], args=[raw]))

    def keep_unreadable(self, raw: bytes) -> None:
        """Keep an entry that is none of ours where it blocks nothing."""
        self._redis.rpush(UNREADABLE, raw)

    def unmark_if_empty(self, lane: Lane) -> bool:
        """Take the lane off the waiting list if nothing is in it; say whether that was so."""
        name = str(lane)
        return bool(self._unmark_if_empty(keys=[_list(name), WAITING], args=[name]))

    def wake_at(self, lane: Lane, moment_ms: int) -> None:
        """Let the sweep leave the lane alone until then (the lane must be waiting)."""
        self._redis.zadd(WAITING, {str(lane): moment_ms}, xx=True)

    def leave_alone(self, lane: Lane, *, seconds: float) -> None:
        """Let nobody drain the lane for so long, whoever is woken for it."""
        self._redis.set(_pause(str(lane)), 1, px=round(seconds * 1_000))

    def now_ms(self) -> int:
        """Return the time by Redis' clock, which all lanes go by."""
        seconds, micros = self._redis.time()
        return seconds * 1_000 + micros // 1_000

    def due(self, *, until_ms: int, limit: int) -> list[Lane]:
        """Return waiting lanes that should have been woken by then and that nobody is draining."""
        names = cast(
            "list[bytes]", self._redis.zrangebyscore(WAITING, 0, until_ms, start=0, num=limit)
        )
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.exists(_lock(name.decode()))
            busy = pipeline.execute() if names else []
        return [
            Lane.parse(name.decode())
            for name, locked in zip(names, busy, strict=True)
            if not locked
        ]

    def waiting_of(self, licence_id: str) -> list[Lane]:
        """Return the waiting lanes of one licence."""
        # Of the characters that percent-encoding leaves, none is special in Redis' patterns.
        pattern = f"{quote(licence_id, safe='')}:*"
        scan = self._redis.zscan_iter(WAITING, match=pattern, count=1_000)
        return [Lane.parse(name.decode()) for name, _ in scan]

    @contextmanager
    def locked(self, lane: Lane) -> Iterator[LaneLock | None]:
        """Yield the lane's lock, or None when somebody else has it; never wait for it."""
        taken_at = time.monotonic()
        lock = self._lock_of(lane)
        if not lock.acquire():
            yield None
            return
        mine = LaneLock(lock, taken_at=taken_at)
        try:
            yield mine
        finally:
            mine.release()

    def _lock_of(self, lane: Lane) -> Any:
        return self._redis.lock(
            _lock(str(lane)), timeout=LOCK_S, blocking=False, thread_local=False
        )


class LaneLock:
    """The right to drain one lane, for ``LOCK_S`` from the last extension."""

    def __init__(self, lock: Any, *, taken_at: float) -> None:
        self._lock = lock
        self._extended_at = taken_at

    def extend(self) -> None:
        """Hold the lane for another full term, less ``FRESH_S`` at most.

        Raises:
            LaneLostError: the lock has run out.
        """
        now = time.monotonic()
        if now - self._extended_at < FRESH_S:
            return
        try:
            self._lock.extend(LOCK_S, replace_ttl=True)
        except LockError:
            raise LaneLostError("the lane's lock has run out") from None
        self._extended_at = now

    def was_extended(self) -> None:
        """Note that the lock has a full term again."""
        self._extended_at = time.monotonic()

    def release(self) -> None:
        """Let the lane go; a lock that ran out is somebody else's and is left alone."""
        with suppress(LockError):
            self._lock.release()


@dataclass(frozen=True)
class TakenLane:
    """A lane that is ours to drain, and its first entries as they stand in Redis."""

    lane: Lane
    lock: LaneLock
    token: str
    heads: tuple[bytes, ...]


def _list(name: str) -> str:
    return f"{PREFIX}lane:{name}"


def _lock(name: str) -> str:
    return f"{PREFIX}lock:{name}"


def _pause(name: str) -> str:
    return f"{PREFIX}pause:{name}"
