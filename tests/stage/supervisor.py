"""Start a process again when it ends, as a process manager does."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.stage.deployment import Deployment, Process

LOOK_EVERY_S = 0.1


@dataclass(slots=True)
class Supervisor:
    """A process manager for the workers and beat of a deployment."""

    deployment: Deployment
    restarts: int = 0
    _watched: list[Process] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def kill_one_worker(self, rng: random.Random, with_signal: int = signal.SIGKILL) -> None:
        """Send the signal to a random worker."""
        rng.choice(self._workers()).send_signal(with_signal)

    def kill_all_workers(self) -> None:
        """Kill every worker at once."""
        for worker in self._workers():
            worker.send_signal(signal.SIGKILL)

    @contextmanager
    def watching(self, *, workers: int) -> Iterator[None]:
        """Start beat and the workers, wait until the workers are ready, and watch until the end."""
        self._watched = [self.deployment.start("beat"), *self.deployment.start_workers(workers)]
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def _workers(self) -> list[Process]:
        return [running for running in self._watched if running.name == "worker"]

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            for index, running in enumerate(self._watched):
                if running.process.poll() is not None:
                    self.restarts += 1
                    self._watched[index] = self.deployment.start(running.name)
