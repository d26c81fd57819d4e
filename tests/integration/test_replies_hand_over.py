"""i-Reserve is told of every change at least once, also after an outage of the broker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from celery.signals import after_task_publish

from models import ReplyEvent, utc_now
from tasks.mattermost import NotSentError, Reason
from tasks.replies.open_replies import wake_open_replies
from tasks.wake import RESOLVE_REPLY
from tests.stage.stage import LICENCE, Stage
from tests.stage.task_messages import TaskMessage, taken
from tests.stage.thread import CONVERSATION, MirroredThread

TASK, QUEUE = "ireserve.take_reply", "ireserve"


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, and an i-Reserve that takes replies."""
    thread = MirroredThread.open(stage)
    thread.configure(reply_task=TASK, reply_queue=QUEUE)
    return thread


def _taken(thread: MirroredThread, queue: str = QUEUE) -> list[TaskMessage]:
    """Take and return the messages in i-Reserve's queue."""
    return taken(thread.stage.runtime.settings.redis_url, queue)


def _told(thread: MirroredThread) -> list[tuple[str, int, str | None]]:
    return [(each["event"], each["revision"], each["plain_text"]) for _, each in _taken(thread)]


def test_ireserve_gets_the_whole_reply(thread: MirroredThread) -> None:
    """The task's arguments are ids, author, both texts, time and files."""
    thread.add_user("anna@example.com")
    post = thread.say("**Hi**", file_ids=thread.upload(b"x"))

    row = thread.recorded(post)

    assert row.posted_at is not None
    (file,) = thread.attachments(row.id)
    ((headers, arguments),) = _taken(thread)
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


def test_what_flower_and_logs_show_holds_ids_alone(thread: MirroredThread) -> None:
    """The arguments that Celery shows in Flower and logs are only ids."""
    row = thread.recorded(thread.say("secret words", file_ids=thread.upload(b"x")))

    ((headers, _),) = _taken(thread)
    assert headers["argsrepr"] == "()"
    assert headers["kwargsrepr"] == (
        f"{LICENCE} / {CONVERSATION}, reply_id={row.id}, event=recorded, revision=1, "
        f"post_id={row.post_id}"
    )


def test_edit_and_deletion_are_told_as_such(thread: MirroredThread) -> None:
    """Each change is told with event and revision, and a deletion without text."""
    row = thread.recorded(thread.say("one"))
    thread.stage.member().patch_post(row.post_id, message="two")
    thread.ask_again(row.id)
    thread.stage.member().delete_post(row.post_id)
    thread.ask_again(row.id)

    assert _told(thread) == [("recorded", 1, "one"), ("edited", 2, "two"), ("deleted", 3, None)]


def test_reply_that_is_resolved_again_is_not_told_again(thread: MirroredThread) -> None:
    """A reply that is resolved again without a change is not told again."""
    row = thread.recorded(thread.say("one"))
    thread.resolve(row.id)
    thread.ask_again(row.id)

    assert _told(thread) == [("recorded", 1, "one")]


def test_broker_that_is_down_is_told_when_it_is_back(
    thread: MirroredThread, end_broker_outage: Callable[[], None]
) -> None:
    """While the broker is down, the event stays pending, and the sweep wakes its reply later."""
    row = thread.recorded(thread.say("one"))
    pending, due = row.pending_event, thread.due()
    end_broker_outage()
    thread.change(row.id, next_attempt_at=utc_now())
    wake_open_replies(thread.stage.runtime)
    ((_, wake_up),) = _taken(thread, "mattermost")

    thread.resolve(*wake_up["reply_ids"])

    assert (pending, due) == (ReplyEvent.RECORDED, [])
    assert _told(thread) == [("recorded", 1, "one")]
    assert thread.due() == []


