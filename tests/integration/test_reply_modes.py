"""Which posts each mode passes on to the visitor: by webhook, by catch-up, and in the tables."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, text

from models import Reply, ReplyMode, ReplyState, Visibility
from tasks.replies.catch_up import collect
from tests.pages import ROOT
from tests.stage.stage import LICENCE, Stage
from tests.stage.task_messages import taken
from tests.stage.thread import CONVERSATION, MirroredThread

pytestmark = pytest.mark.one_database
TASK, QUEUE = "ireserve.take_reply", "ireserve"
ALL, EXPLICIT, ALERTS = ReplyMode.ALL, ReplyMode.EXPLICIT, ReplyMode.ALERTS
PUBLIC, INTERNAL = Visibility.PUBLIC, Visibility.INTERNAL


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, and an i-Reserve that takes replies."""
    stage.stand_in.setup({"users": [{"username": "bob"}]})
    thread = MirroredThread.open(stage)
    thread.configure(reply_task=TASK, reply_queue=QUEUE)
    return thread


def _told(thread: MirroredThread) -> list[dict[str, Any]]:
    """Take and return the arguments of the events that i-Reserve got since the last call."""
    return [each.keywords for each in taken(thread.stage.runtime.settings.redis_url, QUEUE)]


def _events(thread: MirroredThread) -> list[tuple[Any, ...]]:
    names = ("event", "visibility", "plain_text")
    return [tuple(each[name] for name in names) for each in _told(thread)]


def _catch_up(thread: MirroredThread) -> None:
    """Run catch-up, and resolve the replies that it found."""
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    with thread.database.snapshot() as session:
        ids = session.scalars(select(Reply.id).order_by(Reply.id)).all()
    thread.resolve(*ids)


@pytest.mark.parametrize(
    ("mode", "message", "visibility", "reads"),
    [
        (ALL, "at six", PUBLIC, "at six"),
        (ALL, "reply: at six", PUBLIC, "reply: at six"),
        (ALL, "note: at six", INTERNAL, "at six"),
        (ALL, "@bob at six?", INTERNAL, "@bob at six?"),
        (ALL, "!close", INTERNAL, "!close"),
        (EXPLICIT, "at six", INTERNAL, "at six"),
        (EXPLICIT, "Reply: at six", PUBLIC, "at six"),
        (EXPLICIT, "r: @bob at six?", INTERNAL, "r: @bob at six?"),
        (EXPLICIT, "@bob reply: at six", INTERNAL, "@bob reply: at six"),
        (EXPLICIT, "reply: note: at six", INTERNAL, "reply: note: at six"),
        (ALERTS, "at six", INTERNAL, "at six"),
        (ALERTS, "reply: at six", INTERNAL, "reply: at six"),
        (ALERTS, "@bob at six?", INTERNAL, "@bob at six?"),
    ],
)
def test_mode_says_who_may_read_a_post(
    thread: MirroredThread, mode: ReplyMode, message: str, visibility: Visibility, reads: str
) -> None:
    """The mode decides who may read a post that catch-up found, and the receipt shows who."""
    thread.change_licence(reply_mode=mode)
    post = thread.say(message)

    _catch_up(thread)

    assert _events(thread) == [("recorded", visibility.value, reads)]
    mark = "lock" if visibility is INTERNAL else "white_check_mark"
    assert thread.marks(post.id) == [("bot", mark)]


def test_licence_has_reply_prefixes_of_its_own(thread: MirroredThread) -> None:
    """With its own reply prefixes a licence ignores the default ones."""
    thread.change_licence(reply_mode=EXPLICIT, reply_prefixes="gast:")

    thread.recorded(thread.say("Gast: om zes uur"))
    thread.recorded(thread.say("reply: at six"))

    assert [each[1] for each in _events(thread)] == ["public", "internal"]


def test_reply_prefix_that_comes_or_goes_by_an_edit_is_told(thread: MirroredThread) -> None:
    """An edit that adds or removes the prefix changes the visibility, and is told."""
    thread.change_licence(reply_mode=EXPLICIT)
    row = thread.recorded(thread.say("at six"))
    member = thread.stage.member()

    member.patch_post(row.post_id, message="reply: at six")
    _catch_up(thread)
    member.patch_post(row.post_id, message="at seven")
    _catch_up(thread)

    assert _events(thread) == [
        ("recorded", "internal", "at six"),
        ("edited", "public", "at six"),
        ("edited", "internal", "at seven"),
    ]


