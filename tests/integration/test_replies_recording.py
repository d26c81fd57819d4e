"""From a post's id in the inbox to a recorded reply, or out of the inbox again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import Conversation, Reply, ReplyState, Visibility, utc_now
from tasks.lanes import Lane
from tasks.licences.registration import LicenceOrder, register_licence
from tasks.mattermost import MattermostClient, Post
from tasks.outbound.marks import Mark
from tasks.replies.patience import GIVE_UP_AFTER_S, GIVEN_UP
from tasks.replies.resolve import RepliesFailedError
from tests.integration.conftest import CHANNEL, LICENCE, TEAM, Office
from tests.integration.desk import CONVERSATION, Desk


@pytest.fixture
def desk(office: Office) -> Desk:
    """A conversation with its thread."""
    return Desk.open(office)


def test_reply_is_recorded_with_all_that_the_server_knows(desk: Desk) -> None:
    """Text, plain text, time, conversation and author stand in the row."""
    post = desk.say("**Hi** :wave:")

    row = desk.recorded(post)

    assert (row.state, row.visibility, row.revision) == (
        ReplyState.RECORDED,
        Visibility.PUBLIC,
        1,
    )
    assert (row.text, row.plain_text) == ("**Hi** :wave:", "Hi 👋")
    assert row.posted_at == datetime.fromtimestamp(post.create_at_ms / 1_000, UTC)
    assert row.post_update_at_ms == post.update_at_ms
    assert row.conversation_row == desk.office.conversation().id
    assert (row.author_mattermost_id, row.author_user_id) == (post.user_id, None)
    assert (row.author_name, row.pending_event, row.attempts) == ("anna", None, 0)
    assert desk.due() == []


def test_resolving_twice_changes_nothing(desk: Desk) -> None:
    """The second task finds the reply recorded and asks for nothing."""
    row = desk.recorded(desk.say("once"))
    asked = desk.asked(f"/posts/{row.post_id}")

    desk.resolve(row.id, row.id)

    again = desk.reply(row.id)
    assert again is not None
    assert again.revision == 1
    assert desk.asked(f"/posts/{row.post_id}") == asked == 1


def test_two_workers_at_once_record_it_once(desk: Desk) -> None:
    """Of two tasks at the same reply one does it, and the other leaves it."""
    post = desk.say("once")
    reply_id = desk.receive(post.id)

    with desk.fault("slow", seconds=0.3), ThreadPoolExecutor() as pool:
        reports = [pool.submit(desk.resolve, reply_id) for _ in range(2)]
        outcomes = sorted(str(each.result()) for each in reports)

    row = desk.reply(reply_id)
    assert row is not None
    assert outcomes == ["1 busy", "1 recorded"]
    assert (row.revision, desk.asked(f"/posts/{post.id}")) == (1, 1)


def test_conversation_counts_as_active_again(desk: Desk) -> None:
    """A reply of the team keeps catch-up looking at the conversation."""
    long_ago = utc_now() - timedelta(days=40)
    with desk.database.transaction() as session:
        session.scalars(select(Conversation)).one().last_active_at = long_ago

    desk.recorded(desk.say("still here"))

    assert desk.office.conversation().last_active_at > long_ago + timedelta(days=39)


def _system_message(desk: Desk) -> Post:
    made = desk.office.stand_in.setup({"users": [{"username": "new", "teams": [TEAM]}]})
    desk.office.member().add_channel_member(
        desk.office.channel_id, user_id=made["users"]["new"]["id"]
    )
    return desk.office.channel_posts()[-1]


def _other_bots_post(desk: Desk) -> Post:
    place = f"{TEAM}/{CHANNEL}"
    bot = {"username": "other-bot", "channels": [place]}
    token = desk.office.stand_in.setup({"bots": [bot]})["bots"]["other-bot"]["token"]
    return desk.say("beep", client=MattermostClient(desk.office.stand_in.url, token))


def _in_another_thread(desk: Desk) -> Post:
    return desk.say("about lunch", root_id=desk.say("lunch?", root_id="").id)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda desk: desk.say("a new topic", root_id=""), id="root post"),
        pytest.param(_in_another_thread, id="another thread"),
        pytest.param(lambda desk: desk.say("x", client=desk.office.bot()), id="our own post"),
        pytest.param(_other_bots_post, id="another bot"),
        pytest.param(_system_message, id="system message"),
        pytest.param(lambda desk: desk.say("x", props={"from_webhook": "true"}), id="webhook"),
    ],
)
def test_post_that_is_no_reply_leaves_the_inbox(desk: Desk, make: Callable[[Desk], Post]) -> None:
    """Nothing is kept of it."""
    assert desk.take_in(make(desk)) is None


def test_member_who_copies_our_key_or_calls_himself_a_bot_still_replies(desk: Desk) -> None:
    """Props can be set by anybody: they prove nothing about who wrote a post."""
    props = Mark.of(Lane.of_conversation(LICENCE, CONVERSATION), "reply:1").props("1")

    row = desk.recorded(desk.say("mine", props={**props, "from_bot": "true"}))

    assert row.text == "mine"


def test_post_of_another_licence_is_unknown_and_nothing_is_kept(desk: Desk) -> None:
    """Licence B on the same server does not get what is said in licence A's thread."""
    place = f"{TEAM}/other"
    made = desk.office.stand_in.setup(
        {
            "channels": [{"team": TEAM, "name": "other"}],
            "bots": [{"username": "bot-b", "channels": [place, f"{TEAM}/{CHANNEL}"]}],
        }
    )
    token = made["bots"]["bot-b"]["token"]
    url = desk.office.stand_in.url
    register_licence(
        LicenceOrder("L2", url, TEAM, "other", token),
        client=MattermostClient(url, token),
        database=desk.database,
        keyring=desk.office.runtime.licences._keyring,
    )
    reply_id = desk.receive(desk.say("for A alone").id, "L2")

    desk.resolve(reply_id)

    with desk.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Reply)) == 0


