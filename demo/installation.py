"""Run an installation with its own Redis and SQLite, and i-Reserve's store beside them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from demo.ireserve.configuration import Channel, Configuration
from demo.ireserve.consumer import OUTCOME_TASK, REPLY_QUEUE, REPLY_TASK
from demo.ireserve.store import Store
from demo.languages import TIME_ZONES
from demo.ports import free_port
from demo.processes import new_ports, url_of
from demo.redis_server import is_up, redis_command
from demo.supervisor import Supervisor
from demo.watchdog import ROOT
from models.keyring import new_key

SAMPLE = ROOT / "demo" / "sample"
FLOWER_LOGIN = "demo:demo"
# The shortest interval allowed: replies in private channels, edits and deletions come soon.
CATCH_UP_INTERVAL_S = 5
REDIS = "redis"
# The script that runs the command line with the settings of this installation.
COMMANDS = "ireserve-mattermost"


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation and the addresses of its pages."""

    supervisor: Supervisor
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    ireserve: Configuration

    @property
    def webhook_url(self) -> str:
        """Return the address that outgoing webhooks call."""
        return f"{self.url('web')}/mattermost/replies"

    @property
    def database_url(self) -> str:
        """Return the address of our own database."""
        return self.environment["DATABASE_URL"]

    def url(self, process: str) -> str:
        """Return the address of a process's pages."""
        return url_of(self.ports[process])

    def command(self, *words: str) -> str:
        """Run ``ireserve-mattermost`` as an operator would; return its output.

        Raises:
            DemoError: the command ended with an error.
        """
        watchdog = self.supervisor.watchdog
        process = watchdog.spawn(
            [str(self.ireserve.commands), *words],
            environment=os.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        printed, complaint = process.communicate()
        watchdog.forget(process)
        if process.returncode:
            why = complaint.decode(errors="replace").strip()
            raise DemoError(f"ireserve-mattermost {' '.join(words)}: {why}")
        return printed.decode(errors="replace").strip()

    def token_file(self, token: str) -> str:
        """Return the path of a file with the token, which only this user may read."""
        path = self.supervisor.watchdog.directory / "token"
        path.write_text(token, encoding="utf-8")
        return str(path)


@contextmanager
def running_installation(
    supervisor: Supervisor,
    *,
    channels: Mapping[str, Channel],
    stand_in_url: str | None,
    language: str = "en",
) -> Iterator[Installation]:
    """Yield an installation whose Redis is up and whose databases have their tables.

    ``channels`` maps licence ids to the licences' channels. The caller starts the processes
    afterwards, when the licences exist.
    """
    directory = supervisor.watchdog.directory
    ireserve = Configuration(
        store=directory / "ireserve.db",
        attachments=directory / "attachments",
        channels=channels,
        stand_in_url=stand_in_url,
        commands=directory / COMMANDS,
        language=language,
        time_zone=TIME_ZONES[language],
    )
    shutil.copytree(SAMPLE, ireserve.attachments)
    Store(ireserve.store).create()
    ports = new_ports()
    with _running_redis(supervisor) as redis_url:
        environment = _environment(directory, redis_url, ireserve)
        _write_commands(ireserve.commands, environment)
        installation = Installation(supervisor, environment, ports, ireserve)
        installation.command("db", "upgrade")
        yield installation


@contextmanager
def _running_redis(supervisor: Supervisor) -> Iterator[str]:
    directory, port = supervisor.watchdog.directory / REDIS, free_port()
    directory.mkdir()
    url = f"redis://127.0.0.1:{port}/0"
    with supervisor.running({REDIS: redis_command(directory, port)}, {REDIS: os.environ}):
        supervisor.wait_for(REDIS, lambda: is_up(url))
        yield url


def _write_commands(path: Path, environment: Mapping[str, str]) -> None:
    """Write a script that runs ``ireserve-mattermost`` with this installation's settings."""
    settings = dict(environment.items() - os.environ.items())
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
    program = shlex.quote(str(Path(sys.executable).parent / "ireserve-mattermost"))
    path.touch(mode=0o700)
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec {program} "$@"', ""]), encoding="utf-8")


def _environment(directory: Path, redis_url: str, ireserve: Configuration) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{directory / 'demo.db'}",
        "ENCRYPTION_KEYS": new_key(),
        "ATTACHMENTS_URL": f"file://{ireserve.attachments}",
        "FLOWER_BASIC_AUTH": FLOWER_LOGIN,
        "CATCH_UP_INTERVAL_S": str(CATCH_UP_INTERVAL_S),
        "REPLY_TASK": REPLY_TASK,
        "REPLY_QUEUE": REPLY_QUEUE,
        "OUTCOME_TASK": OUTCOME_TASK,
        **ireserve.to_environment(),
    }
