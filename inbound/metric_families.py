"""Makes the metrics' families from the figures of Redis and of the database."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, product
from typing import TypeAlias

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from inbound.own_families import EPOCH, PREFIX, OwnFigures, build_info, own_families, up
from models import DeliveryKind, DeliveryState, ReplySource
from tasks.licences.circuit import CircuitState
from tasks.watch.backlog import Backlog
from tasks.watch.tallies import DELAY_BUCKETS_S, NO_LICENCE, Tally

# If a counter first appears with its first failure, Prometheus sees no increase and sends no alert.
# So these counters exist with 0 from the beginning.
_MESSAGES: Mapping[tuple[str, str], int] = {
    **{(kind.value, DeliveryState.FAILED.value): 0 for kind in DeliveryKind},
    **{(kind.value, DeliveryState.SENT.value): 0 for kind in DeliveryKind if kind.is_message},
}
_REPLIES = dict.fromkeys(product([each.value for each in ReplySource], ("recorded", "given_up")), 0)

_Counts: TypeAlias = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class BrokerFigures:
    """The figures from Redis; ``now`` is the time by Redis' clock."""

    tallies: Mapping[str, Tally] = field(default_factory=dict)
    backlogs: Mapping[str, Backlog] = field(default_factory=dict)
    circuits: Mapping[str, CircuitState] = field(default_factory=dict)
    own: OwnFigures = field(default_factory=OwnFigures)
    now: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """The figures from the database; ``licences`` are the registered ones.

    ``unrecorded`` counts the replies that are not recorded, by licence and whether they are given
    up. ``missing_files`` counts the missing files of recorded replies, by licence.
    ``unowned_files`` counts the files that no reply has, which are still to be removed.
    ``can_write`` is False if the database is read-only.
    """

    licences: Sequence[str] = ()
    unrecorded: Mapping[tuple[str, bool], int] = field(default_factory=Counter)
    missing_files: Mapping[str, int] = field(default_factory=Counter)
    unowned_files: int = 0
    can_write: bool = True


def families(broker: BrokerFigures | None, database: DatabaseFigures | None) -> Iterator[Metric]:
    """Yield all metrics of the parts that answer; None stands for a part that is down."""
    is_well = database is not None and database.can_write
    yield up(database=is_well, own=None if broker is None else broker.own)
    yield build_info()
    if database is not None:
        yield _open_replies(database)
        yield _missing_files(database)
        yield GaugeMetricFamily(
            f"{PREFIX}files_to_remove",
            "Files in the attachment store that no reply has; 0 within minutes.",
            value=database.unowned_files,
        )
    if broker is not None:
        # Without the database, take the licences for which Redis has counts.
        licences = database.licences if database is not None else sorted(broker.tallies)
        yield from _broker_families(broker, licences)


def _broker_families(broker: BrokerFigures, licences: Sequence[str]) -> Iterator[Metric]:
    # NO_LICENCE stands for all unregistered licences together, and is there from the beginning.
    names = (*licences, NO_LICENCE)
    tallies = {name: broker.tallies.get(name, Tally()) for name in names}
    yield _messages({licence: tally.messages for licence, tally in tallies.items()})
    yield _unknown(tallies)
    yield _delays(tallies)
    yield from _waiting(_gathered(broker.backlogs, licences), broker.now)
    yield _circuits(broker.circuits, broker.now)
    yield _replies({licence: tally.replies for licence, tally in tallies.items()})
    yield from own_families(broker.own)


def _messages(by_licence: Mapping[str, _Counts]) -> Metric:
    family = CounterMetricFamily(
        f"{PREFIX}messages",
        "Messages that were enqueued, by how they ended.",
        labels=["licence", "kind", "state"],
    )
    _add_counts(family, by_licence, _MESSAGES)
    return family


def _unknown(tallies: Mapping[str, Tally]) -> Metric:
    family = CounterMetricFamily(
        f"{PREFIX}unknown_arguments",
        "Messages with arguments that the worker does not know and has ignored.",
        labels=["licence", "kind"],
    )
    for licence, tally in tallies.items():
        for kind, count in sorted(tally.unknown.items()):
            family.add_metric([licence, kind], count)
    return family


def _replies(by_licence: Mapping[str, _Counts]) -> Metric:
    family = CounterMetricFamily(
        f"{PREFIX}replies",
        "Posts of the team, by how they were noticed first and what became of them.",
        labels=["licence", "path", "state"],
    )
    _add_counts(family, by_licence, _REPLIES)
    return family


def _add_counts(
    family: CounterMetricFamily, by_licence: Mapping[str, _Counts], zeros: _Counts
) -> None:
    for licence, counts in by_licence.items():
        for (which, state), count in {**zeros, **counts}.items():
            family.add_metric([licence, which, state], count)


def _delays(tallies: Mapping[str, Tally]) -> Metric:
    family = HistogramMetricFamily(
        f"{PREFIX}delay_seconds",
        "Time from .delay() until a message was in Mattermost.",
        labels=["licence"],
    )
    for licence, tally in tallies.items():
        if tally.delays:
            upto = accumulate(tally.delays[bucket] for bucket in DELAY_BUCKETS_S)
            buckets = [
                ("+Inf" if math.isinf(bucket) else str(bucket), float(count))
                for bucket, count in zip(DELAY_BUCKETS_S, upto, strict=True)
            ]
            family.add_metric([licence], buckets, sum_value=tally.delay_ms / 1_000)
    return family


def _gathered(backlogs: Mapping[str, Backlog], licences: Iterable[str]) -> dict[str, Backlog]:
    """Return the backlog of each licence, and one of all unregistered licences together."""
    gathered = {licence: backlogs.get(licence, Backlog()) for licence in licences}
    others = [backlogs[licence] for licence in backlogs.keys() - gathered.keys()]
    gathered[NO_LICENCE] = Backlog(
        sum(each.lanes for each in others),
        sum(each.messages for each in others),
        min((each.oldest_at for each in others if each.oldest_at), default=None),
    )
    return gathered


def _waiting(backlogs: Mapping[str, Backlog], now: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        f"{PREFIX}messages_waiting", "Messages that wait in their lanes.", labels=["licence"]
    )
    oldest = GaugeMetricFamily(
        f"{PREFIX}oldest_waiting_seconds",
        "How long the oldest of them has been waiting; 0: none waits.",
        labels=["licence"],
    )
    for licence, backlog in backlogs.items():
        since = backlog.oldest_at or now
        waiting.add_metric([licence], backlog.messages)
        oldest.add_metric([licence], max(0.0, (now - since).total_seconds()))
    yield waiting
    yield oldest


def _circuits(circuits: Mapping[str, CircuitState], now: datetime) -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}circuit_state",
        "0 closed: messages go out; 1 paused: the server asked for it; 2 open: it is away.",
        labels=["licence"],
    )
    for licence, state in circuits.items():
        family.add_metric([licence], 2 if state.is_open else int(state.blocks(now.timestamp())))
    return family


def _missing_files(database: DatabaseFigures) -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}files_missing",
        "Files of recorded replies that are not in the attachment store.",
        labels=["licence"],
    )
    for licence in database.licences:
        family.add_metric([licence], database.missing_files.get(licence, 0))
    return family


def _open_replies(database: DatabaseFigures) -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}replies_unrecorded",
        "Replies that are not recorded: waiting to be tried (again), or given up.",
        labels=["licence", "state"],
    )
    for licence in database.licences:
        for state, given_up in (("waiting", False), ("given_up", True)):
            family.add_metric([licence, state], database.unrecorded.get((licence, given_up), 0))
    return family
