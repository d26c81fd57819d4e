"""The metrics of the installation itself: its parts, its Redis and its periodic tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ireserve_mattermost.lanes import MAX_WAITING
from tasks.watch.processes import ProcessKind
from tasks.watch.refusals import POSSIBLE, Refusal
from tasks.watch.removals import Removable, Removals
from tasks.watch.store_looks import PartState

PREFIX = "ireserve_mattermost_"
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class RedisFigures:
    """Whether Redis works, and how much memory it uses; ``limit_bytes`` is 0 without a limit."""

    takes_messages: bool = True
    keeps_messages: bool = True
    used_bytes: int = 0
    limit_bytes: int = 0


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """The installation's figures in Redis; ``swept_at`` is None if the sweep has never run."""

    redis: RedisFigures = field(default_factory=RedisFigures)
    store: PartState = PartState.UNKNOWN
    swept_at: datetime | None = None
    removals: Removals = field(default_factory=Removals)
    refused: Mapping[Refusal, int] = field(default_factory=dict)
    queued: int = 0
    set_aside: int = 0
    processes: Mapping[ProcessKind, int] = field(default_factory=dict)
    waiting_limit: int = MAX_WAITING
    # Messages that i-Reserve's own workers have not taken.
    untaken: int = 0
    settings_without_effect: int = 0
    clock_apart_s: float = 0.0


def up(*, database: bool, own: OwnFigures | None) -> Metric:
    """Return which parts work, without the store if its state is unknown."""
    parts = {"database": database, "broker": own is not None and own.redis.takes_messages}
    if own is not None and own.store is not PartState.UNKNOWN:
        parts["store"] = own.store is PartState.OK
    family = GaugeMetricFamily(
        f"{PREFIX}up", "1: the part does its work; 0: it does not.", labels=["part"]
    )
    for part, is_up in parts.items():
        family.add_metric([part], int(is_up))
    return family


def build_info() -> Metric:
    """Return the version of the web process that answers."""
    family = GaugeMetricFamily(
        f"{PREFIX}build_info", "Always 1; the version is the label.", labels=["version"]
    )
    family.add_metric([version("ireserve-mattermost")], 1)
    return family


def own_families(own: OwnFigures) -> Iterator[Metric]:
    """Yield the metrics of the installation's figures in Redis."""
    yield from _redis(own.redis)
    yield _processes(own.processes)
    yield GaugeMetricFamily(
        f"{PREFIX}queue_messages", "Celery messages that no worker has taken.", value=own.queued
    )
    yield GaugeMetricFamily(
        f"{PREFIX}entries_set_aside",
        "Entries that no worker could read, including dropped ones.",
        value=own.set_aside,
    )
    yield GaugeMetricFamily(
        f"{PREFIX}messages_waiting_limit",
        "How many messages may wait for one licence; over it they are refused.",
        value=own.waiting_limit,
    )
    yield GaugeMetricFamily(
        f"{PREFIX}reply_queue_messages",
        "Messages for i-Reserve that none of its workers has taken.",
        value=own.untaken,
    )
    yield GaugeMetricFamily(
        f"{PREFIX}settings_without_effect",
        "Settings of web that do nothing: names that no process reads, an unusable SENTRY_DSN.",
        value=own.settings_without_effect,
    )
    yield GaugeMetricFamily(
        f"{PREFIX}redis_clock_apart_seconds",
        "How far Redis' clock and that of the web process are apart.",
        value=own.clock_apart_s,
    )
    yield _refused(own.refused)
    yield GaugeMetricFamily(
        f"{PREFIX}sweep_last_run_timestamp_seconds",
        "When a worker last did what beat asks for every 5 s; 0: never.",
        value=(own.swept_at or EPOCH).timestamp(),
    )
    yield from _removals(own.removals)


def _redis(redis: RedisFigures) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        f"{PREFIX}redis_keeps_messages",
        "1: Redis is set up to lose nothing; 0: it evicts keys, or has no append-only file.",
        value=int(redis.keeps_messages),
    )
    yield GaugeMetricFamily(
        f"{PREFIX}redis_memory_used_bytes", "Memory that Redis uses.", value=redis.used_bytes
    )
    yield GaugeMetricFamily(
        f"{PREFIX}redis_memory_limit_bytes", "Its maxmemory; 0: none.", value=redis.limit_bytes
    )


def _processes(counts: Mapping[ProcessKind, int]) -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}processes",
        "Workers and beats that have sent a heartbeat within 30 s.",
        labels=["kind"],
    )
    for kind in ProcessKind:
        family.add_metric([kind.value], counts.get(kind, 0))
    return family


def _refused(counts: Mapping[Refusal, int]) -> Metric:
    family = CounterMetricFamily(
        f"{PREFIX}refused",
        "Calls that web has refused; webhook 401: no licence has the token.",
        labels=["address", "status"],
    )
    for address, status in POSSIBLE:
        family.add_metric([address.value, str(status.value)], counts.get((address, status), 0))
    return family


def _removals(removals: Removals) -> Iterator[Metric]:
    family = CounterMetricFamily(
        f"{PREFIX}removed", "Rows and files that retention has removed.", labels=["kind"]
    )
    for kind in Removable:
        family.add_metric([kind.value], removals.removed.get(kind.value, 0))
    yield family
    yield GaugeMetricFamily(
        f"{PREFIX}retention_last_run_timestamp_seconds",
        "When retention last ran to its end, as beat asks for every minute; 0: never.",
        value=(removals.ran_at or EPOCH).timestamp(),
    )
