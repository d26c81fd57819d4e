"""Run the servers of the benchmarks: databases, Redis, and the Procfile's web processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from honcho.environ import parse_procfile

from demo.ports import free_port
from demo.redis_server import running_redis
from models.keyring import new_key
from tests.postgres_server import PostgresServer, postgres_binaries

ROOT = Path(__file__).resolve().parent.parent
OUR_APP = "inbound"
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20


@contextmanager
def databases(directory: Path) -> Iterator[dict[str, str]]:
    """Yield the addresses of empty databases by kind; PostgreSQL only if it is installed."""
    addresses = {"SQLite": f"sqlite:///{directory / 'benchmark.db'}"}
    binaries = postgres_binaries()
    if binaries is None:
        print("NO POSTGRESQL: measuring SQLite alone", file=sys.stderr)
        yield addresses
        return
    # The server runs as another user, who must be able to enter the folder.
    directory.chmod(0o711)
    server = PostgresServer.create(directory / "cluster", binaries)
    server.start()
    try:
        yield {**addresses, "PostgreSQL": server.url().replace(":", "+psycopg:", 1)}
    finally:
        server.stop()


@contextmanager
def in_this_process(directory: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Prepare this process to do a worker's work; yield Redis' and the databases' addresses."""
    # These imports take a second, and benchmarks of other processes do not need them.
    from tasks.app import app
    from tasks.watch.logs import configure_logs
    from tests.stage.broker import forget_connections

    configure_logs(level="WARNING", log_format="console")
    with running_redis(directory / "redis") as redis, databases(directory) as addresses:
        # Wake-ups are published to this server, where no worker takes them.
        app.conf.update(broker_url=redis.url)
        # The connections of the benchmark before lead to a server that has ended.
        forget_connections()
        yield redis.url, addresses


@contextmanager
def web_process(app: str, *, database_url: str, redis_url: str, directory: Path) -> Iterator[int]:
    """Run an application's module by the Procfile's own command; yield its port."""
    command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
    assert f"-m {OUR_APP} " in command
    port = free_port()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PORT": str(port),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ENCRYPTION_KEYS": new_key(),
    }
    with (directory / f"web-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command.replace(OUR_APP, app, 1),
            shell=True, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_for(port)
            yield port
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(STOP_TIMEOUT_S)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
