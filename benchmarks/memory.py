"""Measure the memory of a worker with eight threads, against a bare Celery worker."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks.installation import Installation, running_installation
from benchmarks.post_server import BOT_TOKEN, CHANNEL_ID
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.rig import THREADS, yardstick_worker
from benchmarks.servers import databases
from benchmarks.weights import weights
from demo.redis_server import running_redis
from tests.stage.deployment import Deployment

TARGET = Target.at_most(1.5)
# Enough messages that every thread has worked and every connection is made.
CONVERSATIONS = 100
MESSAGES = 10
MEBIBYTE = 1_024
# More rounds are not needed: two workers with the same work differ by less than 1 %.
MOST_ROUNDS = 2


def run(*, rounds: int) -> Report:
    """Return the comparison on each database, after the same number of messages.

    Each half starts its own worker, puts load on it, and measures it when it is idle again.
    """
    comparisons, notes = [], []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        redis_url = stack.enter_context(running_redis(directory / "redis")).url
        for kind, url in stack.enter_context(databases(directory)).items():
            installation = stack.enter_context(
                running_installation(
                    directory / kind, redis_url=redis_url, database_url=url, threads=THREADS
                )
            )
            comparison, note = _compare(kind, installation, rounds=rounds)
            comparisons.append(comparison)
            notes.append(note)
    return Report("memory", tuple(comparisons), tuple(notes))


def _compare(kind: str, installation: Installation, *, rounds: int) -> tuple[Comparison, str]:
    sides = {"ours": our_worker, "bare": _bare_worker, "least": _worker_with_libraries}
    started: dict[str, list[float]] = {side: [] for side in sides}
    loaded: dict[str, list[float]] = {side: [] for side in sides}
    for number, order in enumerate(alternating(min(rounds, MOST_ROUNDS))):
        for side in list(sides)[::order]:
            with sides[side](installation.deployment) as pid:
                started[side].append(mebibytes(pid))
                _load(installation, side, label=f"{kind}-{number}")
                loaded[side].append(mebibytes(pid))
    note = f"{kind}: before the first message: " + ", ".join(
        f"{side} {median(each):.0f} MiB" for side, each in started.items()
    )
    heavy = weights(installation.deployment.environment)
    note += "; of it " + ", ".join(f"{name} {mib:.1f}" for name, mib in heavy.items())
    return Comparison(kind, "MiB", TARGET, *(tuple(loaded[side]) for side in sides)), note


def _bare_worker(deployment: Deployment) -> AbstractContextManager[int]:
    return yardstick_worker(deployment, "naive")


def _worker_with_libraries(deployment: Deployment) -> AbstractContextManager[int]:
    return yardstick_worker(deployment, "naive", "bare_imports")


@contextmanager
def our_worker(deployment: Deployment) -> Iterator[int]:
    """Yield the process id of our worker."""
    worker = deployment.start_worker()
    try:
        yield worker.process.pid
    finally:
        # SIGTERM lets the worker finish, so that no work is left for the next one.
        worker.kill(signal.SIGTERM)


def _load(installation: Installation, side: str, *, label: str) -> None:
    installation.server.forget()
    if side == "ours":
        installation.enqueue(conversations=CONVERSATIONS, messages=MESSAGES, label=label)
        # Each conversation also has a root post.
        installation.wait_for(CONVERSATIONS * (MESSAGES + 1))
        return
    where = (installation.server.url, BOT_TOKEN, CHANNEL_ID, "r" * 26)
    text = {"sender_name": "Jan de Vries", "text": "Is the house free?"}
    calls = [
        ("naive.post_reply", where, {**text, "conversation_id": "c", "message_id": str(number)})
        for number in range(CONVERSATIONS * (MESSAGES + 1))
    ]
    installation.producer.delay_all(calls)
    installation.wait_for(len(calls))


def mebibytes(pid: int) -> float:
    """Return the resident memory of the process in MiB, as ``ps`` shows it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kibibytes) / MEBIBYTE
