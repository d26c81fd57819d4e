"""``bin/demo`` as a reader of the repository runs it, and what its web chat may show."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from demo.ireserve.app import create_app
from demo.ireserve.configuration import Channel, Configuration
from demo.ireserve.mirror import Mirror
from demo.ireserve.store import Conversation, Message, MessageState, Store
from models import Database
from tests.demo_process import (
    MARK,
    demo_environment,
    output_until,
    output_until_up,
    running_demo,
)
from tests.waiting import wait_until

# Twenty seconds are usual; a busy machine takes longer.
CHECK_TIMEOUT_S = 180
STOP_TIMEOUT_S = 40
# The demo, its watchdog, Redis, the stand-in, and six processes.
FEWEST_PROCESSES = 10
# The state and the address in the kernel's table.
LISTENS, LOOPBACK = "0A", "0100007F"

CONVERSATION = Conversation("demo", "c-1", "Jan de Vries", "", "2026-01-01T12:00:00+00:00")
REPLY = Message(
    licence_id="demo",
    conversation_id="c-1",
    message_id="reply-1",
    sender_name="Anna",
    sender_role="agent",
    text="*Ja*",
    plain_text="Ja",
    posted_at="2026-01-01T12:00:00+00:00",
    attachments=({"name": "house.png", "path": "house.png"},),
    reply_id=1,
    revision=1,
    post_id="p" * 26,
)
FILE_URL = "/conversations/demo/c-1/messages/reply-1/files/0"


def _processes_of(environment: dict[str, str]) -> list[int]:
    """Return the ids of this demo's processes, by their environment or folder."""
    mark = f"{MARK}={environment[MARK]}".encode()
    return [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if _has(path / "environ", mark) or _is_within(path / "cwd", environment["TMPDIR"])
    ]


def _is_within(link: Path, directory: str) -> bool:
    """Return whether the link leads into the folder.

    Redis is found by its folder, because its title overwrites its environment.
    """
    with suppress(OSError):
        return os.readlink(link).startswith(f"{directory}/")
    return False


def _beat_of(environment: dict[str, str]) -> int:
    """Return the id of beat's process."""
    [beat] = [
        pid
        for pid in _processes_of(environment)
        if {b"tasks", b"beat"} <= set(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))
    ]
    return beat


def _has(path: Path, mark: bytes) -> bool:
    try:
        return mark in path.read_bytes()
    except OSError:
        # The process has ended meanwhile, or belongs to another user.
        return False


def _listening_on(pids: list[int]) -> set[str]:
    """Return the addresses on which these processes listen, as the kernel writes them."""
    inodes = {
        link.removeprefix("socket:[").removesuffix("]") for pid in pids for link in _files_of(pid)
    }
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == LISTENS and row[9] in inodes}


def _files_of(pid: int) -> list[str]:
    links = []
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):
            links.append(os.readlink(link))
    return links


def test_check_finds_both_directions_as_they_should_be(tmp_path: Path) -> None:
    """``demo --check`` works from any folder, finds no problem either way, and cleans up."""
    environment = demo_environment(tmp_path)
    words = ("demo", "--check", "--json", "--language", "nl")

    done = subprocess.run(
        [Path(sys.executable).parent / "ireserve-mattermost", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=CHECK_TIMEOUT_S,
    )

    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert (outcome["is_ok"], outcome["problems"]) == (True, [])
    assert {"page", "mattermost", "flower", "health", "logs", "commands"} < set(outcome)
    assert done.stderr.count("  ok  ") == 10, done.stderr
    assert "OK: all of it is there, once." in done.stderr
    assert "Goedemiddag! Is het huis aan het meer nog vrij" in done.stderr
    assert _processes_of(environment) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        pytest.param(signal.SIGINT, "Added licence", id="while it is set up"),
        pytest.param(signal.SIGTERM, "~vip: ", id="while it is played"),
    ],
)
def test_interrupted_check_fails_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    """An interrupted check ends with the signal's exit code and leaves nothing behind."""
    environment = demo_environment(tmp_path)

    with running_demo(environment, "--check") as process:
        output_until(process, moment)
        process.send_signal(number)
        exit_code = process.wait(STOP_TIMEOUT_S)

    assert exit_code == 128 + number
    assert _processes_of(environment) == []
    assert list(tmp_path.iterdir()) == []


def test_killed_demo_leaves_nothing(tmp_path: Path) -> None:
    """When the demo is killed, its processes end and its folder is removed soon after."""
    environment = demo_environment(tmp_path)

    with running_demo(environment) as process:
        output_until(process, "Starting")
        process.kill()

    wait_until(lambda: not _processes_of(environment), what="an end of all processes")
    wait_until(lambda: not list(tmp_path.iterdir()), what="an end of its folder")


def test_command_ends_as_the_demo_does(tmp_path: Path) -> None:
    """A demo that cannot start says why in one line, and the command has its exit code."""
    done = subprocess.run(
        [Path(sys.executable).parent / "ireserve-mattermost", "demo"],
        env={**demo_environment(tmp_path), "MATTERMOST_URL": "https://chat.example.com"},
        capture_output=True,
        text=True,
        timeout=CHECK_TIMEOUT_S,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "demo: to play against a real server, set MATTERMOST_BOT_TOKEN, MATTERMOST_TEAM, "
        "MATTERMOST_CHANNEL as well\n"
    )


