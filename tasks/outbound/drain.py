"""Drain a lane: the worker that holds its lock sends its messages one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import structlog
from redis.exceptions import RedisError

from ireserve_mattermost.lanes import LOCK_S, Lane, LaneEntry, LockLostError, TakenLane
from models import DeliveryKind, DeliveryState
from tasks.failures import Settled, Waiting
from tasks.outbound.batch import send_messages
from tasks.outbound.job import Head, Step
from tasks.outbound.outcomes import hand_over_due
from tasks.outbound.users import store_changes
from tasks.runtime import Runtime
from tasks.watch.own_servers import trouble_of
from tasks.watch.tallies import counts_of, has_sent

log = structlog.get_logger(__name__)

# Short enough for a lane to go on soon after the database or Redis is back.
PAUSE_S = 2.0


@dataclass(slots=True)
class DrainReport:
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
    """A licence that has a thread of this worker, and the wake-up that it came with."""

    licence_id: str
    wake_id: str


def enter(runtime: Runtime, licence_id: str, *, wake_id: str) -> Turn | None:
    """Take a thread for the licence; None: it has its share, or waits until a thread is free.

    A wake-up that the licence's other threads make needless is given back.
    """
    entered = runtime.shares.enter_or_park(licence_id, wake_id)
    # Those threads may just have found nothing due: then this wake-up is needed all the same.
    if entered is False and runtime.lanes.give_back(licence_id, wake_id=wake_id):
        entered = runtime.shares.enter_or_park(licence_id, wake_id)
    return Turn(licence_id, wake_id) if entered else None


def serve(runtime: Runtime, turn: Turn | None) -> DrainReport:
    """Send what is due in the licence's lanes, and then for licences that waited for the thread."""
    report = DrainReport()
    while turn is not None:
        try:
            while taken := _take(runtime, turn):
                _send_all(runtime, taken, report)
                if runtime.settings.outcome_task is not None:
                    hand_over_due(runtime)
        finally:
            turn = leave(runtime, turn.licence_id)
    return report


def leave(runtime: Runtime, licence_id: str) -> Turn | None:
    """Give the licence's thread back, or take it for a licence that waits for one."""
    parked = runtime.shares.leave(licence_id)
    return None if parked is None else Turn(*parked)


def _take(runtime: Runtime, turn: Turn) -> TakenLane | None:
    """Return the licence's next lane; None: nothing is due, or this worker is asked to stop."""
    if not runtime.stopping.is_set():
        return runtime.lanes.take(turn.licence_id, wake_id=turn.wake_id)
    runtime.lanes.give_back(turn.licence_id, wake_id=turn.wake_id)
    # Another worker goes on, at once.
    runtime.lanes.revive(turn.licence_id, overdue_ms=0)
    return None


def _send_all(runtime: Runtime, taken: TakenLane, report: DrainReport) -> None:
    """Send what is first in the lane until it is empty or has to wait, and let it go."""
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
            runtime.lanes.let_go(taken)
    except LockLostError:
        log.warning("lane_lost", lane=str(taken.lane))
    except BaseException as error:
        if trouble_of(error) is None:
            runtime.lanes.let_go(taken)
        else:
            _let_go_after_a_pause(runtime, taken)
        raise


def _let_go_after_a_pause(runtime: Runtime, taken: TakenLane) -> None:
    """Let the lane go and wake its licence again, once Redis takes that.

    The database or Redis does not work: this thread has nothing else to do. Without the pause the
    next attempt would come at once; without the wake-up it would wait for the sweep.
    """
    ends_at = time.monotonic() + LOCK_S
    while time.monotonic() < ends_at and not runtime.stopping.is_set():
        time.sleep(PAUSE_S)
        try:
            runtime.lanes.let_go(taken)
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
    """Keep an entry that cannot be read where it blocks nothing; return what is first now."""
    log.error("entry_unreadable", lane=str(taken.lane))
    _keep(runtime, taken, raw)
    return runtime.lanes.advance(taken, [raw])


def _keep(runtime: Runtime, taken: TakenLane, raw: bytes) -> None:
    if not runtime.lanes.keep_unreadable(raw):
        log.error("entry_dropped", lane=str(taken.lane), size_bytes=len(raw))


def _handle(runtime: Runtime, taken: TakenLane, heads: Sequence[Head]) -> Iterable[Step]:
    """Return the steps in which these first entries of the lane are handled."""
    if not heads:
        return ()
    if heads[0].entry.kind == DeliveryKind.USER:
        return store_changes(runtime, taken.lane, heads)
    return send_messages(runtime, taken.lane, heads, extend=taken.lock.extend)


def _advance(runtime: Runtime, taken: TakenLane, step: Step) -> tuple[bytes, ...]:
    """Remove and count what is settled; return what is first in the lane now."""
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
    """Log the one event of an outcome."""
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
    """Send nothing from the lane for as long as its first message has to wait."""
    runtime.lanes.let_go(taken, seconds=outcome.seconds, whatever=outcome.is_unsettled)
