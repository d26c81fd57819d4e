"""Catch-up puts each reply that no webhook brought into the inbox once, and nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from models import Conversation, Reply, ReplySource, ReplyState
from tasks.replies.inbox import receive
from tests.stage.channel_looks import in_order, inbox_of, look, record_all, write
from tests.stage.stage import LICENCE, Stage
from tests.webhook_calls import add_licence


def test_missed_replies_are_taken_in_once_and_in_order(stage: Stage) -> None:
    """Missed replies come into the inbox once and in order."""
    stage.start()
    posts = write(stage, "one", "two", "three")

    first, second = look(stage), look(stage)

    assert (first, second) == (3, 0)
    assert [
        (reply.post_id, reply.state.value, reply.source.value) for reply in inbox_of(stage)
    ] == [(post_id, "received", "catch_up") for post_id in in_order(posts)]


def test_what_a_webhook_has_brought_is_not_taken_in_again(stage: Stage) -> None:
    """A reply that a webhook brought is not added again."""
    stage.start()
    posts = in_order(write(stage, "one", "two", "three"))
    with stage.runtime.database.connection() as connection:
        receive(connection, licence_id=LICENCE, post_id=posts[1], source=ReplySource.WEBHOOK)

    count = look(stage)

    assert count == 2
    assert [reply.post_id for reply in inbox_of(stage)] == [posts[1], posts[0], posts[2]]


def test_the_same_post_of_another_licence_is_another_reply(stage: Stage) -> None:
    """The same post id of two licences is two replies."""
    stage.start()
    (post,) = write(stage, "one")
    add_licence(stage.runtime.database, "L2", tokens=())
    with stage.runtime.database.connection() as connection:
        receive(connection, licence_id="L2", post_id=post.id, source=ReplySource.WEBHOOK)
        connection.execute(update(Reply).values(state=ReplyState.RECORDED))

    counts = [look(stage) for _ in range(2)]

    assert counts == [1, 0]
    assert [(reply.licence_id, reply.post_id, reply.state.value) for reply in inbox_of(stage)] == [
        ("L2", post.id, "recorded"),
        (LICENCE, post.id, "received"),
    ]


@pytest.mark.usefixtures("private_channel")
def test_private_channel_works_by_catch_up(stage: Stage) -> None:
    """Replies in a private channel, which has no webhooks, are found."""
    stage.start()
    (post,) = write(stage, "in private")

    look(stage)

    assert [reply.post_id for reply in inbox_of(stage)] == [post.id]


def test_only_replies_in_mirrored_threads_are_taken_in(stage: Stage) -> None:
    """Only members' replies in mirrored threads come into the inbox."""
    stage.start()
    stage.reply("m1", "by the bot")
    member = stage.member()
    outside = member.create_post(channel_id=stage.channel_id, message="outside")
    member.create_post(channel_id=stage.channel_id, root_id=outside.id, message="elsewhere")

    look(stage)

    assert inbox_of(stage) == []


def test_edited_and_deleted_replies_are_resolved_again(stage: Stage) -> None:
    """An edit or deletion of a recorded reply brings it into the inbox again."""
    stage.start()
    edited, deleted, untouched = write(stage, "one", "two", "three")
    look(stage)
    record_all(stage)
    stage.member().patch_post(edited.id, message="better")
    stage.member().delete_post(deleted.id)

    count = look(stage)

    states = {reply.post_id: reply.state.value for reply in inbox_of(stage)}
    assert count == 2
    assert states == {
        edited.id: "received",
        deleted.id: "received",
        untouched.id: "recorded",
    }


def test_reply_deleted_before_it_was_ever_seen_is_not_taken_in(stage: Stage) -> None:
    """A reply that was deleted before any look is not added."""
    stage.start()
    (post,) = write(stage, "oops")
    stage.member().delete_post(post.id)

    look(stage)

    assert inbox_of(stage) == []


def test_lost_thread_takes_no_recorded_reply_with_it(stage: Stage) -> None:
    """Deleting the root keeps recorded replies, which the visitor has read."""
    stage.start()
    write(stage, "one", "two")
    look(stage)
    record_all(stage)
    stage.bot().delete_post(stage.conversation().root_post_id or "")

    count = look(stage)

    assert count == 0
    assert [reply.state.value for reply in inbox_of(stage)] == ["recorded", "recorded"]


def test_licences_do_not_see_each_others_threads(stage: Stage) -> None:
    """A licence's catch-up ignores another licence's thread in the same channel."""
    stage.start("c1")
    write(stage, "one")
    stage.start("c2")
    add_licence(stage.runtime.database, "L2", tokens=())
    with stage.runtime.database.transaction() as session:
        first = Conversation.conversation_id == "c1"
        session.execute(update(Conversation).where(first).values(licence_id="L2"))

    look(stage)

    assert inbox_of(stage) == []
