"""The command line shows one conversation: its threads, and the state of each message."""

from __future__ import annotations

from typing import Any

import pytest

from ireserve_mattermost.lanes import Lane
from tasks.failures import OwnReason
from tests.operators import Operator
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import CONVERSATION, MirroredThread

pytestmark = pytest.mark.one_database

# Names and texts, which the command shows only on request.
NAME, SECRETS = "Jan de Vries", ("a question", "an answer", "a failure", "a wait", "/houses/7")


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with sent, failed and waiting messages, and with replies."""
    stage.start(CONVERSATION, visitor_name=NAME, page_url="https://example.com/houses/7")
    thread = MirroredThread(stage)
    stage.reply("m1", "a question", sender_name=NAME)
    stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
    stage.reply("m2", "a failure", sender_name=NAME)
    thread.recorded(thread.say("an answer", file_ids=thread.upload(b"1", b"2")))
    thread.recorded(thread.say("note: an answer"))
    # Draw the card, which the public reply has changed.
    stage.drain(Lane.of_conversation(LICENCE, CONVERSATION))
    stage.append(
        "reply", conversation_id=CONVERSATION, message_id="m3", text="a wait", sender_name=NAME,
        sender_role="visitor",
    )  # fmt: skip
    return thread


def look(operator: Operator, *words: str) -> Any:
    """Return the command's JSON output."""
    return operator.json("conversation", LICENCE, CONVERSATION, *words)["conversation"]


def test_conversation_is_shown_with_its_thread_and_how_far_each_message_came(
    stage: Stage, operator: Operator, thread: MirroredThread
) -> None:
    """Each message has its state, a failed one also its cure, and each reply its visibility."""
    found = look(operator)

    root = thread.root_post_id
    assert found["thread"] == {
        "root_post_id": root,
        "permalink": f"{stage.stand_in.url}/_redirect/pl/{root}",
        "channel_id": stage.channel_id,
        "number": 1,
        "earlier": [],
    }
    assert found["waiting"] == 1
    assert [(each["key"], each["state"], each["reason"]) for each in found["messages"]] == [
        ("root:1", "sent", None),
        ("reply:m1", "sent", None),
        ("reply:m2", "failed", "rejected_by_plugin"),
        ("reply:m3", "waiting", None),
    ]
    assert "which plugin" in found["messages"][2]["cure"]
    assert [(each["state"], each["visibility"], each["files"]) for each in found["replies"]] == [
        ("recorded", "public", 2),
        ("recorded", "internal", 0),
    ]
    assert [each["given_up"] for each in found["replies"]] == [False, False]


@pytest.mark.usefixtures("thread")
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["people", "programs"])
def test_what_was_said_and_by_whom_is_shown_only_when_asked_for(
    form: tuple[str, ...], operator: Operator
) -> None:
    """Names and texts are shown only with --personal."""
    words = ("conversation", LICENCE, CONVERSATION, *form)

    plain = operator.run(*words).output
    personal = operator.run(*words, "--personal").output

    assert [word for word in (NAME, *SECRETS) if word in plain] == []
    assert [word for word in (NAME, *SECRETS) if word not in personal] == []


@pytest.mark.usefixtures("thread")
def test_only_the_newest_are_shown(operator: Operator) -> None:
    """Only the requested number of messages and replies is shown, the newest last."""
    found = look(operator, "--limit", "2")

    assert [each["key"] for each in found["messages"]] == ["reply:m2", "reply:m3"]
    assert [each["visibility"] for each in found["replies"]] == ["public", "internal"]


def test_card_is_shown_as_it_stands(
    stage: Stage, operator: Operator, thread: MirroredThread
) -> None:
    """The command shows the card's state, i-Reserve's data, and whether Mattermost has them."""
    stage.reply("m5", "are you there?")
    waiting = look(operator)["card"]
    with thread.fault("error_500", scope="edits"):
        stage.update(7, state="taken", assignee_user_id="u-9")
    taken = look(operator)["card"]
    shown = operator.run("conversation", LICENCE, CONVERSATION).output

    assert (waiting["state"], waiting["is_drawn"]) == ("waiting", True)
    assert waiting["waiting_since"] is not None
    assert (taken["state"], taken["assignee_user_id"], taken["revision"]) == ("taken", "u-9", 7)
    assert (taken["is_drawn"], taken["changed_at"] is None) == (False, False)
    assert "taken, user u-9, since" in shown


def test_earlier_threads_are_named(
    stage: Stage, operator: Operator, thread: MirroredThread
) -> None:
    """A conversation whose root post was deleted shows its earlier threads."""
    gone = thread.root_post_id
    stage.bot().delete_post(gone)
    stage.reply("m4", "on with it")

    found = look(operator)

    assert (found["thread"]["number"], found["thread"]["earlier"]) == (2, [gone])
    assert found["thread"]["permalink"].endswith(thread.root_post_id)


def test_conversation_that_waits_for_its_first_thread_is_shown(
    stage: Stage, operator: Operator
) -> None:
    """A conversation that exists only in its lane is shown."""
    stage.append("root", conversation_id=CONVERSATION, visitor_name=NAME)

    found = look(operator)
    shown = operator.run("conversation", LICENCE, CONVERSATION).output

    assert (found["thread"], found["started_at"]) == (None, None)
    assert [(each["kind"], each["state"]) for each in found["messages"]] == [("root", "waiting")]
    assert "none yet" in shown


def test_unknown_conversation_is_one_line(operator: Operator) -> None:
    """The one line about an unknown conversation names both ids."""
    line = operator.error("conversation", LICENCE, "c9")

    assert "nothing is stored of conversation 'c9' of licence 'L1'" in line


def test_control_characters_do_not_reach_the_terminal(stage: Stage, operator: Operator) -> None:
    """Control characters in a visitor's name do not reach the terminal."""
    stage.start(CONVERSATION, visitor_name="Jan\x1b[2J\u202eeirF")

    shown = operator.run("conversation", LICENCE, CONVERSATION, "--personal").output

    assert "Jan[2JeirF" in shown
    assert "\x1b" not in shown


def test_failure_before_a_thread_says_why(stage: Stage, operator: Operator) -> None:
    """A failed root post is shown with its reason."""
    stage.stand_in.set_fault("unauthorized", times=1)
    stage.start(CONVERSATION)

    found = look(operator)

    assert found["thread"] is None
    assert [(each["key"], each["state"]) for each in found["messages"]] == [("root:1", "failed")]
    assert found["messages"][0]["reason"] not in {None, OwnReason.INTERNAL_ERROR.value}
