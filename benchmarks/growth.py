"""Measure whether a worker's memory grows with messages and with licences."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from benchmarks.installation import LICENCES, Installation, add_licences, running_installation
from benchmarks.memory import mebibytes, our_worker
from benchmarks.report import Comparison, Report, Target
from benchmarks.rig import THREADS
from benchmarks.servers import databases
from demo.redis_server import running_redis

# The limits for each further 50,000 messages, and for all licences together.
MOST_MIB = 1.0
MOST_FOR_LICENCES_MIB = 16.0
TARGET = Target.at_most(1.0)
MESSAGES = 200_000
PORTION = 10_000
# After these, each thread and connection has been used, and the caches have their full size.
WARM_UP = 40_000
CONVERSATIONS = 200
MORE_LICENCES = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    """The worker's memory after this number of messages."""

    messages: int
    mib: float


def run(*, rounds: int) -> Report:
    """Return the growth on each database against the limits, from one run, whatever ``rounds``."""
    del rounds
    comparisons, notes = [], []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        redis_url = stack.enter_context(running_redis(directory / "redis")).url
        for kind, url in stack.enter_context(databases(directory)).items():
            with running_installation(
                directory / kind, redis_url=redis_url, database_url=url, threads=THREADS
            ) as installation:
                add_licences(installation, _names())
                with our_worker(installation.deployment) as pid:
                    samples = _soak(installation, pid, kind)
                    grown = _with_licences(installation, pid, kind)
            slope = _slope(samples)
            comparisons += [
                Comparison(
                    f"{kind}, 50,000 messages", "MiB", TARGET, (max(slope, 0.0),), (MOST_MIB,)
                ),
                Comparison(
                    f"{kind}, {MORE_LICENCES:,} licences",
                    "MiB",
                    TARGET,
                    (max(grown, 0.0),),
                    (MOST_FOR_LICENCES_MIB,),
                ),
            ]
            notes.append(f"{kind}: " + ", ".join(f"{each.mib:.0f}" for each in samples) + " MiB")
    return Report("growth", tuple(comparisons), tuple(notes))


def _names() -> list[str]:
    return [f"M{number}" for number in range(MORE_LICENCES)]


def _soak(installation: Installation, pid: int, kind: str) -> list[Sample]:
    """Send the messages in portions, and sample the worker's memory after each portion."""
    samples = []
    for sent in range(PORTION, MESSAGES + 1, PORTION):
        installation.server.forget()
        each, label = PORTION // CONVERSATIONS, f"{kind}-{sent}"
        installation.enqueue(conversations=CONVERSATIONS, messages=each, label=label)
        # Each conversation also has a root post.
        installation.wait_for(PORTION + CONVERSATIONS)
        samples.append(Sample(sent, mebibytes(pid)))
        print(f"  {kind}: {sent:,} messages, {samples[-1].mib:.1f} MiB", file=sys.stderr)
    return samples


def _slope(samples: list[Sample]) -> float:
    """Return the growth of the worker with 50,000 messages in MiB."""
    steady = [each for each in samples if each.messages > WARM_UP]
    slope, _ = linear_regression([each.messages for each in steady], [each.mib for each in steady])
    return slope * 50_000


def _with_licences(installation: Installation, pid: int, kind: str) -> float:
    """Return the growth of the worker in MiB after a message of each of many more licences."""
    before = mebibytes(pid)
    names = _names()
    for start in range(0, len(names), len(LICENCES)):
        installation.server.forget()
        part = names[start : start + len(LICENCES)]
        installation.enqueue_for(part, label=kind)
        installation.wait_for(2 * len(part))
    return mebibytes(pid) - before
