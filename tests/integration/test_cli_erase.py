"""``erase`` removes all data of a conversation or a visitor, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from ireserve_mattermost.lanes import Lane
from models import Conversation
from tests.operators import Operator
from tests.stage.stage import LICENCE, VISITOR, Stage
from tests.stage.thread import MirroredThread
from tests.webhook_calls import add_licence

NOTHING = {
    "conversations": 0, "replies": 0, "files": 0, "payloads": 0, "waiting": 0, "threads": 0,
}  # fmt: skip


def _erase(operator: Operator, *words: str, exit_code: int = 0) -> Any:
    return operator.json("erase", LICENCE, *words, exit_code=exit_code)


def _conversations(stage: Stage) -> list[str]:
    with stage.runtime.database.transaction() as session:
        return sorted(session.scalars(select(Conversation.conversation_id)))


def _fail(stage: Stage) -> None:
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)


def test_conversation_is_erased_with_all_that_hangs_on_it(stage: Stage, operator: Operator) -> None:
    """Rows, waiting messages and files go; the posts and another conversation's data stay."""
    thread = MirroredThread.open(stage)
    reply = thread.recorded(thread.say("hello", file_ids=thread.upload(b"content")))
    stage.start("c2")
    for conversation_id in ("c1", "c2"):
        _fail(stage)
        stage.reply("m1", "secret", conversation_id)
    (file,) = thread.attachments(reply.id)
    stage.append("reply", conversation_id="c1", message_id="m2", text="waits")

    answer = _erase(operator, "--conversation", "c1", "--yes")

    assert answer["erased"] == {
        "conversations": 1, "replies": 1, "files": 1, "payloads": 1, "waiting": 1, "threads": 0,
    }  # fmt: skip
    assert _conversations(stage) == ["c2"]
    assert thread.reply(reply.id) is None
    assert not (stage.store / str(file.path)).exists()
    assert stage.runtime.lanes.head(Lane.of_conversation(LICENCE, "c1")) is None
    assert [row.lane for row in stage.ledger() if row.payload] == [f"{LICENCE}:c:c2"]
    assert len([post for post in stage.channel_posts() if "hello" in post.message]) == 1


def test_dry_run_lists_what_is_stored_and_removes_nothing(stage: Stage, operator: Operator) -> None:
    """A dry run lists the visitor, the amounts and the thread, and removes nothing."""
    thread = MirroredThread.open(stage)
    thread.recorded(thread.say("hello", file_ids=thread.upload(b"content")))
    _fail(stage)
    stage.reply("m1", "fails")
    stage.append("reply", conversation_id="c1", message_id="m2", text="waits")

    answer = _erase(operator, "--conversation", "c1", "--dry-run")

    (found,) = answer["conversations"]
    moments = {found.pop(name) is None for name in ("started_at", "last_active_at")}
    assert (answer["erased"], moments) == (None, {False})
    assert found == {
        "conversation": "c1",
        "visitor": "Jan",
        "page_url": None,
        "replies": 1,
        "files": 1,
        "failed": 1,
        "waiting": 1,
        "threads": [thread.root_post_id],
    }
    assert _conversations(stage) == ["c1"]


def test_visitor_is_erased_from_each_conversation_and_no_other(
    stage: Stage, operator: Operator
) -> None:
    """All conversations of exactly this visitor's name are erased."""
    for conversation_id, name in (("c1", "Jan"), ("c2", "jan"), ("c3", "Jan"), ("c4", "Jan B")):
        stage.start(conversation_id, visitor_name=name)

    answer = _erase(operator, "--visitor", "Jan", "--posts", "--yes")

    assert [each["conversation"] for each in answer["conversations"]] == ["c1", "c3"]
    assert answer["erased"] == {**NOTHING, "conversations": 2, "threads": 2}
    assert _conversations(stage) == ["c2", "c4"]
    assert len(stage.channel_posts()) == 2


def test_visitor_is_found_in_messages_that_failed_or_wait(stage: Stage, operator: Operator) -> None:
    """A visitor is also found in failed and waiting messages."""
    stage.start("c1", visitor_name="Somebody")
    _fail(stage)
    stage.reply("m1", "fails", "c1")
    stage.append("root", conversation_id="c2", visitor_name="Jan")
    stage.append("reply", conversation_id="c3", message_id="m1", text="waits",
                  sender_name="Jan", sender_role="agent")  # fmt: skip
    stage.append("notification", notification_type="booking", text="Jan")

    found = _erase(operator, "--visitor", "Jan", "--dry-run")["conversations"]
    erased = _erase(operator, "--visitor", "Jan", "--yes")["erased"]

    counts = [(each["conversation"], each["failed"], each["waiting"]) for each in found]
    assert counts == [("c1", 1, 0), ("c2", 0, 1)]
    assert erased == {**NOTHING, "conversations": 1, "payloads": 1, "waiting": 1}