def test_demo_stays_on_loopback_takes_commands_and_leaves_nothing(tmp_path: Path) -> None:
    """The demo listens only on loopback, its command line has its settings, and SIGTERM ends it."""
    environment = demo_environment(tmp_path)

    with running_demo(environment) as process:
        output = output_until_up(process)
        pids = _processes_of(environment)
        listening = _listening_on(pids)
        [commands] = re.findall(r"^Commands +(\S+) status$", output, re.MULTILINE)
        shown = subprocess.run([commands, "failed"], capture_output=True, text=True, cwd="/")
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(STOP_TIMEOUT_S)

    assert "The page    http://127.0.0.1:" in output
    assert len(pids) >= FEWEST_PROCESSES
    assert listening == {LOOPBACK}
    assert (shown.returncode, shown.stdout) == (0, "No message has failed.\n"), shown.stderr
    assert exit_code == 0
    assert _processes_of(environment) == []
    assert list(tmp_path.iterdir()) == []


def test_demo_says_so_when_a_process_ends(tmp_path: Path) -> None:
    """When one process ends, the demo ends all others and says so."""
    environment = demo_environment(tmp_path)

    with running_demo(environment) as process:
        output_until(process, "~vip: ")
        os.kill(_beat_of(environment), signal.SIGKILL)
        exit_code = process.wait(STOP_TIMEOUT_S)
        assert process.stdout is not None
        said = process.stdout.read()

    assert exit_code == 1
    assert "demo: beat ended, and all others with it: start it again\n" in said
    assert _processes_of(environment) == []


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """i-Reserve's store with one conversation."""
    made = Store(tmp_path / "ireserve.db")
    made.create()
    made.add_conversation(CONVERSATION)
    return made


@pytest.fixture
def mirror(sqlite_url: str, redis_url: str) -> Iterator[Mirror]:
    """A mirror on the package's own empty database and Redis."""
    database, redis = Database(sqlite_url), Redis.from_url(redis_url)
    yield Mirror(database, redis)
    database.dispose()
    redis.close()


@pytest.fixture
def page(
    store: Store, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    """The demo's page, with one picture in its attachment store."""
    attachments = tmp_path / "attachments"
    attachments.mkdir()
    (attachments / "house.png").write_bytes(b"picture")
    configuration = Configuration(
        store=tmp_path / "ireserve.db",
        attachments=attachments,
        channels={"demo": Channel("~webchat", "https://chat.example.com/support/channels/webchat")},
        stand_in_url=None,
        commands=tmp_path / "ireserve-mattermost",
    )
    for name, value in configuration.to_environment().items():
        monkeypatch.setenv(name, value)
    return create_app(mirror).test_client()


def test_revision_that_comes_late_or_twice_changes_nothing(store: Store) -> None:
    """The newest revision of a reply stays, in whatever order the revisions come."""
    edited = replace(REPLY, text="Nee", plain_text="Nee", state=MessageState.EDITED, revision=2)

    news = [store.put_reply(message) for message in (edited, REPLY, edited)]

    assert news == [True, False, False]
    assert store.messages("demo", "c-1") == [edited]


def test_visitor_sees_a_reply_with_its_file(store: Store, page: FlaskClient) -> None:
    """The chat shows a public reply as plain text, and its picture can be loaded."""
    store.put_reply(REPLY)

    answer = page.get("/conversations/demo/c-1/messages")
    with page.get(FILE_URL) as file:
        picture = file.data

    assert answer.get_json()["messages"] == [
        {
            "id": "reply-1",
            "sender": "Anna",
            "role": "agent",
            "time": "2026-01-01T12:00:00+00:00",
            "state": "sent",
            "from_mattermost": True,
            "text": "Ja",
            "files": [{"name": "house.png", "url": FILE_URL, "reason": None, "is_picture": True}],
        }
    ]
    assert picture == b"picture"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"visibility": "internal"}, id="a note"),
        pytest.param({"visibility": "internal", "state": MessageState.EDITED}, id="made a note"),
    ],
)
def test_visitor_never_sees_a_note(store: Store, page: FlaskClient, change: dict[str, Any]) -> None:
    """The page shows neither a note nor its file, even if the reply was public before."""
    store.put_reply(REPLY)
    known = page.get("/conversations/demo/c-1/messages").get_json()["change"]
    store.put_reply(replace(REPLY, **change, revision=2))

    answer = page.get(f"/conversations/demo/c-1/messages?change={known}")

    assert answer.get_json()["messages"] == []
    assert page.get(FILE_URL).status_code == 404


def test_visitor_sees_of_a_deleted_reply_only_that_it_was(store: Store, page: FlaskClient) -> None:
    """The chat shows a deleted reply without its text, and no longer serves its file."""
    store.put_reply(replace(REPLY, state=MessageState.DELETED, revision=2))

    (shown,) = page.get("/conversations/demo/c-1/messages").get_json()["messages"]

    assert (shown["state"], shown["text"], shown["files"]) == ("deleted", "", [])
    assert page.get(FILE_URL).status_code == 404


@pytest.mark.parametrize("path", ["../ireserve.db", "/etc/hostname", "..", "no/such/file", None])
def test_file_outside_the_store_is_not_given_out(
    store: Store, page: FlaskClient, path: str | None
) -> None:
    """The page answers 404 for a path that leads out of the attachment store."""
    store.put_reply(replace(REPLY, attachments=({"name": "a.png", "path": path},)))

    answer = page.get(FILE_URL)

    assert answer.status_code == 404


def test_page_of_another_site_cannot_write(store: Store, page: FlaskClient) -> None:
    """The page refuses a form from another site, and stores nothing."""
    answer = page.post(
        "/conversations/demo/c-1/messages",
        data={"text": "hello"},
        headers={"Origin": "https://elsewhere.example.com"},
    )

    assert answer.status_code == 403
    assert store.messages("demo", "c-1") == []
