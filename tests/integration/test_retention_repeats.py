"""What happens to a message, a reply or a conversation that comes again after its removal."""

from __future__ import annotations

import pytest
import requests
from sqlalchemy import select, update

from models import Conversation, Reply, utc_now
from tasks.mattermost import Post
from tasks.privacy.retention import remove_rows
from tasks.replies.catch_up import collect
from tests.stage.old_data import LONG_AGO, make_old
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, on a server whose deduplication has expired."""
    # Within 30 s, Mattermost would take a post with the same key for the earlier one.
    stage.stand_in.set_options(PendingPostTtlS=0.0)
    return MirroredThread.open(stage)


def test_next_message_begins_a_new_thread_and_the_old_one_is_unknown(
    thread: MirroredThread,
) -> None:
    """After removal, a message starts a new thread; replies in the old one are not passed on."""
    old_root = thread.root_post_id
    make_old(thread)
    thread.configure(retention_conversations_days=365)
    remove_rows(thread.stage.runtime)

    thread.stage.reply("m1", "me again")
    late = thread.take_in(thread.say("too late", root_id=old_root))
    new = thread.recorded(thread.say("welcome back"))

    assert thread.root_post_id != old_root
    assert late is not None
    assert (late.state.value, late.reason, late.revision) == ("empty", "moved_thread", 0)
    assert (new.text, thread.stage.states()["reply:m1"]) == ("welcome back", ("sent", None))


def test_old_reply_that_changes_in_mattermost_does_not_come_again(
    thread: MirroredThread,
) -> None:
    """A removed reply whose post changes is not recorded again."""
    long_ago_ms = round((utc_now() - LONG_AGO).timestamp() * 1_000)
    admin = thread.stage.stand_in.setup({})["admin"]
    answer = requests.post(
        f"{thread.stage.stand_in.url}/api/v4/posts",
        # Only an administrator may set a post's time.
        headers={"Authorization": f"Bearer {admin['token']}"},
        json={
            "channel_id": thread.stage.channel_id,
            "root_id": thread.root_post_id,
            "message": "old",
            "create_at": long_ago_ms,
        },
        timeout=10,
    )
    row = thread.recorded(Post.parse(answer.json()))
    make_old(thread)
    with thread.database.transaction() as session:
        session.execute(update(Conversation).values(last_active_at=utc_now()))
    thread.configure(retention_replies_days=365)
    remove_rows(thread.stage.runtime)
    thread.stage.member().add_reaction(
        user_id=thread.stage.member().get_me().id, post_id=row.post_id, emoji_name="+1"
    )
    young = thread.say("young")

    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)

    with thread.database.snapshot() as session:
        assert list(session.scalars(select(Reply.post_id))) == [young.id]


def test_known_message_is_posted_again_once_its_delivery_is_gone(thread: MirroredThread) -> None:
    """A message id is posted once within the retention, and again after it."""
    stage = thread.stage
    stage.reply("m1", "hello")
    stage.reply("m1", "hello")
    within = len(stage.channel_posts())
    make_old(thread)
    thread.configure(retention_deliveries_days=365)
    remove_rows(stage.runtime)

    stage.reply("m1", "hello")

    assert (within, len(stage.channel_posts())) == (2, 3)
