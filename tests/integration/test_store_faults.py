"""No file is lost while the attachment store is really full, away or read-only."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ireserve_mattermost.lanes import Lane
from models import ReplyState
from tasks.privacy.retention import remove_files
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread

pytestmark = pytest.mark.one_database

MEGABYTE = 1024 * 1024
# Larger than SQLite's files, which the same process writes.
LARGEST_FILE_BYTES = 8 * MEGABYTE
FILE = b"\1" * (9 * MEGABYTE)

Fault = Callable[[Path], AbstractContextManager[None]]


@contextmanager
def _limited(store: Path) -> Iterator[None]:
    """Limit the size of this process's files (RLIMIT_FSIZE) below that of the test's file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _replaced_by_a_file(store: Path) -> Iterator[None]:
    """Put a file in the place of the store's folder."""
    away = store.rename(store.with_name("away"))
    store.write_text("in the way")
    try:
        yield
    finally:
        store.unlink()
        away.rename(store)


@contextmanager
def _replaced_by_a_dead_link(store: Path) -> Iterator[None]:
    """Replace the store's folder by a dead link, like a volume that is not mounted."""
    away = store.rename(store.with_name("away"))
    store.symlink_to(store.with_name("nowhere") / "store")
    try:
        yield
    finally:
        store.unlink()
        away.rename(store)


@contextmanager
def _mounted(store: Path, options: str) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("NOT ROOT: only root mounts a file system that is full or read-only")
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(store)]
    subprocess.run(mount, check=True, timeout=30)
    try:
        yield
    finally:
        subprocess.run(["umount", str(store)], check=True, timeout=30)


def _full(store: Path) -> AbstractContextManager[None]:
    return _mounted(store, "size=1m")


def _read_only(store: Path) -> AbstractContextManager[None]:
    return _mounted(store, "ro")


NOT_WRITABLE = [
    pytest.param(_limited, id="file too large"),
    pytest.param(_replaced_by_a_file, id="a file in its place"),
    pytest.param(_full, id="full"),
    pytest.param(_read_only, id="read-only"),
]
NOT_READABLE = [
    pytest.param(_replaced_by_a_file, id="a file in its place"),
    pytest.param(_replaced_by_a_dead_link, id="not mounted"),
]


@pytest.mark.parametrize("fault", NOT_WRITABLE)
def test_reply_is_told_at_once_and_its_file_follows(stage: Stage, fault: Fault) -> None:
    """A reply is recorded at once, and its file comes as a later revision."""
    thread = MirroredThread.open(stage)
    reply_id = thread.receive(thread.say("look", file_ids=thread.upload(FILE)).id)

    with fault(stage.store):
        thread.resolve(reply_id)
        at_once, (missing,) = thread.reply(reply_id), thread.attachments(reply_id)
        thread.resolve(reply_id)
        left_there = [each for each in stage.store.rglob("*.part") if stage.store.is_dir()]
    thread.resolve(reply_id)
    remove_files(stage.runtime)

    afterwards, (file,) = thread.reply(reply_id), thread.attachments(reply_id)
    assert at_once is not None
    assert afterwards is not None
    assert (at_once.text, at_once.revision) == ("look", 1)
    assert (missing.reason, left_there) == ("store_unavailable", [])
    assert (afterwards.state, afterwards.revision) == (ReplyState.RECORDED, 2)
    assert [each for each in stage.store.rglob("*") if each.is_file()] == [
        stage.store / str(file.path)
    ]
    assert (stage.store / str(file.path)).read_bytes() == FILE


@pytest.mark.parametrize("fault", NOT_READABLE)
def test_message_waits_for_the_store_and_then_goes_with_its_file(
    stage: Stage, fault: Fault
) -> None:
    """A message waits for the store, and is then sent with its file."""
    stage.start()
    (stage.store / "a.txt").write_bytes(b"content")

    with fault(stage.store):
        waiting = stage.reply("m1", "look", attachments=[{"name": "a.txt", "path": "a.txt"}])
    sent = stage.drain(Lane.of_conversation(LICENCE, "c1"))

    assert (str(waiting), str(sent)) == ("1 waiting", "1 sent")
    assert [file.name for file in stage.channel_posts()[-1].files] == ["a.txt"]
