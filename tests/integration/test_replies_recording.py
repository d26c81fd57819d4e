"""A post in the inbox becomes a recorded reply, or leaves the inbox."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from ireserve_mattermost.lanes import Lane
from models import Conversation, Reply, ReplyState, Visibility, utc_now
from tasks.licences.registration import Registration
from tasks.mattermost import MattermostClient, Post
from tasks.outbound.marks import Mark
from tasks.replies.backoff import GIVE_UP_AFTER_S, GIVEN_UP
from tasks.replies.resolve import RepliesFailedError
from tests.stage.registering import register
from tests.stage.stage import CHANNEL, LICENCE, TEAM
from tests.stage.thread import CONVERSATION, MirroredThread


def test_reply_is_recorded_with_all_that_the_server_knows(thread: MirroredThread) -> None:
    """A recorded reply has text, plain text, time, conversation and author."""
    post = thread.say("**Hi** :wave:")

    row = thread.recorded(post)

    assert (row.state, row.visibility, row.revision) == (
        ReplyState.RECORDED,
        Visibility.PUBLIC,
        1,
    )
    assert (row.text, row.plain_text) == ("**Hi** :wave:", "Hi 👋")
    assert row.posted_at == datetime.fromtimestamp(post.create_at_ms / 1_000, UTC)
    assert row.post_update_at_ms == post.update_at_ms
    assert row.conversation_row == thread.stage.conversation().id
    assert (row.author_mattermost_id, row.author_user_id) == (post.user_id, None)
    assert (row.author_name, row.pending_event, row.attempts) == ("anna", None, 0)
    assert thread.due() == []


def test_resolving_twice_changes_nothing(thread: MirroredThread) -> None:
    """Resolving a recorded reply again causes no request."""
    row = thread.recorded(thread.say("once"))
    asked = thread.asked(f"/posts/{row.post_id}")

    thread.resolve(row.id, row.id)

    again = thread.reply(row.id)
    assert again is not None
    assert again.revision == 1
    assert thread.asked(f"/posts/{row.post_id}") == asked == 1


def test_two_workers_at_once_record_it_once(thread: MirroredThread) -> None:
    """If two workers resolve a reply at the same time, one of them records it."""
    post = thread.say("once")
    reply_id = thread.receive(post.id)

    with thread.fault("slow", seconds=0.3), ThreadPoolExecutor() as pool:
        reports = [pool.submit(thread.resolve, reply_id) for _ in range(2)]
        outcomes = sorted(str(each.result()) for each in reports)

    row = thread.reply(reply_id)
    assert row is not None
    assert outcomes == ["1 busy", "1 recorded"]
    assert (row.revision, thread.asked(f"/posts/{post.id}")) == (1, 1)


def test_conversation_counts_as_active_again(thread: MirroredThread) -> None:
    """A reply makes its conversation active for catch-up."""
    long_ago = utc_now() - timedelta(days=40)
    with thread.database.transaction() as session:
        session.scalars(select(Conversation)).one().last_active_at = long_ago

    thread.recorded(thread.say("still here"))

    assert thread.stage.conversation().last_active_at > long_ago + timedelta(days=39)


def _system_message(thread: MirroredThread) -> Post:
    made = thread.stage.stand_in.setup({"users": [{"username": "new", "teams": [TEAM]}]})
    thread.stage.member().add_channel_member(
        thread.stage.channel_id, user_id=made["users"]["new"]["id"]
    )
    return thread.stage.channel_posts()[-1]


def _other_bots_post(thread: MirroredThread) -> Post:
    place = f"{TEAM}/{CHANNEL}"
    bot = {"username": "other-bot", "channels": [place]}
    token = thread.stage.stand_in.setup({"bots": [bot]})["bots"]["other-bot"]["token"]
    return thread.say("beep", client=MattermostClient(thread.stage.stand_in.url, token))


def _in_another_thread(thread: MirroredThread) -> Post:
    return thread.say("about lunch", root_id=thread.say("lunch?", root_id="").id)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda thread: thread.say("a new topic", root_id=""), id="root post"),
        pytest.param(_in_another_thread, id="another thread"),
        pytest.param(lambda thread: thread.say("x", client=thread.stage.bot()), id="our own post"),
        pytest.param(_other_bots_post, id="another bot"),
        pytest.param(_system_message, id="system message"),
    ],
)
def test_post_that_is_no_reply_leaves_the_inbox(
    thread: MirroredThread, make: Callable[[MirroredThread], Post]
) -> None:
    """A post that is no reply leaves no row."""
    assert thread.take_in(make(thread)) is None


def test_member_who_copies_our_key_or_calls_himself_a_bot_still_replies(
    thread: MirroredThread,
) -> None:
    """A member's post is a reply, whatever props it has, since any member can set them."""
    props = Mark.of(Lane.of_conversation(LICENCE, CONVERSATION), "reply:1").props("1")

    row = thread.recorded(thread.say("mine", props={**props, "from_bot": "true"}))

    assert row.text == "mine"


