"""Drain lanes: the worker that holds a lane's lock sends its messages one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import structlog
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import LOCK_S, Lane, LaneEntry, LockLostError, TakenLane
from ireserve_mattermost.unreadable import keep_unreadable
from models import DeliveryKind, DeliveryState
from tasks.failures import Settled, Waiting
from tasks.outbound.batch import send_messages
from tasks.outbound.job import Head, Step
from tasks.outbound.outcomes import publish_due
from tasks.outbound.users import store_changes
from tasks.runtime import Runtime
from tasks.watch.own_servers import trouble_of
from tasks.watch.tallies import counts_of, has_sent

log = structlog.get_logger(__name__)

# Short enough for a lane to continue soon after the database or Redis is back.
PAUSE_S = 2.0


@dataclass(slots=True)
class DrainReport:
    """What one task has done: the numbers of messages by outcome, and the failed messages."""

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
        """Count the outcome of one message."""
        match outcome:
            case Waiting():
                self.waiting += 1
            case Settled(state=DeliveryState.FAILED):
                self.failed.append((lane, outcome))
            case Settled(is_duplicate=True):
                self.duplicates += 1
            case Settled(state=DeliveryState.SENT):
                self.sent += 1
            case _:
                self.skipped += 1


@dataclass(frozen=True, slots=True)
class Turn:
    """A licence that a thread of this worker serves, and the wake-up that started this."""

    licence_id: str
    wake_id: str


def enter(runtime: Runtime, licence_id: str, *, wake_id: str) -> Turn | None:
    """Take this thread for the licence; None: it has its share, or waits until a thread is free.

    If the licence's other threads make the wake-up unnecessary, the wake-up is given back.
    """
    entered = runtime.shares.enter_or_park(licence_id, wake_id)
    # The other threads may just have found no lane due. Then this wake-up is still needed.
    if entered is False and runtime.lanes.give_back(licence_id, wake_id=wake_id):
        entered = runtime.shares.enter_or_park(licence_id, wake_id)
    return Turn(licence_id, wake_id) if entered else None


def serve(runtime: Runtime, turn: Turn | None) -> DrainReport:
    """Send what is due for the licence, and then for the licences that wait for the thread."""
    report = DrainReport()
    while turn is not None:
        try:
            while taken := _take(runtime, turn):
                _send_all(runtime, taken, report)
                if runtime.settings.outcome_task is not None:
                    publish_due(runtime)
            runtime.licences.renew(turn.licence_id)
        finally:
            turn = leave(runtime, turn.licence_id)
    return report


def leave(runtime: Runtime, licence_id: str) -> Turn | None:
    """Free the licence's thread, or return it for a licence that waits for a thread."""
    parked = runtime.shares.leave(licence_id)
    return None if parked is None else Turn(*parked)


def _take(runtime: Runtime, turn: Turn) -> TakenLane | None:
    """Return the licence's next lane; None: no lane is due, or this worker is asked to stop."""
    if not runtime.stopping.is_set():
        taken = runtime.lanes.take(turn.licence_id, wake_id=turn.wake_id)
        if taken is not None:
            runtime.circuits.know(turn.licence_id, taken.circuit)
        return taken
    runtime.lanes.give_back(turn.licence_id, wake_id=turn.wake_id)
    # Wake another worker, which continues at once.
    runtime.lanes.revive(turn.licence_id, overdue_ms=0)
    return None


def _send_all(runtime: Runtime, taken: TakenLane, report: DrainReport) -> None:
    """Send the lane's first messages until the lane is empty or has to wait; then unlock it."""
    heads = taken.heads
    try:
        while heads and not runtime.stopping.is_set():
            taken.lock.extend()
            readable = _readable(heads)
            if not readable:
                heads = _set_aside(runtime, taken, heads[0])
            for step in _handle(runtime, taken, readable):
                _note(taken.lane, step, report, readable)
                if step.heads:
                    heads = _advance(runtime, taken, step)
                if step.waiting is not None:
                    _wait(runtime, taken, step.waiting)
                    return
        if heads:
            runtime.lanes.release(taken)
    except LockLostError:
        log.warning("lane_lost", lane=str(taken.lane))
    except BaseException as error:
        if trouble_of(error) is None:
            runtime.lanes.release(taken)
        else:
            _release_after_a_pause(runtime, taken)
        raise


