"""What the demo's web chat shows to a visitor, and what it never shows."""

from __future__ import annotations

from collections.abc import Iterator
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

    are_new = [store.put_reply(message) for message in (edited, REPLY, edited)]

    assert are_new == [True, False, False]
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
