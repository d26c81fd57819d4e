"""i-Reserve is told of every change, at least once, also when the broker was down meanwhile."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any, cast

import pytest
from celery.signals import after_task_publish
from redis import Redis

from models import ReplyEvent, utc_now
from tasks.app import app
from tasks.mattermost import NotSentError, Reason
from tasks.replies.inbox import RESOLVE_REPLY
from tasks.replies.open_replies import wake_open_replies
from tests.integration.conftest import LICENCE, Office
from tests.integration.desk import CONVERSATION, Desk

TASK, QUEUE = "ireserve.take_reply", "ireserve"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def desk(office: Office) -> Desk:
    """A conversation with its thread, and an i-Reserve that wants to be told."""
    desk = Desk.open(office)
    desk.configure(reply_task=TASK, reply_queue=QUEUE)
    return desk


@pytest.fixture
def broker_down(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A broker that refuses every connection, until the patch is undone."""
    _forget_connections()
    monkeypatch.setenv("CELERY_BROKER_URL", NOWHERE)
    yield monkeypatch
    monkeypatch.undo()
    _forget_connections()


def _forget_connections() -> None:
    app._pool = None
    app.amqp._producer_pool = None


def _taken(desk: Desk, queue: str = QUEUE) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return headers and arguments of the tasks in the queue, which is empty afterwards."""
    found = []
    with Redis.from_url(desk.office.runtime.settings.redis_url) as redis:
        while raw := cast("bytes | None", redis.rpop(queue)):
            message = json.loads(raw)
            _, arguments, _ = json.loads(b64decode(message["body"]))
            found.append((message["headers"], arguments))
    return found


def _told(desk: Desk) -> list[tuple[str, int, str | None]]:
    return [(each["event"], each["revision"], each["plain_text"]) for _, each in _taken(desk)]


def test_ireserve_gets_the_whole_reply(desk: Desk) -> None:
    """Ids, author, both texts, time and files are the arguments of its task."""
    desk.add_user("anna@example.com")
    post = desk.say("**Hi**", file_ids=desk.upload(b"x"))

    row = desk.recorded(post)

    assert row.posted_at is not None
    (file,) = desk.attachments(row.id)
    ((headers, arguments),) = _taken(desk)
    assert (headers["task"], headers["id"]) == (TASK, f"{row.id}-recorded-1")
    assert arguments == {
        "reply_id": row.id,
        "event": "recorded",
        "revision": 1,
        "licence_id": LICENCE,
        "conversation_id": CONVERSATION,
        "post_id": post.id,
        "visibility": "public",
        "author_user_id": row.author_user_id,
        "author_name": row.author_name,
        "text": "**Hi**",
        "plain_text": "Hi",
        "posted_at": row.posted_at.isoformat(),
        "attachments": [
            {
                "file_id": file.file_id,
                "name": "1.txt",
                "content_type": "text/plain; charset=utf-8",
                "size_bytes": 1,
                "sha256": file.sha256,
                "path": file.path,
                "reason": None,
            }
        ],
    }
    assert row.pending_event is None


def test_what_flower_and_logs_show_holds_ids_alone(desk: Desk) -> None:
    """Neither the text nor the name is among the shown arguments."""
    row = desk.recorded(desk.say("secret words", file_ids=desk.upload(b"x")))

    ((headers, _),) = _taken(desk)
    assert headers["argsrepr"] == "()"
    assert headers["kwargsrepr"] == repr(
        {
            "reply_id": row.id,
            "event": "recorded",
            "revision": 1,
            "licence_id": LICENCE,
            "conversation_id": CONVERSATION,
            "post_id": row.post_id,
        }
    )


def test_edit_and_deletion_are_told_as_such(desk: Desk) -> None:
    """Each change has its event and its revision; a deletion brings no text."""
    row = desk.recorded(desk.say("one"))
    desk.office.member().patch_post(row.post_id, message="two")
    desk.ask_again(row.id)
    desk.office.member().delete_post(row.post_id)
    desk.ask_again(row.id)

    assert _told(desk) == [("recorded", 1, "one"), ("edited", 2, "two"), ("deleted", 3, None)]


def test_reply_that_is_resolved_again_is_not_told_again(desk: Desk) -> None:
    """Nothing is pending, so nothing is sent."""
    row = desk.recorded(desk.say("one"))
    desk.resolve(row.id)
    desk.ask_again(row.id)

    assert _told(desk) == [("recorded", 1, "one")]


def test_broker_that_is_down_is_told_when_it_is_back(
    desk: Desk, broker_down: pytest.MonkeyPatch
) -> None:
    """The reply is recorded and stays pending; the sweep finds it a few seconds later."""
    row = desk.recorded(desk.say("one"))
    pending, due = row.pending_event, desk.due()
    broker_down.undo()
    _forget_connections()
    desk.change(row.id, next_attempt_at=utc_now())
    wake_open_replies(desk.office.runtime)
    ((_, wake_up),) = _taken(desk, "mattermost")

    desk.resolve(*wake_up["reply_ids"])

    assert (pending, due) == (ReplyEvent.RECORDED, [])
    assert _told(desk) == [("recorded", 1, "one")]
    assert desk.due() == []


def test_edit_before_ireserve_was_told_leaves_the_reply_new(
    desk: Desk, broker_down: pytest.MonkeyPatch
) -> None:
    """What it was never told of cannot have been edited."""
    row = desk.recorded(desk.say("one"))
    desk.office.member().patch_post(row.post_id, message="two")
    edited = desk.ask_again(row.id)
    broker_down.undo()
    _forget_connections()

    desk.resolve(row.id)

    assert edited.pending_event is ReplyEvent.RECORDED
    assert _told(desk) == [("recorded", 2, "two")]


def test_worker_that_died_before_it_noted_the_sending_sends_again_under_the_same_id(
    desk: Desk,
) -> None:
    """At least once: the second task can be told for a double by its id."""
    row = desk.recorded(desk.say("one"))
    desk.change(row.id, pending_event=ReplyEvent.RECORDED)

    desk.resolve(row.id)

    assert [headers["id"] for headers, _ in _taken(desk)] == [f"{row.id}-recorded-1"] * 2


def test_change_that_comes_while_the_last_one_is_sent_is_told_too(desk: Desk) -> None:
    """What was sent is not what the row holds by then: the next event is told as well."""

    def change_meanwhile(body: Any, **_: Any) -> None:
        desk.change(body[1]["reply_id"], revision=2, pending_event=ReplyEvent.EDITED)

    after_task_publish.connect(change_meanwhile)
    try:
        desk.recorded(desk.say("one"))
    finally:
        after_task_publish.disconnect(change_meanwhile)

    assert _told(desk) == [("recorded", 1, "one"), ("edited", 2, "one")]


def test_reply_is_told_while_mattermost_is_away(desk: Desk) -> None:
    """What is recorded already needs no server of Mattermost's."""
    row = desk.recorded(desk.say("one"))
    _taken(desk)
    desk.change(row.id, pending_event=ReplyEvent.RECORDED, state="received")
    with desk.fault("down"):
        for _ in range(3):
            desk.office.runtime.circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))
        desk.resolve(row.id)

    assert _told(desk) == [("recorded", 1, "one")]


