"""Drain a lane: whoever holds its lock sends its messages one after the other."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, SQLAlchemyError, StatementError

from models import DeliveryKind, DeliveryState
from tasks.delivery import deliver, refuse_entry
from tasks.failures import SendFailedError
from tasks.lanes import Lane, LaneEntry, LaneLock, LaneLostError
from tasks.outcomes import Settled, Waiting
from tasks.reasons import OwnReason
from tasks.runtime import Runtime
from tasks.users import store_change

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Report:
    """What one task has done: how many messages of each outcome, and which have failed."""

    sent: int = 0
    skipped: int = 0
    duplicates: int = 0
    waiting: int = 0
    failed: list[tuple[Lane, Settled]] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the counts that are not zero, as Flower shows them."""
        counts = {
            "sent": self.sent,
            "failed": len(self.failed),
            "skipped": self.skipped,
            "known already": self.duplicates,
            "waiting": self.waiting,
        }
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or (
            "nothing to do: another task has it"
        )

    def add(self, lane: Lane, outcome: Settled | Waiting) -> None:
        """Count one message."""
        if isinstance(outcome, Waiting):
            self.waiting += 1
        elif outcome.state is DeliveryState.FAILED:
            self.failed.append((lane, outcome))
        elif outcome.is_duplicate:
            self.duplicates += 1
        elif outcome.state is DeliveryState.SENT:
            self.sent += 1
        else:
            self.skipped += 1


def drain(runtime: Runtime, lane: Lane) -> Report:
    """Send what waits in the lane, and in other lanes that waited for this licence's thread.

    Returns at once when another worker is draining the lane, or when the licence has its share of
    this worker's threads (the lane is then drained by one of them).
    """
    report = Report()
    if not runtime.slots.take(lane):
        return report
    _drain_with_parked(runtime, lane, report)
    return report


def drain_parked(runtime: Runtime, licence_id: str) -> Report:
    """Give back a thread that the licence had for something else, after what waited for it."""
    report = Report()
    lane = runtime.slots.next_or_leave(licence_id)
    if lane is not None:
        _drain_with_parked(runtime, lane, report)
    return report


def _drain_with_parked(runtime: Runtime, lane: Lane, report: Report) -> None:
    next_lane: Lane | None = lane
    try:
        while next_lane is not None:
            _drain_one(runtime, next_lane, report)
            next_lane = runtime.slots.next_or_leave(lane.licence_id)
    except BaseException:
        runtime.slots.leave(lane.licence_id)
        raise


def _drain_one(runtime: Runtime, lane: Lane, report: Report) -> None:
    """Drain the lane, and look again after letting it go.

    A message that is appended after the lane was seen empty and before the lock is released wakes
    somebody who does not get the lock; so whoever had it looks once more.
    """
    while True:
        with runtime.lanes.locked(lane) as lock:
            if lock is None:
                return
            try:
                is_blocked = _send_all(runtime, lane, lock, report)
            except LaneLostError:
                log.warning("lane_lost", lane=str(lane))
                return
        if is_blocked or runtime.stopping.is_set() or runtime.lanes.unmark_if_empty(lane):
            return


def _send_all(runtime: Runtime, lane: Lane, lock: LaneLock, report: Report) -> bool:
    """Send head after head; say whether the lane must be left alone although it is not empty."""
    raw = runtime.lanes.head(lane)
    while raw is not None:
        if runtime.stopping.is_set():
            return True
        lock.extend()
        try:
            entry = LaneEntry.load(raw)
        except ValueError:
            log.error("entry_unreadable", lane=str(lane))
            raw = runtime.lanes.set_unreadable_aside(lane, raw)
            continue
        outcome = _handle(runtime, lane, entry, lock)
        _log(lane, outcome)
        report.add(lane, outcome)
        if isinstance(outcome, Waiting):
            moment_ms = runtime.lanes.now_ms() + round(outcome.seconds * 1_000)
            runtime.lanes.wake_at(lane, moment_ms)
            return True
        raw = runtime.lanes.remove_head(lane, raw)
    return False


def _handle(runtime: Runtime, lane: Lane, entry: LaneEntry, lock: LaneLock) -> Settled | Waiting:
    """Handle one entry; one that breaks us fails by itself and does not block its lane for good.

    Raises:
        LaneLostError: the lane is another worker's.
        sqlalchemy.exc.SQLAlchemyError, redis.exceptions.RedisError: a server of ours is away; the
            entry stays where it is and is taken up again.
    """
    try:
        if entry.kind == DeliveryKind.USER:
            return store_change(runtime, lane, entry)
        return deliver(runtime, lane, entry, extend=lock.extend)
    except (LaneLostError, RedisError):
        raise
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not is_about_the_data(error):
            raise
        # The text of an unforeseen error may quote a name or a message; where it arose does not.
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        where = [f"{frame.name}:{frame.lineno}" for frame in frames]
        log.error("message_broke_the_worker", lane=str(lane), key=entry.key, where=where)
        return refuse_entry(runtime, lane, entry, _internal_error(error))


def is_about_the_data(error: SQLAlchemyError) -> bool:
    """Say whether the database could not store a value, now or ever."""
    return isinstance(error, DataError) or type(error) is StatementError


def _internal_error(error: Exception) -> SendFailedError:
    return SendFailedError(
        OwnReason.INTERNAL_ERROR, f"{type(error).__name__} while it was handled; see the log"
    )


def _log(lane: Lane, outcome: Settled | Waiting) -> None:
    fields = {"lane": str(lane), "key": outcome.key}
    if outcome.reason is not None:
        fields["reason"] = outcome.reason
    if isinstance(outcome, Waiting):
        log.info("message_waiting", seconds=round(outcome.seconds, 1), **fields)
    elif outcome.is_duplicate:
        log.info("message_known_already", state=outcome.state.value, **fields)
    elif outcome.state is DeliveryState.FAILED:
        log.error("message_failed", detail=outcome.detail, **fields)
    else:
        log.info("message_" + outcome.state.value, **fields)