def test_post_of_another_licence_is_unknown_and_nothing_is_kept(thread: MirroredThread) -> None:
    """A post in another licence's thread on the same server is not recorded."""
    place = f"{TEAM}/other"
    made = thread.stage.stand_in.setup(
        {
            "channels": [{"team": TEAM, "name": "other"}],
            "bots": [{"username": "bot-b", "channels": [place, f"{TEAM}/{CHANNEL}"]}],
        }
    )
    token = made["bots"]["bot-b"]["token"]
    url = thread.stage.stand_in.url
    register(
        Registration("L2", url, TEAM, "other", token),
        settings=thread.stage.runtime.settings,
        database=thread.database,
    )
    reply_id = thread.receive(thread.say("for A alone").id, "L2")

    thread.resolve(reply_id)

    with thread.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Reply)) == 0


def test_post_deleted_before_it_was_recorded_leaves_the_inbox(thread: MirroredThread) -> None:
    """A post that was deleted before it was recorded leaves the inbox."""
    post = thread.say("never mind")
    thread.stage.member().delete_post(post.id)

    assert thread.take_in(post) is None


def test_post_that_a_replica_lacks_is_asked_for_three_times(thread: MirroredThread) -> None:
    """A post that a replica may lack is requested three times before it is dropped."""
    reply_id = thread.receive("y" * 26)
    seen = []

    for _ in range(3):
        thread.resolve(reply_id)
        row = thread.reply(reply_id)
        seen.append(row and (row.state, row.attempts, row.next_attempt_at > utc_now()))

    assert seen == [(ReplyState.RECEIVED, 1, True), (ReplyState.RECEIVED, 2, True), None]


def test_reply_waits_for_a_thread_that_is_not_linked_yet(thread: MirroredThread) -> None:
    """A reply waits while its conversation has no thread, as after a worker's death."""
    root_post_id = thread.root_post_id
    conversation_row = thread.stage.conversation().id
    post = thread.say("quick answer")
    _link(thread, None)

    waiting = thread.recorded(post)
    _link(thread, root_post_id)
    thread.resolve(waiting.id)

    row = thread.reply(waiting.id)
    assert row is not None
    assert (waiting.state, waiting.conversation_row) == (ReplyState.RECEIVED, None)
    assert (row.state, row.conversation_row) == (ReplyState.RECORDED, conversation_row)


def _link(thread: MirroredThread, root_post_id: str | None) -> None:
    with thread.database.transaction() as session:
        session.scalars(select(Conversation)).one().root_post_id = root_post_id


