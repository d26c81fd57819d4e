"""Run i-Reserve as a process that enqueues the calls that it reads, of any compared task."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Producer:
    """The producer's process, for its parent."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def delay(self, task: str, *args: Any, **kwargs: Any) -> float:
        """Call `.delay()` of a task such as ``ours.post_reply``; return when, in epoch ms."""
        return float(self.delay_all([(task, args, kwargs)])[0])

    def delay_all(self, calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> list[float]:
        """Call `.delay()` for each in turn; return the times of the calls in epoch ms."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(calls) + "\n")
        self._process.stdin.flush()
        moments: list[float] = json.loads(self._process.stdout.readline())
        return moments


@contextmanager
def producing(environment: dict[str, str]) -> Iterator[Producer]:
    """Yield a producer that enqueues into this environment's REDIS_URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.producer"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Producer(process)
    finally:
        process.communicate()


def _main() -> None:
    import tasks
    from benchmarks import bare_calls, naive, plain

    modules = {"ours": tasks, "naive": naive, "plain": plain, "bare_calls": bare_calls}
    for line in sys.stdin:
        moments = []
        for task, args, kwargs in json.loads(line):
            module, _, name = task.partition(".")
            call = getattr(modules[module], name)
            moments.append(time.time() * 1_000)
            call.delay(*args, **kwargs)
        sys.stdout.write(json.dumps(moments) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