def test_post_deleted_before_it_was_recorded_leaves_the_inbox(desk: Desk) -> None:
    """There is nothing to tell of it."""
    post = desk.say("never mind")
    desk.office.member().delete_post(post.id)

    assert desk.take_in(post) is None


def test_post_that_a_replica_lacks_is_asked_for_three_times(desk: Desk) -> None:
    """An unknown post may only be late; after the third time it is none."""
    reply_id = desk.receive("y" * 26)
    seen = []

    for _ in range(3):
        desk.resolve(reply_id)
        row = desk.reply(reply_id)
        seen.append(row and (row.state, row.attempts, row.next_attempt_at > utc_now()))

    assert seen == [(ReplyState.RECEIVED, 1, True), (ReplyState.RECEIVED, 2, True), None]


def test_reply_waits_for_a_thread_that_is_not_linked_yet(desk: Desk) -> None:
    """The worker that made the root post died before it could store which one it is."""
    root_post_id = desk.root_post_id
    conversation_row = desk.office.conversation().id
    post = desk.say("quick answer")
    _link(desk, None)

    waiting = desk.recorded(post)
    _link(desk, root_post_id)
    desk.resolve(waiting.id)

    row = desk.reply(waiting.id)
    assert row is not None
    assert (waiting.state, waiting.conversation_row) == (ReplyState.RECEIVED, None)
    assert (row.state, row.conversation_row) == (ReplyState.RECORDED, conversation_row)


def _link(desk: Desk, root_post_id: str | None) -> None:
    with desk.database.transaction() as session:
        session.scalars(select(Conversation)).one().root_post_id = root_post_id


