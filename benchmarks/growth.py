"""Whether a worker grows: with messages, with licences, and with a large file."""

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

# What is allowed for the next 50,000 messages, for all licences together, and for a file.
MOST_MIB = 1.0
MOST_FOR_LICENCES_MIB = 16.0
TARGET = Target.at_most(1.0)
MESSAGES = 200_000
PORTION = 10_000
# Until each thread and each connection has been used, and what is kept has its size.
WARM_UP = 40_000
CONVERSATIONS = 200
MORE_LICENCES = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    """How much of the worker was in memory after that many messages."""

    messages: int
    mib: float


def run(*, rounds: int) -> Report:
    """Return the growth on each database, against what is allowed. One run, whatever ``rounds``."""
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
    """Send the messages, portion by portion, and look at the worker after each."""
    samples = []
    for sent in range(PORTION, MESSAGES + 1, PORTION):
        installation.server.forget()
        each, label = PORTION // CONVERSATIONS, f"{kind}-{sent}"
        installation.enqueue(conversations=CONVERSATIONS, messages=each, label=label)
        # Each conversation has a root post as well.
        installation.wait_for(PORTION + CONVERSATIONS)
        samples.append(Sample(sent, mebibytes(pid)))
        print(f"  {kind}: {sent:,} messages, {samples[-1].mib:.1f} MiB", file=sys.stderr)
    return samples


def _slope(samples: list[Sample]) -> float:
    """Return by how much the worker grows with 50,000 messages."""
    steady = [each for each in samples if each.messages > WARM_UP]
    slope, _ = linear_regression([each.messages for each in steady], [each.mib for each in steady])
    return slope * 50_000


def _with_licences(installation: Installation, pid: int, kind: str) -> float:
    """Return by how much the worker grows when many more licences have had a message."""
    before = mebibytes(pid)
    names = _names()
    for start in range(0, len(names), len(LICENCES)):
        installation.server.forget()
        part = names[start : start + len(LICENCES)]
        installation.enqueue_for(part, label=kind)
        installation.wait_for(2 * len(part))
    return mebibytes(pid) - before
