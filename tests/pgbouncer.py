"""Run a PgBouncer in transaction mode in front of a PostgreSQL server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from demo.ports import free_port
from tests.postgres_server import PostgresServer, server_user
from tests.waiting import wait_until

# Far fewer than the workers' threads, so that a thread's next transaction mostly gets another
# connection.
SERVER_CONNECTIONS = 3


def pgbouncer_executable() -> str | None:
    """Return the path of `pgbouncer`; None if it is not installed."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def running_pgbouncer(directory: Path, server: PostgresServer) -> Iterator[str]:
    """Run PgBouncer for the block; yield the address of the server's database through it."""
    executable = pgbouncer_executable()
    assert executable is not None
    port = free_port()
    url = f"postgresql://test@127.0.0.1:{port}/postgres"
    configuration = _configuration(directory, server, port)
    with (directory / "pgbouncer.log").open("ab") as log:
        process = subprocess.Popen(
            [executable, configuration], stdout=log, stderr=log, user=server_user(), cwd=directory
        )
    try:
        wait_until(lambda: _answers(url), timeout_s=15, what="PgBouncer")
        yield url
    finally:
        process.kill()
        process.wait()


def _configuration(directory: Path, server: PostgresServer, port: int) -> Path:
    users = directory / "users.txt"
    users.write_text('"test" ""\n')
    configuration = directory / "pgbouncer.ini"
    configuration.write_text(
        f"""[databases]
postgres = host=127.0.0.1 port={server.port} dbname=postgres user=test
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {SERVER_CONNECTIONS}
max_client_conn = 500
"""
    )
    return configuration


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
