"""``bin/demo`` as a visitor of the repository runs it, and what its web chat may show."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from demo.ireserve.app import create_app
from demo.ireserve.configuration import Channel, Configuration
from demo.ireserve.store import Conversation, Message, MessageState, Store
from demo.target import MEMBER_VARIABLE, VARIABLES
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
# Twenty seconds are usual; a machine that does other things as well takes longer.
CHECK_TIMEOUT_S = 180
STOP_TIMEOUT_S = 40
# Redis, the stand-in, honcho, and six processes, some of them with children.
FEWEST_PROCESSES = 9
MARK = "IRESERVE_TEST_RUN"

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
    revision=1,
    post_id="p" * 26,
)
FILE_URL = "/conversations/demo/c-1/messages/reply-1/files/0"


def _environment(directory: Path) -> dict[str, str]:
    """Return this process's environment for a demo with the stand-in, in that directory."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    kept.pop(MEMBER_VARIABLE, None)
    return {**kept, "TMPDIR": str(directory), MARK: uuid4().hex}


def _processes_of(environment: dict[str, str]) -> list[int]:
    """Return the processes that were started with this environment, whoever their parent is."""
    mark = f"{MARK}={environment[MARK]}".encode()
    return [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if _has(path, mark)
    ]


def _has(path: Path, mark: bytes) -> bool:
    try:
        return mark in path.read_bytes()
    except OSError:
        # It has ended meanwhile, or is somebody else's.
        return False


@contextmanager
def _running_demo(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def _read_until(process: subprocess.Popen[str], end: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if end in line:
            break
    return "".join(lines)


def test_check_finds_both_directions_as_they_should_be(tmp_path: Path) -> None:
    """`bin/demo --check` plays outbound and inbound, finds nothing wrong, and leaves nothing."""
    environment = _environment(tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "demo", "--check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=CHECK_TIMEOUT_S,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout.count("  ok  ") == 10, done.stdout
    assert "FAILED" not in done.stdout
    wait_until(lambda: not _processes_of(environment), what="an end of all processes")
    assert list(tmp_path.iterdir()) == []


def test_demo_that_is_terminated_leaves_no_process_behind(tmp_path: Path) -> None:
    """A demo that stays up stops everything that it has started at SIGTERM, and tidies up."""
    environment = _environment(tmp_path)

    with _running_demo(environment) as process:
        output = _read_until(process, "Ctrl-C stops everything.")
        count = len(_processes_of(environment))
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(STOP_TIMEOUT_S)

    assert "The page    http://127.0.0.1:" in output
    assert count >= FEWEST_PROCESSES
    assert exit_code == 0
    wait_until(lambda: not _processes_of(environment), what="an end of all processes")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """i-Reserve's store with one conversation."""
    made = Store(tmp_path / "ireserve.db")
    made.create()
    made.add_conversation(CONVERSATION)
    return made


@pytest.fixture
def page(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The demo's page, with one picture in its attachment store."""
    attachments = tmp_path / "attachments"
    attachments.mkdir()
    (attachments / "house.png").write_bytes(b"picture")
    configuration = Configuration(
        store=tmp_path / "ireserve.db",
        attachments=attachments,
        channels={"demo": Channel("~webchat", "https://chat.example.com/support/channels/webchat")},
        stand_in_url=None,
    )
    for name, value in configuration.to_environment().items():
        monkeypatch.setenv(name, value)
    return create_app().test_client()


def test_revision_that_comes_late_or_twice_changes_nothing(store: Store) -> None:
    """The newest revision of a reply stays, in whatever order they are told."""
    edited = replace(REPLY, text="Nee", plain_text="Nee", state=MessageState.EDITED, revision=2)

    news = [store.put_reply(message) for message in (edited, REPLY, edited)]

    assert news == [True, False, False]
    assert store.messages("demo", "c-1") == [edited]


def test_visitor_sees_a_reply_with_its_file(store: Store, page: FlaskClient) -> None:
    """A public reply is shown as plain text, and its picture can be loaded."""
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
    """Neither an internal note nor its file reaches the page, though it was public before."""
    store.put_reply(REPLY)
    store.put_reply(replace(REPLY, **change, revision=2))

    answer = page.get("/conversations/demo/c-1/messages?change=1")

    assert answer.get_json() == {"change": 2, "messages": []}
    assert page.get(FILE_URL).status_code == 404


def test_visitor_sees_of_a_deleted_reply_only_that_it_was(store: Store, page: FlaskClient) -> None:
    """A deleted reply is shown without its text, and its file is not given out any more."""
    store.put_reply(replace(REPLY, state=MessageState.DELETED, revision=2))

    (shown,) = page.get("/conversations/demo/c-1/messages").get_json()["messages"]

    assert (shown["state"], shown["text"], shown["files"]) == ("deleted", "", [])
    assert page.get(FILE_URL).status_code == 404


@pytest.mark.parametrize("path", ["../ireserve.db", "/etc/hostname", "..", "no/such/file", None])
def test_file_outside_the_store_is_not_given_out(
    store: Store, page: FlaskClient, path: str | None
) -> None:
    """A path that leads out of the attachment store is as good as none."""
    store.put_reply(replace(REPLY, attachments=({"name": "a.png", "path": path},)))

    answer = page.get(FILE_URL)

    assert answer.status_code == 404


def test_page_of_another_site_cannot_write(store: Store, page: FlaskClient) -> None:
    """A form that another site sends is refused, and nothing is said."""
    answer = page.post(
        "/conversations/demo/c-1/messages",
        data={"text": "hello"},
        headers={"Origin": "https://elsewhere.example.com"},
    )

    assert answer.status_code == 403
    assert store.messages("demo", "c-1") == []
