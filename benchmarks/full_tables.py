"""Measure a load on tables with years of traffic, against nearly empty tables."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from redis import Redis
from sqlalchemy import make_url, text

from benchmarks.filling import CONVERSATIONS, fill
from benchmarks.installation import (
    LICENCES,
    Installation,
    reply,
    running_installation,
)
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.servers import databases
from demo.redis_server import running_redis
from ireserve_mattermost.keys import lane_of
from ireserve_mattermost.message_task import entry_of
from models import Database
from settings import Settings
from tasks.cli.status import read_status
from tasks.outbound.drain import enter, serve
from tasks.outbound.resending import find_failed
from tasks.outbound.retention import forget_old_payloads
from tasks.replies.catch_up import collect
from tasks.replies.live_channels import licences_with_threads
from tasks.replies.open_replies import claim
from tasks.runtime import Runtime, build_runtime
from tasks.watch.filter import Filter
from tasks.watch.logs import configure_logs
from tests.stage.plans import Statements, is_bounded, plans, watched

TARGET = Target.at_most(1.1)
THREADS = 8
# The load uses each STEP-th conversation of the full tables; the empty tables hold only these.
STEP = 10_000
MESSAGES = 5


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sides: its installation, and a runtime to query its tables."""

    installation: Installation
    runtime: Runtime


def run(*, rounds: int) -> Report:
    """Return the comparison on each database, and notes on the statements' plans."""
    configure_logs(level="ERROR", log_format="console")
    comparisons, notes = [], []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        redis_url = stack.enter_context(running_redis(directory / "redis")).url
        for kind, url in stack.enter_context(databases(directory)).items():
            with ExitStack() as of_kind:
                sides = {
                    side: _start(of_kind, directory / kind, side, url, redis_url, number=number)
                    for number, side in enumerate(("full", "empty"))
                }
                comparisons.append(_compare(kind, sides, rounds=rounds))
                notes += _notes(kind, sides)
    return Report("full_tables", tuple(comparisons), tuple(notes))


def _start(
    stack: ExitStack, directory: Path, side: str, url: str, redis_url: str, *, number: int
) -> Side:
    directory.mkdir(exist_ok=True)
    database_url = _new_database(url, directory, side)
    own_redis_url = f"{redis_url.rpartition('/')[0]}/{number}"
    installation = stack.enter_context(
        running_installation(
            directory / side, redis_url=own_redis_url, database_url=database_url, threads=THREADS
        )
    )
    runtime = build_runtime(
        Settings(
            database_url=database_url,
            redis_url=own_redis_url,
            encryption_keys=installation.deployment.environment["ENCRYPTION_KEYS"],
        )
    )
    fill(runtime.database, step=1 if side == "full" else STEP)
    installation.deployment.start_worker()
    return Side(installation, runtime)


def _new_database(url: str, directory: Path, name: str) -> str:
    """Make a database of this name on the same server; return its address."""
    if url.startswith("sqlite"):
        return f"sqlite:///{directory / name}.db"
    server = Database(url)
    with server.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    server.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _compare(kind: str, sides: dict[str, Side], *, rounds: int) -> Comparison:
    took: dict[str, list[float]] = {side: [] for side in sides}
    for each in sides.values():
        _ms_per_message(each.installation, "warm-up")
    for number, order in enumerate(alternating(rounds)):
        for side in list(sides)[::order]:
            took[side].append(_ms_per_message(sides[side].installation, str(number)))
    return Comparison(kind, "ms/message", TARGET, tuple(took["full"]), tuple(took["empty"]))


def _ms_per_message(installation: Installation, label: str) -> float:
    """Enqueue messages in old conversations and as many new ones; return the ms per post."""
    calls = list(_calls(label))
    installation.server.forget()
    installation.producer.delay_all(calls)
    posts = len(calls) + CONVERSATIONS // STEP
    return installation.wait_for(posts) / posts * 1_000


def _calls(label: str) -> Iterator[tuple[str, tuple[str, str], dict[str, str]]]:
    for message in range(MESSAGES):
        for number in range(0, CONVERSATIONS, STEP):
            licence = number % len(LICENCES)
            yield reply(f"old-{number}", f"{label}-{message}", licence=licence)
            yield reply(f"new-{label}-{number}", str(message), licence=licence)


def _notes(kind: str, sides: dict[str, Side]) -> list[str]:
    """Return notes on the plans on the full tables, and on the time of an operator's queries."""
    full = sides["full"].runtime
    engine = full.database.engine
    with watched(engine) as per_message:
        _send(full)
    notes = [_plan_note(kind, "message", plan) for plan in plans(engine, per_message)]
    for name in _queries(full):
        with watched(engine) as statements:
            full_ms = _ms(_queries(full)[name])
        empty_ms = _ms(_queries(sides["empty"].runtime)[name])
        notes.append(f"{kind}: {name}: {full_ms:.1f} ms, on empty tables {empty_ms:.1f} ms")
        notes += [_plan_note(kind, name, plan) for plan in _unbounded(full, statements)]
    return notes


def _plan_note(kind: str, what: str, plan: str) -> str:
    return f"{kind}: {what}: {'' if is_bounded(plan) else 'READS A WHOLE TABLE: '}{plan}"


def _unbounded(runtime: Runtime, statements: Statements) -> list[str]:
    found = plans(runtime.database.engine, statements)
    return [plan for plan in found if not is_bounded(plan)]


def _send(runtime: Runtime) -> None:
    """Send a message in an old conversation, and one in a new conversation."""
    for conversation in ("old-0", "planned"):
        payload = {
            "licence_id": LICENCES[0],
            "conversation_id": conversation,
            "message_id": "planned",
            "sender_name": "Jan",
            "sender_role": "visitor",
            "text": "Is it free?",
        }
        runtime.lanes.append(lane_of("reply", payload), entry_of("reply", payload, "planned"))
        serve(runtime, enter(runtime, LICENCES[0], wake_id="planned"))


def _queries(runtime: Runtime) -> dict[str, Callable[[], object]]:
    database = runtime.database
    redis = Redis.from_url(runtime.settings.redis_url)

    def _status() -> None:
        with database.transaction() as session:
            read_status(session, redis, None)

    def _failed() -> None:
        with database.transaction() as session:
            find_failed(session, Filter(LICENCES[0]), limit=50)

    def _sweep() -> None:
        with database.transaction() as session:
            claim(session, limit=500)

    return {
        "status": _status,
        "failed": _failed,
        "sweep": _sweep,
        "retention": partial(forget_old_payloads, runtime),
        "catch-up, which licences": partial(licences_with_threads, database),
        "catch-up, which channels": partial(collect, runtime, LICENCES[0], on_page=_nothing),
    }


def _nothing() -> None:
    """Stand in for extending a lock."""


def _ms(query: Callable[[], object]) -> float:
    began = time.perf_counter()
    query()
    return (time.perf_counter() - began) * 1_000
