"""Lanes: first-in-first-out lists in Redis, where a message waits until it has been sent.

A licence has a lane for each conversation, a lane for each notification type, and a lane for its
users. A Celery message may be lost or arrive twice. A message stays in its lane until the ledger
has its outcome.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from typing import Any, ContextManager, Iterable, Mapping, Sequence, cast
from urllib.parse import quote, unquote
from uuid import uuid4

from redis import Redis

from ireserve_mattermost import lane_scripts as scripts
from ireserve_mattermost.lane import PREFIX, Lane, LaneEntry
from ireserve_mattermost.locks import LOCK_S, HeldLock, LockLostError, lock_of, try_lock
from ireserve_mattermost.unreadable import keep_unreadable
from ireserve_mattermost.wake_ups import QUEUE, licence_wake_up

__all__ = [
    "LOCK_S",
    "PREFIX",
    "HeldLock",
    "Lane",
    "LaneEntry",
    "Lanes",
    "LockLostError",
    "TakenLane",
    "TooManyError",
]

# A set of the licences (quoted) in whose lanes a message waits.
LICENCES = PREFIX + "licences"
# A hash: how many messages wait for each licence. A number: what an operator set in place of
# MAX_WAITING.
WAITING = PREFIX + "waiting"
LIMIT = PREFIX + "limit"
# Licences whose circuit is open (tasks/licences/circuit.py).
CIRCUITS = PREFIX + "circuits"
# A hash: how many messages had each outcome (tasks/watch/tallies.py).
TALLIES = PREFIX + "tallies"
# A hash: when a message of each licence was last sent, in ms of Redis' clock.
LAST_SENT = PREFIX + "last_sent"

# A taken lane stays locked for this time after each extension.
LOCK_MS = round(LOCK_S * 1_000)
# At most this many wake-ups of one licence are in the queue or at work: two workers give a licence
# this many threads.
MAX_WAKE_UPS = 8
# For this time a wake-up in the queue keeps others of its licence out. Workers that are not
# overloaded have taken the wake-up by then. After that a lost wake-up no longer counts.
QUEUED_MS = 1_000
# A wake-up without activity for this time is lost: no request takes longer.
LOST_MS = 25_000
# A lane that has been due for this time has lost its wake-up. Usually a worker takes it at once.
OVERDUE_MS = 5_000
# No lane has to wait for longer. A lane planned for later than that was planned by a wrong clock.
LONGEST_PAUSE_MS = 900_000
# How long a message waits while its server is away, unless the workers have the setting HOLD_S.
HOLD_MS = 600_000
# At most this many messages wait for one licence. The busiest team has this many in a day while its
# server is away; at 2 kB each they take 200 MB of Redis. No team could read more.
MAX_WAITING = 100_000
# How many entries one worker takes from a lane at a time. They are few enough to hold in memory
# (each has 500,000 characters at most), and enough to share the cost of a database transaction.
HEADS = 10
# How many lanes TAKE looks at: an operator's command may hold a few of them for a moment.
CANDIDATES = 20


class TooManyError(Exception):
    """The licence has as many messages waiting as it may have. The message names the licence."""


class Lanes:
    """The lanes of one Redis database.

    ``hold_ms`` is how long a message waits while its licence's server is away.
    """

    def __init__(self, redis: Redis, *, hold_ms: int = HOLD_MS) -> None:
        self._redis = redis
        self._hold_ms = hold_ms
        self._append = redis.register_script(scripts.APPEND)
        self._take = redis.register_script(scripts.TAKE)
        self._advance = redis.register_script(scripts.ADVANCE)
        self._release = redis.register_script(scripts.RELEASE)
        self._revive = redis.register_script(scripts.REVIVE)
        self._give_back = redis.register_script(scripts.GIVE_BACK)
        self._remove_head = redis.register_script(scripts.REMOVE_HEAD)
        self._unmark_if_empty = redis.register_script(scripts.UNMARK_IF_EMPTY)

    def append(self, lane: Lane, entry: LaneEntry, *, wake: str = "") -> bool:
        """Put the message at the end of its lane, and wake a worker for its licence, in one step.

        Args:
            lane: the lane of the message.
            entry: the message.
            wake: the wake-up to publish (``wake_ups.wake_up``); empty: none.

        Returns:
            Whether the wake-up was published. A licence that has a wake-up already, or is
            blocked, gets none.

        Raises:
            TooManyError: as many messages as MAX_WAITING or LIMIT allows wait for the licence.
        """
        name, licence = str(lane), _quoted(lane.licence_id)
        keys = [_list(name), _lanes(licence), LICENCES, _wakes(licence), WAITING, QUEUE, LIMIT]
        args: list[Any] = [entry.dump(), name, licence, lane.licence_id, entry.task_id, wake]
        answer = self._append(
            keys=[*keys, CIRCUITS, _circuit(lane.licence_id), _queued(licence)],
            args=[*args, MAX_WAKE_UPS, MAX_WAITING, QUEUED_MS],
        )
        if cast("int", answer) < 0:
            raise TooManyError(
                f"licence {lane.licence_id!r} has as many messages waiting as it may: see whether "
                "its workers run and its server answers, and enqueue again later"
            )
        return bool(answer)

    def take(self, licence_id: str, *, wake_id: str) -> TakenLane | None:
        """Lock the licence's lane that has been due for longest, and return its first entries.

        While more lanes are due, publish another wake-up, so that threads join one after another.
        None: no lane is due, and the wake-up has ended.
        """
        token, licence, taken_at = uuid4().hex, _quoted(licence_id), time.monotonic()
        args: list[Any] = [token, LOCK_MS, HEADS, PREFIX, licence, licence_id, wake_id]
        answer = self._take(
            keys=[
                *(_lanes(licence), LICENCES, _wakes(licence), CIRCUITS, _circuit(licence_id)),
                _queued(licence),
            ],
            args=[*args, self._hold_ms, LONGEST_PAUSE_MS, CANDIDATES, MAX_WAKE_UPS],
        )
        if not answer:
            return None
        raw_name, heads, wants_more, numbers, probe_at_ms = cast("list[Any]", answer)
        name = _parsed(raw_name)
        if name is None:
            # Another program wrote this name. Remove the name, and leave its list as it is.
            self._redis.zrem(_lanes(licence), raw_name)
            keep_unreadable(self._redis, raw_name)
            return self.take(licence_id, wake_id=wake_id)
        if wants_more:
            self.revive(licence_id, overdue_ms=0)
        lock = lock_of(self._redis, _lock(str(name)))
        lock.local.token = token.encode()
        mine = HeldLock(lock, taken_at=taken_at)
        return TakenLane(name, mine, token, wake_id, tuple(heads), (*numbers, probe_at_ms))

    def advance(
        self,
        taken: TakenLane,
        done: Sequence[bytes],
        counts: Mapping[str, int] | None = None,
        *,
        is_sent: bool = False,
    ) -> tuple[bytes, ...]:
        """Remove the finished entries from the lane's front; return the entries that are first now.

        If none are left, the lane has been unlocked.

        Args:
            taken: the lane.
            done: the finished entries, in order.
            counts: the numbers to add to fields of ``TALLIES``.
            is_sent: whether one of the messages has just been sent to Mattermost.

        Raises:
            LockLostError: the lock has run out; nothing was removed.
        """
        name, licence = str(taken.lane), _quoted(taken.lane.licence_id)
        added: Iterable[Any] = chain.from_iterable((counts or {}).items())
        args: list[Any] = [taken.token, LOCK_MS, HEADS, name, licence, taken.wake_id]
        keys = [_list(name), _lock(name), _lanes(licence), _wakes(licence), WAITING]
        heads = self._advance(
            keys=[*keys, TALLIES, LAST_SENT],
            args=[*args, done[0], len(done), int(is_sent), *added],
        )
        if heads is None:
            raise LockLostError("the lane's lock has run out")
        taken.lock.was_extended()
        return tuple(cast("list[bytes]", heads))

    def release(self, taken: TakenLane, *, seconds: float = 0, not_earlier: bool = False) -> None:
        """Unlock a lane that is not empty; it is due in ``seconds`` or when its licence is free.

        ``not_earlier``: the lane is not due before that time, even if its licence is not blocked.
        """
        name, licence_id = str(taken.lane), taken.lane.licence_id
        keys = [_list(name), _lock(name), _lanes(_quoted(licence_id)), CIRCUITS]
        args: list[Any] = [taken.token, name, licence_id, seconds, int(not_earlier)]
        self._release(keys=[*keys, _circuit(licence_id)], args=args)

    def revive(self, licence_id: str, *, overdue_ms: int = OVERDUE_MS) -> bool:
        """Publish a wake-up if a lane has been due for ``overdue_ms``.

        Returns:
            Whether the wake-up was published.
        """
        licence = _quoted(licence_id)
        keys = [_lanes(licence), LICENCES, _wakes(licence), QUEUE, CIRCUITS, _circuit(licence_id)]
        args: list[Any] = [licence, licence_id, MAX_WAKE_UPS, LOST_MS, overdue_ms, self._hold_ms]
        args += [LONGEST_PAUSE_MS, *licence_wake_up(licence_id), QUEUED_MS]
        return bool(self._revive(keys=[*keys, _queued(licence)], args=args))

    def give_back(self, licence_id: str, *, wake_id: str) -> bool:
        """End a wake-up without serving it; True: it was the licence's last, and a lane is due."""
        licence = _quoted(licence_id)
        keys = [_lanes(licence), _wakes(licence), CIRCUITS, _circuit(licence_id), _queued(licence)]
        return bool(self._give_back(keys=keys, args=[licence_id, wake_id]))

    def licences(self) -> list[str]:
        """Return the ids of the licences for which a message waits, sorted."""
        quoted = cast("set[bytes]", self._redis.smembers(LICENCES))
        return sorted(unquote(name.decode()) for name in quoted)

    def waiting_of(self, licence_id: str) -> list[Lane]:
        """Return the waiting lanes of one licence; leave out names that cannot be parsed."""
        scan = self._redis.zscan_iter(_lanes(_quoted(licence_id)), count=1_000)
        return [lane for lane in map(_parsed, dict(scan)) if lane is not None]

    def head(self, lane: Lane) -> bytes | None:
        """Return the lane's first entry as Redis holds it, or None if the lane is empty."""
        return cast("bytes | None", self._redis.lindex(_list(str(lane)), 0))

    def remove_head(self, lane: Lane, raw: bytes) -> bytes | None:
        """Remove the first entry if it is still ``raw``; return the entry that is first now."""
        args: list[Any] = [raw, _quoted(lane.licence_id)]
        answer = self._remove_head(keys=[_list(str(lane)), WAITING], args=args)
        return cast("bytes | None", answer)

    def unmark_if_empty(self, lane: Lane) -> bool:
        """Remove the lane from the waiting lanes if it is empty; return whether it was empty."""
        name = str(lane)
        keys = [_list(name), _lanes(_quoted(lane.licence_id))]
        return bool(self._unmark_if_empty(keys=keys, args=[name]))

    def try_lock(self, lane: Lane) -> ContextManager[HeldLock | None]:
        """Yield the lane's lock, or None if another process holds it; never wait for the lock."""
        return try_lock(self._redis, _lock(str(lane)))


@dataclass(frozen=True)
class TakenLane:
    """A lane that this worker has locked to drain, and its first entries as Redis holds them.

    ``circuit`` is the licence's circuit as Redis holds it: its failures in a row, the end of its
    pause (s since 1970), and its next probe (ms since 1970). None: there is none.
    """

    lane: Lane
    lock: HeldLock
    token: str
    wake_id: str
    heads: tuple[bytes, ...]
    circuit: tuple[bytes | None, bytes | None, bytes | None]


def _parsed(name: bytes) -> Lane | None:
    try:
        return Lane.parse(name.decode())
    except ValueError:
        return None


def _quoted(licence_id: str) -> str:
    return quote(licence_id, safe="")


def _list(name: str) -> str:
    return f"{PREFIX}lane:{name}"


def _lock(name: str) -> str:
    return f"{PREFIX}lock:{name}"


def _lanes(licence: str) -> str:
    return f"{PREFIX}lanes:{licence}"


def _wakes(licence: str) -> str:
    return f"{PREFIX}wakes:{licence}"


def _queued(licence: str) -> str:
    return f"{PREFIX}queued:{licence}"


def _circuit(licence_id: str) -> str:
    return f"{PREFIX}circuit:{licence_id}"