def test_server_that_is_away_is_waited_for_without_limit(thread: MirroredThread) -> None:
    """Replies wait for a server without limit, and cause no request once its circuit is open."""
    reply_id = thread.receive(thread.say("hello").id)
    with thread.fault("down"):
        for _ in range(3):
            thread.resolve(reply_id)
        asked = thread.asked("/posts/")
        thread.change(reply_id, received_at=utc_now() - timedelta(days=2))
        thread.resolve(reply_id)
        waiting = thread.reply(reply_id)
        assert thread.asked("/posts/") == asked
    thread.stage.runtime.circuits.close(LICENCE)
    thread.resolve(reply_id)

    row = thread.reply(reply_id)
    assert waiting is not None
    assert row is not None
    assert (waiting.state, waiting.attempts) == (ReplyState.RECEIVED, 0)
    assert timedelta(minutes=4) < waiting.next_attempt_at - utc_now() < timedelta(minutes=6)
    assert row.state is ReplyState.RECORDED


def test_server_that_asks_for_a_pause_gets_it(thread: MirroredThread) -> None:
    """After a 429 the licence pauses, and the reply waits."""
    reply_id = thread.receive(thread.say("hello").id)
    with thread.fault("rate_limited", times=1, retry_after_s=30):
        thread.resolve(reply_id)

    row = thread.reply(reply_id)
    assert row is not None
    assert row.state is ReplyState.RECEIVED
    assert thread.stage.runtime.circuits.state(LICENCE).blocked_until > 0


def test_refused_reply_is_tried_slowly_and_given_up_after_a_day(thread: MirroredThread) -> None:
    """A refused reply is tried again after five minutes, and given up after a day."""
    reply_id = thread.receive(thread.say("hello").id)
    with thread.fault("unauthorized"):
        thread.resolve(reply_id)
        slowly = thread.reply(reply_id)
        thread.change(reply_id, received_at=utc_now() - timedelta(seconds=GIVE_UP_AFTER_S))
        thread.resolve(reply_id)
        given_up = thread.reply(reply_id)
    thread.resolve(reply_id)
    mended = thread.reply(reply_id)

    assert slowly is not None
    assert given_up is not None
    assert mended is not None
    assert timedelta(minutes=4) < slowly.next_attempt_at - utc_now() < timedelta(minutes=6)
    assert (given_up.state, given_up.next_attempt_at) == (ReplyState.RECEIVED, GIVEN_UP)
    assert mended.state is ReplyState.RECORDED


def test_disabled_licence_keeps_its_replies_waiting(thread: MirroredThread) -> None:
    """A disabled licence's replies wait without requests."""
    reply_id = thread.receive(thread.say("hello").id)
    thread.change_licence(enabled=False)

    report = thread.resolve(reply_id)

    assert str(report) == "1 waiting"
    assert thread.asked("/posts/") == 0


def test_licence_with_its_share_of_threads_leaves_replies_to_the_others(
    thread: MirroredThread,
) -> None:
    """A task beyond a licence's share of threads leaves its replies to the licence's next task."""
    shares = thread.stage.runtime.shares
    left, own = (thread.receive(thread.say(text).id) for text in ("left", "own"))
    while shares.enter(LICENCE):
        pass

    first = thread.resolve(left)
    shares.leave(LICENCE)
    second = thread.resolve(own)

    assert (str(first), str(second)) == ("1 left", "2 recorded")


def test_unexpected_error_shows_no_secret_and_the_next_reply_is_tried(
    thread: MirroredThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected error prints no secret, and the other replies are still tried."""
    reply_ids = [thread.receive(thread.say(text).id) for text in ("a", "b")]
    # An address that registration would have refused.
    thread.change_licence(server_url="https://secret:word@example.com")

    with pytest.raises(RepliesFailedError) as caught:
        thread.resolve(*reply_ids)

    rows = [thread.reply(reply_id) for reply_id in reply_ids]
    assert str(caught.value) == "2 failed"
    assert [row and (row.state, row.next_attempt_at > utc_now()) for row in rows] == [
        (ReplyState.RECEIVED, True)
    ] * 2
    assert "secret" not in capsys.readouterr().out