def test_reply_with_a_prefix_alone_is_nothing_to_show(thread: MirroredThread) -> None:
    """A post with only a prefix is empty, and with a file it is a reply."""
    thread.change_licence(reply_mode=EXPLICIT)

    empty = thread.recorded(thread.say("reply:"))
    thread.recorded(thread.say("reply:", file_ids=thread.upload(b"x")))

    assert empty.state is ReplyState.EMPTY
    assert _events(thread) == [("recorded", "public", "")]


def test_earlier_reply_keeps_its_reader_until_it_is_changed(thread: MirroredThread) -> None:
    """A new mode changes an earlier reply only at its next edit."""
    row = thread.recorded(thread.say("at six"))
    _told(thread)
    thread.change_licence(reply_mode=ALERTS)
    member = thread.stage.member()
    member.add_reaction(row.post_id, user_id=member.get_me().id, emoji_name="smile")
    _catch_up(thread)
    unchanged = _events(thread)

    member.patch_post(row.post_id, message="at seven")
    _catch_up(thread)
    member.delete_post(row.post_id)
    _catch_up(thread)

    assert unchanged == []
    assert _events(thread) == [
        ("edited", "internal", "at seven"),
        ("deleted", "internal", None),
    ]


def test_files_that_come_later_follow_the_mode_of_then(thread: MirroredThread) -> None:
    """After a switch to alerts, a file that is fetched later does not reach the visitor."""
    row = thread.recorded(thread.say("the plan", file_ids=thread.upload(b"x")))
    _told(thread)
    thread.change_licence(reply_mode=ALERTS)
    with thread.database.transaction() as session:
        session.execute(text("UPDATE reply_attachments SET reason = 'asked_again', path = NULL"))

    thread.ask_again(row.id)

    assert _events(thread) == [("edited", "internal", "the plan")]


def test_licence_for_alerts_gives_no_hints(thread: MirroredThread) -> None:
    """A licence in mode alerts gives no hints."""
    thread.change_licence(reply_mode=ALERTS)
    thread.say("when does he come?", root_id="")

    _catch_up(thread)

    with thread.database.snapshot() as session:
        assert session.execute(text("SELECT count(*) FROM hints")).scalar() == 0


def _read_as_docs_say(thread: MirroredThread) -> set[tuple[str, str]]:
    """Return post and text of the visitor's replies, read by the query in the docs."""
    page = (ROOT / "docs" / "integrating.md").read_text()
    (query,) = re.findall(r"```text\n(SELECT .*?)```", page, re.DOTALL)
    asked = {"licence_id": LICENCE, "conversation_id": CONVERSATION}
    with thread.database.snapshot() as session:
        return {(row.post_id, row.plain_text) for row in session.execute(text(query), asked)}


def _shown_by_the_task(thread: MirroredThread) -> set[tuple[str, str]]:
    """Return post and text of the visitor's replies by the events that i-Reserve got."""
    newest = {each["post_id"]: each for each in _told(thread)}
    return {
        (post_id, each["plain_text"])
        for post_id, each in newest.items()
        if each["visibility"] == "public" and each["event"] != "deleted"
    }


def test_who_reads_the_tables_sees_what_the_task_is_told(thread: MirroredThread) -> None:
    """The docs' query of the tables gives the same replies as the task."""
    member = thread.stage.member()
    words = [
        "at six",
        "wrong",
        "taken back",
        "now a note",
        "note: x",
        "@bob x",
        "!x",
        " ",
        "emptied",
    ]
    posts = [thread.say(each, props={"attachments": [{"text": "x"}]}) for each in words]
    _catch_up(thread)
    changes = {1: "right", 3: "note: now a note", 8: " "}
    for number, message in changes.items():
        member.patch_post(posts[number].id, message=message)
    member.delete_post(posts[2].id)
    _catch_up(thread)
    thread.change_licence(reply_pause_s=10)
    member.patch_post(posts[4].id, message="for the visitor by now")
    waiting = thread.say("it waits")
    _catch_up(thread)

    read = _read_as_docs_say(thread)

    assert read == {(posts[0].id, "at six"), (posts[1].id, "right")}
    assert read == _shown_by_the_task(thread)
    with thread.database.snapshot() as session:
        rows = session.scalars(select(Reply).where(Reply.paused_until.is_not(None))).all()
    assert {row.post_id for row in rows} == {posts[4].id, waiting.id}