def test_visitor_of_another_licence_is_not_touched(stage: Stage, operator: Operator) -> None:
    """Another licence's conversations of the same name and id stay, also a waiting message."""
    stage.start("c1", visitor_name="Jan")
    add_licence(stage.runtime.database, "L2", tokens=())
    with stage.runtime.database.transaction() as session:
        for each in ("c1", "c2"):
            ids = {"licence_id": "L2", "conversation_id": each, "channel_id": "c"}
            session.add(Conversation(**ids, visitor_name="Jan"))
    waiting = {"licence_id": "L2", "conversation_id": "c1", "message_id": "m1", "text": "waits"}
    lane = stage.append("reply", **waiting, **VISITOR)

    answer = _erase(operator, "--visitor", "Jan", "--yes")

    assert answer["erased"] == {**NOTHING, "conversations": 1}
    assert _conversations(stage) == ["c1", "c2"]
    assert stage.runtime.lanes.head(lane) is not None


def test_licence_that_is_not_registered_erases_nothing(stage: Stage, operator: Operator) -> None:
    """Erasing for an unregistered licence is an error without the name, and erases nothing."""
    stage.start("c1", visitor_name="Jan")

    answer = operator.json("erase", "L2", "--visitor", "Jan", "--yes", exit_code=1)

    assert "no licence 'L2' is registered" in answer["error"]
    assert "Jan" not in answer["error"]
    assert _conversations(stage) == ["c1"]


def test_operator_sees_whom_two_conversations_are_with_before_they_go(
    stage: Stage, operator: Operator
) -> None:
    """The list shows the pages of two visitors of one name; the answer "no" erases neither."""
    stage.start("c1", visitor_name="Jan", page_url="https://example.com/lake")
    stage.start("c2", visitor_name="Jan", page_url="https://example.com/forest")

    result = operator.run("erase", LICENCE, "--visitor", "Jan", stdin="n\n")
    chosen = _erase(operator, "--conversation", "c2", "--yes")

    rows = [line.split()[:3] for line in result.stdout.splitlines()[1:3]]
    assert rows == [
        ["c1", "Jan", "https://example.com/lake"],
        ["c2", "Jan", "https://example.com/forest"],
    ]
    assert (result.exit_code, chosen["erased"]["conversations"]) == (1, 1)
    assert _conversations(stage) == ["c1"]


def test_several_conversations_are_erased_at_once(stage: Stage, operator: Operator) -> None:
    """Several conversations can be erased at once, and a repeated id counts once."""
    for conversation_id in ("c1", "c2", "c3"):
        stage.start(conversation_id)
    words = [word for each in ("c1", "c3", "c1") for word in ("--conversation", each)]

    answer = _erase(operator, *words, "--yes")

    assert answer["erased"]["conversations"] == 2
    assert _conversations(stage) == ["c2"]


def test_unknown_conversation_among_several_leaves_all(stage: Stage, operator: Operator) -> None:
    """If one id is unknown, nothing is removed."""
    stage.start("c1")

    answer = _erase(operator, "--conversation", "c1", "--conversation", "c9", "--yes", exit_code=1)

    assert "nothing is stored of conversation 'c9'" in answer["error"]
    assert _conversations(stage) == ["c1"]


@pytest.mark.parametrize(
    "words",
    [(), ("--conversation", "c1", "--visitor", "Jan")],
    ids=["neither", "both"],
)
def test_conversation_or_visitor_is_given(operator: Operator, words: tuple[str, ...]) -> None:
    """Exactly one of conversation and visitor must be given."""
    result = operator.run("erase", LICENCE, *words, "--yes")

    assert (result.exit_code, "give --conversation or --visitor" in result.output) == (2, True)


def test_thread_is_deleted_in_mattermost_when_asked_for(stage: Stage, operator: Operator) -> None:
    """On request the bot deletes the root post, and so the whole thread."""
    thread = MirroredThread.open(stage)
    stage.reply("m1", "sent")
    thread.say("hello")

    answer = _erase(operator, "--conversation", "c1", "--posts", "--yes")

    assert answer["erased"]["threads"] == 1
    assert stage.channel_posts() == []


def test_thread_can_be_deleted_after_the_rest_was_erased(stage: Stage, operator: Operator) -> None:
    """A later command can still delete the thread, by the conversation's id."""
    stage.start("c1")
    _erase(operator, "--conversation", "c1", "--yes")

    later = _erase(operator, "--conversation", "c1", "--posts", "--yes")

    assert later["erased"] == {**NOTHING, "threads": 1}
    assert stage.channel_posts() == []


def test_thread_that_cannot_be_deleted_keeps_everything(stage: Stage, operator: Operator) -> None:
    """If the thread cannot be deleted, nothing is erased, and the command can be repeated."""
    MirroredThread.open(stage)
    stage.stand_in.set_fault("down")
    words = ("--conversation", "c1", "--posts", "--yes")

    refused = _erase(operator, *words, exit_code=1)
    kept = _conversations(stage)
    stage.stand_in.clear_faults()
    erased = _erase(operator, *words)["erased"]

    assert "error" in refused
    assert kept == ["c1"]
    assert erased == {**NOTHING, "conversations": 1, "threads": 1}


def test_conversation_can_begin_anew_after_it_was_erased(stage: Stage, operator: Operator) -> None:
    """After erasure a new message makes a new thread, and an old message is not posted again."""
    # For 30 s Mattermost would take the new root post for the deleted old one.
    stage.stand_in.set_options(PendingPostTtlS=0.0)
    stage.start()
    stage.reply("m1", "before")
    _erase(operator, "--conversation", "c1", "--posts", "--yes")

    stage.reply("m1", "before")
    stage.reply("m2", "after")

    assert [post.message.rpartition("\n")[2] for post in stage.channel_posts()][1:] == ["after"]