def _release_after_a_pause(runtime: Runtime, taken: TakenLane) -> None:
    """Unlock the lane and wake a worker for its licence, as soon as Redis works.

    The database or Redis is away, so this thread has no other work. Without the pause the next
    attempt would come at once. Without the wake-up the lane would wait for the sweep.
    """
    ends_at = time.monotonic() + LOCK_S
    while time.monotonic() < ends_at and not runtime.stopping.is_set():
        time.sleep(PAUSE_S)
        try:
            runtime.lanes.release(taken)
            runtime.lanes.revive(taken.lane.licence_id, overdue_ms=0)
        except RedisError:
            continue
        return


def _readable(raw_entries: Sequence[bytes]) -> list[Head]:
    """Return the entries before the first one that this code cannot read."""
    heads = []
    for raw in raw_entries:
        try:
            heads.append(Head(raw, LaneEntry.load(raw)))
        except ValueError:
            break
    return heads


def _set_aside(runtime: Runtime, taken: TakenLane, raw: bytes) -> tuple[bytes, ...]:
    """Set aside an entry that cannot be read; return the entries that are first now."""
    log.error("entry_unreadable", lane=str(taken.lane))
    _keep(runtime, taken, raw)
    return runtime.lanes.advance(taken, [raw])


def _keep(runtime: Runtime, taken: TakenLane, raw: bytes) -> None:
    if not keep_unreadable(runtime.redis, raw):
        log.error("entry_dropped", lane=str(taken.lane), size_bytes=len(raw))


def _handle(runtime: Runtime, taken: TakenLane, heads: Sequence[Head]) -> Iterable[Step]:
    """Return the steps that handle these first entries of the lane."""
    if not heads:
        return ()
    if heads[0].entry.kind == DeliveryKind.USER:
        return store_changes(runtime, taken.lane, heads)
    return send_messages(runtime, taken.lane, heads, extend=taken.lock.extend)


def _advance(runtime: Runtime, taken: TakenLane, step: Step) -> tuple[bytes, ...]:
    """Remove and count the settled entries; return the entries that are first in the lane now."""
    for head, settled in zip(step.heads, step.settled, strict=True):
        if settled.is_set_aside:
            _keep(runtime, taken, head.raw)
    entries = [head.entry for head in step.heads]
    counts = counts_of(taken.lane, entries, step.settled)
    is_sent = has_sent(entries, step.settled)
    return runtime.lanes.advance(taken, [head.raw for head in step.heads], counts, is_sent=is_sent)


def _note(lane: Lane, step: Step, report: DrainReport, tried: Sequence[Head]) -> None:
    outcomes: list[tuple[Settled | Waiting, LaneEntry]] = [
        (settled, head.entry) for settled, head in zip(step.settled, step.heads, strict=True)
    ]
    if step.waiting is not None:
        entries = (head.entry for head in tried if head.entry.key == step.waiting.key)
        outcomes += [(step.waiting, entry) for entry in islice(entries, 1)]
    for outcome, entry in outcomes:
        _log(lane, outcome, entry.correlation_id)
        report.add(lane, outcome)


def _log(lane: Lane, outcome: Settled | Waiting, correlation_id: str) -> None:
    """Log one event for an outcome."""
    fields = {"lane": str(lane), "key": outcome.key, "correlation_id": correlation_id}
    if outcome.reason is not None:
        fields["reason"] = outcome.reason
    match outcome:
        case Waiting():
            log.info("message_waiting", seconds=round(outcome.seconds, 1), **fields)
        case Settled(is_duplicate=True):
            log.info("message_known_already", state=outcome.state.value, **fields)
        case Settled(state=DeliveryState.FAILED):
            log.error("message_failed", detail=outcome.detail, **fields)
        case Settled(state=DeliveryState.SKIPPED):
            log.info("message_skipped", **fields)
        case _:
            log.info("message_sent", **fields)


def _wait(runtime: Runtime, taken: TakenLane, outcome: Waiting) -> None:
    """Unlock the lane, which is due again when its first message may be tried again."""
    runtime.lanes.release(taken, seconds=outcome.seconds, not_earlier=outcome.is_unsettled)