def test_edit_before_ireserve_was_told_leaves_the_reply_new(
    thread: MirroredThread, end_broker_outage: Callable[[], None]
) -> None:
    """A reply that is edited before it was told is told as new."""
    row = thread.recorded(thread.say("one"))
    thread.stage.member().patch_post(row.post_id, message="two")
    edited = thread.ask_again(row.id)
    end_broker_outage()

    thread.resolve(row.id)

    assert edited.pending_event is ReplyEvent.RECORDED
    assert _told(thread) == [("recorded", 2, "two")]


def test_worker_that_died_before_it_noted_the_sending_sends_again_under_the_same_id(
    thread: MirroredThread,
) -> None:
    """If a worker dies before it stores that it sent a reply, the same task id is sent again."""
    row = thread.recorded(thread.say("one"))
    thread.change(row.id, pending_event=ReplyEvent.RECORDED)

    thread.resolve(row.id)

    assert [headers["id"] for headers, _ in _taken(thread)] == [f"{row.id}-recorded-1"] * 2


def test_change_is_due_for_no_other_thread_while_it_is_told(thread: MirroredThread) -> None:
    """While one thread tells a change, it is not due for other threads."""
    due: list[int] = []

    def look(**_: Any) -> None:
        due.extend(thread.due())

    after_task_publish.connect(look)
    try:
        row = thread.recorded(thread.say("one"))
        thread.stage.member().delete_post(row.post_id)
        thread.ask_again(row.id)
    finally:
        after_task_publish.disconnect(look)

    assert [event for event, *_ in _told(thread)] == ["recorded", "deleted"]
    assert due == []


def test_change_that_comes_while_the_last_one_is_sent_is_told_too(thread: MirroredThread) -> None:
    """A change that is stored while the last one is sent is told, too."""

    def change_meanwhile(body: Any, **_: Any) -> None:
        # A worker has stored the change and died, and its claim has expired.
        changed = {"revision": 2, "pending_event": ReplyEvent.EDITED, "next_attempt_at": utc_now()}
        thread.change(body[1]["reply_id"], **changed)

    after_task_publish.connect(change_meanwhile)
    try:
        thread.recorded(thread.say("one"))
    finally:
        after_task_publish.disconnect(change_meanwhile)

    assert _told(thread) == [("recorded", 1, "one"), ("edited", 2, "one")]


def test_reply_is_told_while_mattermost_is_away(thread: MirroredThread) -> None:
    """A recorded reply is told while Mattermost is away."""
    row = thread.recorded(thread.say("one"))
    _taken(thread)
    thread.change(row.id, pending_event=ReplyEvent.RECORDED, state="received")
    with thread.fault("down"):
        for _ in range(3):
            thread.stage.runtime.circuits.note(LICENCE, NotSentError(Reason.UNREACHABLE))
        thread.resolve(row.id)

    assert _told(thread) == [("recorded", 1, "one")]


def test_without_a_task_nothing_is_sent_and_nothing_stays_pending(thread: MirroredThread) -> None:
    """Without a task nothing is sent or pending, since i-Reserve reads the tables."""
    thread.configure(reply_task=None)

    row = thread.recorded(thread.say("one"))

    assert (row.pending_event, _told(thread)) == (None, [])


def test_sweep_wakes_what_is_due_in_batches_and_then_leaves_it_alone(
    thread: MirroredThread,
) -> None:
    """The sweep wakes 120 replies by three Celery messages, and none twice within a minute."""
    reply_ids = [thread.receive(f"{number:026}") for number in range(120)]
    early = wake_open_replies(thread.stage.runtime)
    for reply_id in reply_ids:
        thread.change(reply_id, next_attempt_at=utc_now() - timedelta(seconds=1))

    first = wake_open_replies(thread.stage.runtime)
    second = wake_open_replies(thread.stage.runtime)

    woken = _taken(thread, "mattermost")
    assert (early, first, second) == (0, 120, 0)
    assert {headers["task"] for headers, _ in woken} == {RESOLVE_REPLY}
    assert [len(arguments["reply_ids"]) for _, arguments in woken] == [50, 50, 20]
    assert list(chain.from_iterable(each["reply_ids"] for _, each in woken)) == reply_ids