def test_without_a_task_nothing_is_sent_and_nothing_stays_pending(desk: Desk) -> None:
    """i-Reserve reads the tables."""
    desk.configure(reply_task=None)

    row = desk.recorded(desk.say("one"))

    assert (row.pending_event, _told(desk)) == (None, [])


def test_sweep_wakes_what_is_due_in_batches_and_then_leaves_it_alone(desk: Desk) -> None:
    """120 replies make three task messages, and none is woken twice within a minute."""
    reply_ids = [desk.receive(f"{number:026}") for number in range(120)]
    early = wake_open_replies(desk.office.runtime)
    for reply_id in reply_ids:
        desk.change(reply_id, next_attempt_at=utc_now() - timedelta(seconds=1))

    first = wake_open_replies(desk.office.runtime)
    second = wake_open_replies(desk.office.runtime)

    woken = _taken(desk, "mattermost")
    assert (early, first, second) == (0, 120, 0)
    assert {headers["task"] for headers, _ in woken} == {RESOLVE_REPLY}
    assert [len(arguments["reply_ids"]) for _, arguments in woken] == [50, 50, 20]
    assert list(chain.from_iterable(each["reply_ids"] for _, each in woken)) == reply_ids


def test_reply_that_comes_back_as_an_outbound_message_is_not_posted(desk: Desk) -> None:
    """i-Reserve enqueues what it was told with the post's id: the thread does not grow."""
    row = desk.recorded(desk.say("Welcome"))
    posts = len(desk.office.channel_posts())

    desk.office.reply(
        "m1", "Welcome", sender_role="agent", sender_name="Anna", origin_post_id=row.post_id
    )

    assert len(desk.office.channel_posts()) == posts
