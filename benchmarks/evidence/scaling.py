"""Measure one, two and four workers on a slow server, against linear growth."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from socket import gethostname
from statistics import median

from celery import Celery

from benchmarks.installation import Installation, running_installation
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.rig import controlling
from benchmarks.servers import databases
from demo.redis_server import running_redis

TARGET = Target.at_least(0.85)
SERVICE_MS = 50
# Few enough that four workers do not fill the cores, which would measure the machine.
THREADS = 2
WORKERS = (1, 2, 4)
QUEUE = "mattermost"
# For each worker, so that all halves take the same time. There are many more lanes than threads,
# since the last messages of the last lanes do not keep all threads busy.
CONVERSATIONS = 60
MESSAGES = 4
CONTROL_TIMEOUT_S = 20


def run(*, rounds: int) -> Report:
    """Return a comparison for each database and number of workers, and notes on the cores."""
    comparisons, notes = [], []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        redis_url = stack.enter_context(running_redis(directory / "redis")).url
        for kind, url in stack.enter_context(databases(directory)).items():
            with running_installation(
                directory / kind,
                redis_url=redis_url,
                database_url=url,
                threads=THREADS,
                service_ms=SERVICE_MS,
            ) as installation:
                rates, busy = _measure(installation, redis_url, kind, rounds=rounds)
            comparisons += _comparisons(kind, rates)
            notes.append(_cores_note(kind, busy))
    return Report("scaling", tuple(comparisons), tuple(notes))


def _measure(
    installation: Installation, redis_url: str, kind: str, *, rounds: int
) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """Return the posts per second and the cores in use by number of workers."""
    with controlling(redis_url) as control:
        names = _start_workers(installation)
        _pause(control, names)
        rates: dict[int, list[float]] = {count: [] for count in WORKERS}
        busy: dict[int, list[float]] = {count: [] for count in WORKERS}
        for number, order in enumerate(alternating(rounds)):
            for count in WORKERS[::order]:
                rate, cores = _half(
                    installation, control, names[:count], label=f"{kind}-{number}-{count}"
                )
                rates[count].append(rate)
                busy[count].append(cores)
    return rates, busy


def _start_workers(installation: Installation) -> list[str]:
    deployment = installation.deployment
    for number in range(max(WORKERS)):
        deployment.environment["WORKER_NAME"] = f"worker{number}"
        deployment.start_worker()
    return [f"worker{number}@{gethostname()}" for number in range(max(WORKERS))]


def _pause(control: Celery, names: list[str]) -> None:
    """Stop the workers from taking tasks."""
    answers = control.control.cancel_consumer(
        QUEUE, destination=names, reply=True, limit=len(names), timeout=CONTROL_TIMEOUT_S
    )
    count = len(answers or [])
    if count < len(names):
        raise AssertionError(f"{count} of {len(names)} workers answered")


def _half(
    installation: Installation, control: Celery, names: list[str], *, label: str
) -> tuple[float, float]:
    """Enqueue for these paused workers, resume them; return posts per second and cores in use."""
    conversations = CONVERSATIONS * len(names)
    installation.server.forget()
    installation.enqueue(conversations=conversations, messages=MESSAGES, label=label)
    before, began = _busy_s(), time.monotonic()
    control.control.add_consumer(QUEUE, destination=names)
    # Each conversation also has a root post.
    posts = conversations * (MESSAGES + 1)
    seconds = installation.wait_for(posts)
    cores = (_busy_s() - before) / (time.monotonic() - began)
    _pause(control, names)
    return posts / seconds, cores


def _busy_s() -> float:
    """Return the seconds that the machine's cores have worked for all processes."""
    user, nice, system, _, _, irq, softirq, *_ = (
        int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _comparisons(kind: str, rates: dict[int, list[float]]) -> list[Comparison]:
    return [
        Comparison(
            f"{kind}, {count} workers",
            "posts/s",
            TARGET,
            tuple(rates[count]),
            tuple(count * rate for rate in rates[1]),
        )
        for count in WORKERS[1:]
    ]


def _cores_note(kind: str, busy: dict[int, list[float]]) -> str:
    used = ", ".join(f"{count}: {median(each):.2f}" for count, each in busy.items())
    return f"{kind}: cores in use of {os.cpu_count()}, by workers: {used}"
