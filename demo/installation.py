"""An installation on embedded defaults: Redis, SQLite, and i-Reserve's own store beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from demo.ireserve.configuration import Channel, Configuration
from demo.ireserve.consumer import REPLY_QUEUE, REPLY_TASK
from demo.ireserve.store import Store
from demo.ports import free_base_port
from demo.processes import PROCESSES, ROOT, url_of
from demo.redis_server import running_redis
from models.keyring import new_key

SAMPLE = ROOT / "demo" / "sample"
FLOWER_LOGIN = "demo:demo"
# So that replies in private channels, edits and deletions are soon there; the least allowed.
CATCH_UP_INTERVAL_S = 5


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation and where its pages are."""

    directory: Path
    environment: Mapping[str, str]
    base_port: int
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
        return url_of(process, base_port=self.base_port)

    def command(self, *words: str, stdin: str = "") -> str:
        """Run ``ireserve-mattermost`` as an operator would; return what it printed.

        Raises:
            DemoError: it ended with an error.
        """
        done = subprocess.run(
            [Path(sys.executable).parent / "ireserve-mattermost", *words],
            cwd=ROOT,
            env=dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise DemoError(f"ireserve-mattermost {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()


@contextmanager
def running_installation(
    directory: Path, *, channels: Mapping[str, Channel], stand_in_url: str | None
) -> Iterator[Installation]:
    """Yield an installation whose Redis is up and whose databases have their tables.

    ``channels`` are the pages of the licences' channels. The processes are started afterwards,
    when the licences are there.
    """
    ireserve = Configuration(
        store=directory / "ireserve.db",
        attachments=directory / "attachments",
        channels=channels,
        stand_in_url=stand_in_url,
    )
    shutil.copytree(SAMPLE, ireserve.attachments)
    Store(ireserve.store).create()
    base_port = free_base_port(len(PROCESSES))
    with running_redis(directory / "redis") as redis:
        environment = _environment(directory, redis.url, base_port, ireserve)
        installation = Installation(directory, environment, base_port, ireserve)
        installation.command("db", "upgrade")
        yield installation


def _environment(
    directory: Path, redis_url: str, base_port: int, ireserve: Configuration
) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "PORT": str(base_port),
        "REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{directory / 'demo.db'}",
        "ENCRYPTION_KEYS": new_key(),
        "ATTACHMENTS_URL": f"file://{ireserve.attachments}",
        "FLOWER_BASIC_AUTH": FLOWER_LOGIN,
        "CATCH_UP_INTERVAL_S": str(CATCH_UP_INTERVAL_S),
        "REPLY_TASK": REPLY_TASK,
        "REPLY_QUEUE": REPLY_QUEUE,
        **ireserve.to_environment(),
    }
