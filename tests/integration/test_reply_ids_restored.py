"""Replies' numbers go on after a real erasure and a real restore of a backup."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url

from models import Database
from tasks.replies.reply_ids import _COUNT
from tests.operators import Operator, environment_of
from tests.postgres_server import PostgresServer
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import CONVERSATION, MirroredThread

REPLIES = 5


def _say(thread: MirroredThread) -> list[int]:
    """Write replies in the thread; return their numbers."""
    return [thread.recorded(thread.say(f"reply {number}")).id for number in range(REPLIES)]


def test_numbers_go_on_after_an_erasure(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an erasure of all replies, the next number is larger than all before."""
    environment_of(stage.runtime.settings, monkeypatch)
    # Within 30 s, Mattermost would take the new root post for a repetition of the deleted one.
    stage.stand_in.set_options(PendingPostTtlS=0.0)
    thread = MirroredThread.open(stage)
    given = _say(thread)
    words = ("erase", LICENCE, "--conversation", CONVERSATION, "--posts", "--yes")

    erased = Operator(stage.runtime.settings).json(*words)["erased"]
    stage.reply("m1", "begins anew")
    after = _say(thread)

    assert erased["replies"] == REPLIES
    assert min(after) > max(given)


def _copy_file(database: Database, directory: Path) -> Callable[[], None]:
    """Back up an SQLite database as an operator does, by copying its file."""
    place = Path(str(database.engine.url.database))
    backup = directory / "backup.db"
    database.dispose()
    shutil.copy(place, backup)

    def restore() -> None:
        database.dispose()
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        shutil.copy(backup, place)

    return restore


def _dump(database: Database, directory: Path, server: PostgresServer) -> Callable[[], None]:
    """Back up a PostgreSQL database as an operator does, with pg_dump."""
    name, backup = str(make_url(database.engine.url).database), directory / "backup.dump"
    _run(server, "pg_dump", "--format=custom", f"--file={backup}", server.url(name))

    def restore() -> None:
        database.dispose()
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        _run(server, "pg_restore", f"--dbname={server.url(name)}", str(backup))

    return restore


def _run(server: PostgresServer, program: str, *words: str) -> None:
    subprocess.run([server.binaries / program, *words], check=True, timeout=60)


def test_numbers_go_on_after_a_backup_was_restored(
    stage: Stage, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A restored database does not use the numbers again that the backup lacks."""
    thread = MirroredThread.open(stage)
    before = _say(thread)
    if thread.database.engine.dialect.name == "sqlite":
        restore = _copy_file(thread.database, tmp_path)
    else:
        server = request.getfixturevalue("postgres_server")
        restore = _dump(thread.database, tmp_path, server)
    forgotten = _say(thread)

    restore()
    kept = [reply_id for reply_id in before + forgotten if thread.reply(reply_id) is not None]
    after = _say(thread)

    assert kept == before
    assert not {*before, *forgotten} & {*after}
    # Numbers after the restore are larger by their first part, the time.
    assert min(after) // _COUNT > max(forgotten) // _COUNT
