"""Run the stand-in Mattermost as a process that keeps its data when it is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from demo.mattermost.received import Received
from demo.mattermost.webhooks import WebhookCall
from demo.ports import free_port
from tests.stage.deployment import ROOT

# The control routes answer at once, but the record of a full load has some megabytes.
TIMEOUT_S = 30


@dataclass(slots=True)
class StandInProcess:
    """A server on a fixed port that restores its state from a journal after a kill."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it listens."""
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "demo.mattermost", "--port", str(self.port)]
        command += ["--journal", str(self.directory / "journal.jsonl")]
        with (self.directory / "stand-in.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self.process.stdout is not None
        with self.process.stdout as output:
            told = json.loads(output.readline() or "{}")
        assert told == {"url": self.url}, self.directory

    def stop(self, *, with_signal: int = signal.SIGKILL) -> None:
        """Send the signal and wait until the process has ended."""
        if self.process is not None:
            self.process.send_signal(with_signal)
            self.process.wait()
            self.process = None

    def setup(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Make teams, channels, users, bots and hooks; return their ids and tokens."""
        return self._control("POST", "setup", spec)

    def set_fault(self, kind: str, **details: Any) -> None:
        """Set a fault from now on."""
        self._control("POST", "faults", {"kind": kind, **details})

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are set."""
        return list(self._control("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        """Clear all faults."""
        self._control("DELETE", "faults")

    def set_options(self, **changes: Any) -> None:
        """Change settings by Mattermost's names."""
        self._control("PATCH", "options", changes)

    def received(self, *, method: str, path: str, after_seq: int = 0) -> list[Received]:
        """Return the requests to the API in the order of arrival; ``path`` without /api/v4."""
        query = f"received?method={method}&path={path}&after_seq={after_seq}"
        return [
            Received(**{**entry, "file_ids": tuple(entry["file_ids"])})
            for entry in self._control("GET", query)["received"]
        ]

    def webhook_calls(self) -> list[WebhookCall]:
        """Return the calls of outgoing webhooks in the order in which they ended."""
        return [
            WebhookCall(**call) for call in self._control("GET", "webhook-calls")["webhook_calls"]
        ]

    def _control(
        self, method: str, what: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        url = f"{self.url}/_control/{what}"
        with requests.request(method, url, json=body, timeout=TIMEOUT_S) as answer:
            assert answer.ok, answer.text
            return dict(answer.json())


@contextmanager
def running_stand_in(directory: Path) -> Iterator[StandInProcess]:
    """Yield a started server on a free port; end it with the block."""
    server = StandInProcess(directory, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()
