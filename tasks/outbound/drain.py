"""Drain a lane: whoever holds its lock sends its messages one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from models import DeliveryKind, DeliveryState
from tasks.lanes import Lane, LaneEntry, LaneLostError, TakenLane
from tasks.outbound.batch import Batch, give_up, is_the_entrys_fault
from tasks.outbound.tasks import wake
from tasks.outbound.users import store_change
from tasks.outcomes import Settled, Waiting
from tasks.runtime import Runtime
from tasks.watch.tallies import counts_of

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
    taken = runtime.lanes.take(lane)
    if taken is None:
        return
    try:
        _send_all(runtime, taken, report)
    except LaneLostError:
        log.warning("lane_lost", lane=str(lane))
    except BaseException:
        runtime.lanes.let_go(taken)
        raise


def _send_all(runtime: Runtime, taken: TakenLane, report: Report) -> None:
    """Send what is first in the lane until it is empty or must be left alone, and let it go."""
    heads = taken.heads
    while heads and not runtime.stopping.is_set():
        taken.lock.extend()
        entries = _readable(heads)
        if not entries:
            log.error("entry_unreadable", lane=str(taken.lane))
            runtime.lanes.keep_unreadable(heads[0])
            heads = runtime.lanes.advance(taken, heads[:1])
            continue
        following = heads
        for outcomes in _handle(runtime, taken, entries):
            settled = [outcome for outcome in outcomes if isinstance(outcome, Settled)]
            _note(taken.lane, outcomes, report)
            if settled:
                counts = counts_of(taken.lane, entries[: len(settled)], settled)
                following = runtime.lanes.advance(taken, heads[: len(settled)], counts)
                heads, entries = heads[len(settled) :], entries[len(settled) :]
            if len(settled) < len(outcomes):
                _wait(runtime, taken, outcomes[-1])
                return
        heads = following
    if heads:
        # This worker is asked to stop: what is left is another one's, and at once.
        runtime.lanes.let_go(taken)
        wake(taken.lane)


def _readable(heads: Sequence[bytes]) -> list[LaneEntry]:
    """Return the entries before the first one that is none of ours."""
    entries = []
    for raw in heads:
        try:
            entries.append(LaneEntry.load(raw))
        except ValueError:
            break
    return entries


def _handle(
    runtime: Runtime, taken: TakenLane, entries: Sequence[LaneEntry]
) -> Iterator[list[Settled | Waiting]]:
    """Handle the entries in turn and yield how they ended; see ``Batch.send``."""
    lane = taken.lane
    if entries[0].kind == DeliveryKind.USER:
        for entry in entries:
            yield [_store_change(runtime, lane, entry)]
        return
    try:
        batch = Batch(runtime, lane, entries, extend=taken.lock.extend)
        batch.begin()
    except Exception as error:
        if not is_the_entrys_fault(error):
            raise
        if len(entries) == 1:
            yield [give_up(runtime, lane, entries[0], error)]
            return
        # One of them breaks us: each by itself, so that the others are sent.
        for entry in entries:
            yield from _handle(runtime, taken, [entry])
        return
    yield from batch.send()


def _store_change(runtime: Runtime, lane: Lane, entry: LaneEntry) -> Settled:
    try:
        return store_change(runtime, lane, entry)
    except Exception as error:
        if not is_the_entrys_fault(error):
            raise
        return give_up(runtime, lane, entry, error)


def _note(lane: Lane, outcomes: Sequence[Settled | Waiting], report: Report) -> None:
    for outcome in outcomes:
        _log(lane, outcome)
        report.add(lane, outcome)


def _wait(runtime: Runtime, taken: TakenLane, outcome: Settled | Waiting) -> None:
    """Leave the lane alone for as long as its first message has to wait."""
    assert isinstance(outcome, Waiting)
    moment_ms = runtime.lanes.now_ms() + round(outcome.seconds * 1_000)
    runtime.lanes.wake_at(taken.lane, moment_ms)
    if outcome.is_unsettled:
        runtime.lanes.leave_alone(taken.lane, seconds=outcome.seconds)
    runtime.lanes.let_go(taken)


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
