"""Lanes: first-in-first-out lists in Redis, where a message waits until it has been sent.

One lane for each conversation and one for each notification type of a licence. A Celery message
may be lost or come twice; what is in a lane stays there until the ledger says that it is done.
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
from ireserve_mattermost.lane import Lane, LaneEntry
from ireserve_mattermost.locks import LOCK_S, HeldLock, LockLostError, held, lock_of
from ireserve_mattermost.unreadable import keep_unreadable
from ireserve_mattermost.wake_ups import QUEUE, licence_wake_up

__all__ = [
    "LOCK_S",
    "HeldLock",
    "Lane",
    "LaneEntry",
    "Lanes",
    "LockLostError",
    "TakenLane",
    "TooManyError",
]

PREFIX = "ireserve-mattermost:"
# Licences (quoted) in whose lanes something waits.
LICENCES = PREFIX + "licences"
# How many messages wait for each licence, and what an operator has set in place of MAX_WAITING.
WAITING = PREFIX + "waiting"
LIMIT = PREFIX + "limit"
# Licences whose circuit is open (tasks/licences/circuit.py).
CIRCUITS = PREFIX + "circuits"
# A hash of numbers: how many messages ended how (tasks/watch/tallies.py).
TALLIES = PREFIX + "tallies"

# When a message of each licence was last sent, in ms of Redis' clock.
LAST_SENT = PREFIX + "last_sent"

# Wake-ups of one licence that are in the queue or at work: as many threads as two workers give it.
MAX_WAKE_UPS = 8
# For this long a wake-up that is in the queue stands for all of its licence. Workers that are not
# overloaded have taken it by then; one that was lost does not count for longer.
QUEUED_MS = 1_000
# A wake-up that has not been heard of for longer than a request takes is lost.
LOST_MS = 25_000
# A lane that has been due for this long has lost its wake-up. Usually it comes at once.
OVERDUE_MS = 5_000
# No lane is left alone for longer: a moment further ahead was set by another clock.
LONGEST_PAUSE_MS = 900_000
# How long a message waits while its server is away, unless the workers' HOLD_S says otherwise.
HOLD_MS = 600_000
# Messages that wait for one licence: a day of the busiest team with its server away, at 2 kB each
# 200 MB of Redis. A licence that has more is not read by its team.
MAX_WAITING = 100_000
# What one worker takes from a lane at a time: few enough to hold in memory whatever their size
# (500,000 characters each at most), enough for the database's part in a message to be small.
HEADS = 10
# Lanes that one step looks at: a few may be held for a moment, by an operator's command.
CANDIDATES = 20


class TooManyError(Exception):
    """So much waits for the licence that nothing more is taken; the message names the licence."""


class Lanes:
    """The lanes of one Redis database. ``hold_ms`` is how long a message waits for its server."""

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

        Returns whether the ``wake`` (``wake_ups.wake_up``) was published: not when the licence has
        been woken already, or is left alone.

        Raises:
            TooManyError: MAX_WAITING messages, or LIMIT's number, wait for the licence already.
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

        While more is due another wake-up is published, so that more threads come one by one.
        None: nothing is due, and the wake-up is over.
        """
        token, licence, taken_at = uuid4().hex, _quoted(licence_id), time.monotonic()
        args: list[Any] = [token, _ms(LOCK_S), HEADS, PREFIX, licence, licence_id, wake_id]
        answer = self._take(
            keys=[
                *(_lanes(licence), LICENCES, _wakes(licence), CIRCUITS, _circuit(licence_id)),
                _queued(licence),
            ],
            args=[*args, self._hold_ms, LONGEST_PAUSE_MS, CANDIDATES, MAX_WAKE_UPS],
        )
        if not answer:
            return None
        raw_name, heads, wants_more = cast("tuple[bytes, list[bytes], int]", answer)
        name = _parsed(raw_name)
        if name is None:
            # Written by something else: out of the way, with what is in it left where it is.
            self._redis.zrem(_lanes(licence), raw_name)
            self.keep_unreadable(raw_name)
            return self.take(licence_id, wake_id=wake_id)
        if wants_more:
            self.revive(licence_id, overdue_ms=0)
        return self._taken(name, token, wake_id, heads, taken_at)

    def _taken(
        self, lane: Lane, token: str, wake_id: str, heads: Sequence[bytes], taken_at: float
    ) -> TakenLane:
        lock = lock_of(self._redis, _lock(str(lane)))
        lock.local.token = token.encode()
        mine = HeldLock(lock, taken_at=taken_at)
        return TakenLane(lane, mine, token, wake_id, tuple(heads))

    def advance(
        self,
        taken: TakenLane,
        done: Sequence[bytes],
        counts: Mapping[str, int] | None = None,
        *,
        is_sent: bool = False,
    ) -> tuple[bytes, ...]:
        """Remove the entries that are done, the first ones; return which are first now.

        When there are none the lane has been let go. ``counts`` is what the removal adds to which
        field of ``TALLIES``; ``is_sent``: one of the messages is in Mattermost since now.

        Raises:
            LockLostError: the lock has run out; nothing was removed.
        """
        name, licence = str(taken.lane), _quoted(taken.lane.licence_id)
        added: Iterable[Any] = chain.from_iterable((counts or {}).items())
        args: list[Any] = [taken.token, _ms(LOCK_S), HEADS, name, licence, taken.wake_id]
        keys = [_list(name), _lock(name), _lanes(licence), _wakes(licence), WAITING]
        heads = self._advance(
            keys=[*keys, TALLIES, LAST_SENT],
            args=[*args, done[0], len(done), int(is_sent), *added],
        )
        if heads is None:
            raise LockLostError("the lane's lock has run out")
        taken.lock.was_extended()
        return tuple(cast("list[bytes]", heads))

    def let_go(self, taken: TakenLane, *, seconds: float = 0, whatever: bool = False) -> None:
        """Leave a lane that is not empty to others, in ``seconds`` or when its licence is back.

        ``whatever``: not before that time, whether the licence is left alone or not.
        """
        name, licence_id = str(taken.lane), taken.lane.licence_id
        keys = [_list(name), _lock(name), _lanes(_quoted(licence_id)), CIRCUITS]
        args: list[Any] = [taken.token, name, licence_id, seconds, int(whatever)]
        self._release(keys=[*keys, _circuit(licence_id)], args=args)

    def revive(self, licence_id: str, *, overdue_ms: int = OVERDUE_MS) -> bool:
        """Publish a wake-up if a lane has been due for this long; say whether that was so."""
        licence = _quoted(licence_id)
        keys = [_lanes(licence), LICENCES, _wakes(licence), QUEUE, CIRCUITS, _circuit(licence_id)]
        args: list[Any] = [licence, licence_id, MAX_WAKE_UPS, LOST_MS, overdue_ms, self._hold_ms]
        args += [LONGEST_PAUSE_MS, *licence_wake_up(licence_id), QUEUED_MS]
        return bool(self._revive(keys=[*keys, _queued(licence)], args=args))

    def give_back(self, licence_id: str, *, wake_id: str) -> bool:
        """End a wake-up that is not served; True: it was the last one, and something is due."""
        licence = _quoted(licence_id)
        keys = [_lanes(licence), _wakes(licence), CIRCUITS, _circuit(licence_id)]
        keys.append(_queued(licence))
        return bool(self._give_back(keys=keys, args=[licence_id, wake_id]))

    def licences(self) -> list[str]:
        """Return the licences for which something waits."""
        return sorted(unquote(name.decode()) for name in self._members())

    def _members(self) -> set[bytes]:
        return cast("set[bytes]", self._redis.smembers(LICENCES))

    def waiting_of(self, licence_id: str) -> list[Lane]:
        """Return the waiting lanes of one licence; a name that is none is left out."""
        scan = self._redis.zscan_iter(_lanes(_quoted(licence_id)), count=1_000)
        return [lane for lane in map(_parsed, dict(scan)) if lane is not None]

    def head(self, lane: Lane) -> bytes | None:
        """Return the lane's first entry as it is kept in Redis, None if the lane is empty."""
        return cast("bytes | None", self._redis.lindex(_list(str(lane)), 0))

    def remove_head(self, lane: Lane, raw: bytes) -> bytes | None:
        """Remove the first entry if it is still this one; return the entry that is first now."""
        args: list[Any] = [raw, _quoted(lane.licence_id)]
        answer = self._remove_head(keys=[_list(str(lane)), WAITING], args=args)
        return cast("bytes | None", answer)

    def keep_unreadable(self, raw: bytes) -> bool:
        """Keep an entry that cannot be read where it blocks nothing; False: too many are kept."""
        return keep_unreadable(self._redis, raw)

    def unmark_if_empty(self, lane: Lane) -> bool:
        """Take the lane off the waiting list if nothing is in it; say whether that was so."""
        name = str(lane)
        keys = [_list(name), _lanes(_quoted(lane.licence_id))]
        return bool(self._unmark_if_empty(keys=keys, args=[name]))

    def locked(self, lane: Lane) -> ContextManager[HeldLock | None]:
        """Yield the lane's lock, or None when another process has it; never wait for it."""
        return held(self._redis, _lock(str(lane)))


@dataclass(frozen=True)
class TakenLane:
    """A lane that is ours to drain, and its first entries as they stand in Redis."""

    lane: Lane
    lock: HeldLock
    token: str
    wake_id: str
    heads: tuple[bytes, ...]


def _parsed(name: bytes) -> Lane | None:
    try:
        return Lane.parse(name.decode())
    except ValueError:
        return None


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)


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
