"""Run a PostgreSQL server that the tests can kill and start again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from demo.ports import free_port

START_TIMEOUT_S = 30
FILE_COPY_IS_A_CHOICE_SINCE = 150_000


def postgres_binaries() -> Path | None:
    """Return the folder of `postgres` and `initdb`: on PATH, or Debian's folder."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def server_user() -> str | None:
    """Return the user who runs the server, which refuses to run as root; None: this user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@dataclass(slots=True)
class PostgresServer:
    """A server with its own folder and port, which trusts every client of this machine."""

    directory: Path
    binaries: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, directory: Path, binaries: Path) -> PostgresServer:
        """Make an empty cluster without starting it."""
        user = server_user()
        directory.mkdir(parents=True)
        if user is not None:
            shutil.chown(directory, user)
        subprocess.run(
            [binaries / "initdb", "-D", directory / "data", "-A", "trust", "-U", "test", "-N"],
            check=True,
            capture_output=True,
            user=user,
            cwd=directory,
        )
        return cls(directory, binaries, free_port())

    @contextmanager
    def running_copy(self) -> Iterator[PostgresServer]:
        """Run a copy of this stopped server for the block."""
        port = free_port()
        directory = self.directory.with_name(f"copy-{port}")
        # The server's user must own the copy, as it owns the original.
        subprocess.run(["cp", "-a", self.directory, directory], check=True)
        server = PostgresServer(directory, self.binaries, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(directory, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, as DATABASE_URL takes it."""
        return f"postgresql://test@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        # Without fsync a new database takes half the time. A kill of the server still loses
        # nothing; only a crash of the machine would.
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        # Autovacuum would visit hundreds of databases that no test uses any more.
        settings |= {"autovacuum": "off"}
        settings |= self.settings
        command = [str(self.binaries / "postgres"), "-D", str(self.directory / "data")]
        command += ["-p", str(self.port)]
        command += [word for pair in settings.items() for word in ("-c", "=".join(pair))]
        with (self.directory / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, user=server_user(), cwd=self.directory
            )
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, *, with_signal: int = signal.SIGINT) -> None:
        """Stop the server; SIGINT closes its connections, SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(with_signal)
            self.process.wait()
            self.process = None

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Suspend the server's processes (SIGSTOP) for the block: no client gets an answer."""
        assert self.process is not None
        # Suspend the main process first, because it starts the others.
        stopped = [self.process.pid]
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            for pid in map(int, children.read_text().split()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    stopped.append(pid)
            yield
        finally:
            for pid in stopped:
                # The process may have ended meanwhile.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def create_database(self, name: str) -> str:
        """Copy the first database; return the copy's address.

        From PostgreSQL 15 on, the default strategy also writes the whole copy to the write-ahead
        log. That strategy saves a checkpoint, but without fsync a checkpoint costs almost nothing.
        """
        with psycopg.connect(self.url(), autocommit=True) as connection:
            is_choice = connection.info.server_version >= FILE_COPY_IS_A_CHOICE_SINCE
            strategy = " STRATEGY = FILE_COPY" if is_choice else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE postgres{strategy}")
        return self.url(name)

    def execute(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)