def test_server_that_is_away_is_waited_for_without_limit(desk: Desk) -> None:
    """A day later the reply still waits; the circuit is open, and nobody is asked."""
    reply_id = desk.receive(desk.say("hello").id)
    with desk.fault("down"):
        for _ in range(3):
            desk.resolve(reply_id)
        asked = desk.asked("/posts/")
        desk.change(reply_id, received_at=utc_now() - timedelta(days=2))
        desk.resolve(reply_id)
        waiting = desk.reply(reply_id)
        assert desk.asked("/posts/") == asked
    desk.office.runtime.circuits.close(LICENCE)
    desk.resolve(reply_id)

    row = desk.reply(reply_id)
    assert waiting is not None
    assert row is not None
    assert (waiting.state, waiting.attempts) == (ReplyState.RECEIVED, 0)
    assert timedelta(minutes=4) < waiting.next_attempt_at - utc_now() < timedelta(minutes=6)
    assert row.state is ReplyState.RECORDED


def test_server_that_asks_for_a_pause_gets_it(desk: Desk) -> None:
    """After a 429 the licence is left alone, and the reply waits."""
    reply_id = desk.receive(desk.say("hello").id)
    with desk.fault("rate_limited", times=1, retry_after_s=30):
        desk.resolve(reply_id)

    row = desk.reply(reply_id)
    assert row is not None
    assert row.state is ReplyState.RECEIVED
    assert desk.office.runtime.circuits.state(LICENCE).blocked_until > 0


def test_refused_reply_is_tried_slowly_and_given_up_after_a_day(desk: Desk) -> None:
    """A rejected token is for the operator to mend; then the row waits for him alone."""
    reply_id = desk.receive(desk.say("hello").id)
    with desk.fault("unauthorized"):
        desk.resolve(reply_id)
        slowly = desk.reply(reply_id)
        desk.change(reply_id, received_at=utc_now() - timedelta(seconds=GIVE_UP_AFTER_S))
        desk.resolve(reply_id)
        given_up = desk.reply(reply_id)
    desk.resolve(reply_id)
    mended = desk.reply(reply_id)

    assert slowly is not None
    assert given_up is not None
    assert mended is not None
    assert timedelta(minutes=4) < slowly.next_attempt_at - utc_now() < timedelta(minutes=6)
    assert (given_up.state, given_up.next_attempt_at) == (ReplyState.RECEIVED, GIVEN_UP)
    assert mended.state is ReplyState.RECORDED


def test_disabled_licence_keeps_its_replies_waiting(desk: Desk) -> None:
    """Nothing is asked on its behalf, and nothing is lost."""
    reply_id = desk.receive(desk.say("hello").id)
    desk.change_licence(enabled=False)

    report = desk.resolve(reply_id)

    assert str(report) == "1 waiting"
    assert desk.asked("/posts/") == 0


def test_licence_with_its_share_of_threads_leaves_replies_to_the_others(desk: Desk) -> None:
    """What one task had to leave, another goes on with when it has done its own."""
    slots = desk.office.runtime.slots
    left, own = (desk.receive(desk.say(text).id) for text in ("left", "own"))
    assert slots.take_if_free(LICENCE)
    assert slots.take_if_free(LICENCE)

    first = desk.resolve(left)
    slots.leave(LICENCE)
    second = desk.resolve(own)

    assert (str(first), str(second)) == ("1 left", "2 recorded")


def test_unexpected_error_shows_its_kind_alone_and_goes_on_with_the_next_reply(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The task is red and says nothing of what was in the error; the replies wait."""
    reply_ids = [desk.receive(desk.say(text).id) for text in ("a", "b")]
    # An address that registering would have refused.
    desk.change_licence(server_url="https://secret:word@example.com")

    with pytest.raises(RepliesFailedError) as caught:
        desk.resolve(*reply_ids)

    rows = [desk.reply(reply_id) for reply_id in reply_ids]
    assert str(caught.value) == "2 failed"
    assert [row and (row.state, row.next_attempt_at > utc_now()) for row in rows] == [
        (ReplyState.RECEIVED, True)
    ] * 2
    assert "secret" not in capsys.readouterr().out
