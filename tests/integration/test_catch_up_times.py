"""Catch-up handles posts with unexpected times, and threads that were quiet for long."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from sqlalchemy import select, update

from demo.mattermost.ids import now_ms
from models import CatchUpCursor, Conversation, Receipts, Reply, ReplyState, utc_now
from tasks.replies.catch_up import collect
from tasks.replies.live_channels import licences_with_threads
from tasks.replies.look_notes import LookNotes
from tests.stage.stage import CHANNEL, LICENCE, TEAM
from tests.stage.thread import MirroredThread

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
PLACE = f"{TEAM}/{CHANNEL}"

pytestmark = pytest.mark.usefixtures("private_channel")


def _dated(thread: MirroredThread, message: str, *, at_ms: int) -> str:
    """Write in the thread with a given time, as an importer does; return the post's id."""
    people = {"users": [{"username": "admin", "channels": [PLACE]}]}
    made = thread.stage.stand_in.setup(people)["users"]["admin"]
    return _post(thread, message, at_ms, token=made["token"])


def _post(thread: MirroredThread, message: str, at_ms: int, *, token: str) -> str:
    answer = requests.post(
        f"{thread.stage.stand_in.url}/api/v4/posts",
        json={
            "channel_id": thread.stage.channel_id,
            "root_id": thread.root_post_id,
            "message": message,
            "create_at": at_ms,
        },
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    return str(answer.json()["id"])


def _look(thread: MirroredThread) -> None:
    """Run catch-up, and resolve the replies that it finds."""
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    with thread.database.transaction() as session:
        found = select(Reply.id).where(Reply.state == ReplyState.RECEIVED)
        reply_ids = list(session.scalars(found))
    thread.resolve(*reply_ids)


def _texts(thread: MirroredThread) -> dict[str, tuple[str, str | None]]:
    """Return state and text of each reply by its post."""
    with thread.database.transaction() as session:
        return {
            reply.post_id: (reply.state.value, reply.text)
            for reply in session.scalars(select(Reply))
        }


def _cursor(thread: MirroredThread) -> int:
    with thread.database.transaction() as session:
        return session.scalar(select(CatchUpCursor.since_ms)) or 0


@pytest.mark.parametrize(
    "ahead_ms",
    [
        pytest.param(3 * MINUTE_MS, id="minutes"),
        pytest.param(HOUR_MS, id="an hour"),
        pytest.param(23 * HOUR_MS, id="nearly a day"),
        pytest.param(400 * 24 * HOUR_MS, id="more than a year"),
    ],
)
def test_post_that_is_dated_ahead_hides_nothing(thread: MirroredThread, ahead_ms: int) -> None:
    """A post with a future time is recorded, and hides no other post or change."""
    ahead = _dated(thread, "from the future", at_ms=now_ms() + ahead_ms)
    _look(thread)
    cursor_ms = _cursor(thread)
    edited, deleted = thread.say("one").id, thread.say("two").id
    _look(thread)
    thread.stage.member().patch_post(edited, message="better")
    thread.stage.member().delete_post(deleted)
    _look(thread)

    assert cursor_ms <= now_ms()
    assert _texts(thread) == {
        ahead: ("recorded", "from the future"),
        edited: ("recorded", "better"),
        deleted: ("deleted", None),
    }


def test_post_that_is_dated_ahead_is_edited_and_deleted_like_any_other(
    thread: MirroredThread,
) -> None:
    """An edit or deletion of a post with a future time is found."""
    thread.set_receipts(Receipts.NONE)
    edited, deleted = (_dated(thread, text, at_ms=now_ms() + HOUR_MS) for text in ("a", "b"))
    _look(thread)
    admin = thread.stage.stand_in.setup({})["admin"]["token"]
    client = type(thread.stage.member())(thread.stage.stand_in.url, admin)
    client.patch_post(edited, message="better")
    client.delete_post(deleted)

    _look(thread)

    assert _texts(thread) == {edited: ("recorded", "better"), deleted: ("deleted", None)}


def test_cursor_in_the_future_hides_no_reply(thread: MirroredThread) -> None:
    """A stored cursor in the future hides no new reply."""
    with thread.database.transaction() as session:
        session.add(
            CatchUpCursor(
                licence_id=LICENCE,
                channel_id=thread.stage.channel_id,
                since_ms=now_ms() + 24 * HOUR_MS,
            )
        )
    post = thread.say("hello")

    _look(thread)

    assert _texts(thread) == {post.id: ("recorded", "hello")}


@pytest.mark.parametrize("age_ms", [10 * MINUTE_MS, 5 * HOUR_MS, 23 * HOUR_MS])
def test_message_that_is_attached_with_its_old_time_is_recorded(
    thread: MirroredThread, age_ms: int
) -> None:
    """A post added with an old time is found by comparing the newest posts with the inbox."""
    _look(thread)
    old = _dated(thread, "the answer, attached", at_ms=now_ms() - age_ms)
    _look(thread)
    in_between = _texts(thread)
    _let_late_posts_be_due(thread)
    _look(thread)

    assert in_between == {}
    assert _texts(thread) == {old: ("recorded", "the answer, attached")}


def _let_late_posts_be_due(thread: MirroredThread) -> None:
    redis = thread.stage.runtime.redis
    for key in redis.scan_iter(match=f"{LookNotes(redis, LICENCE)._prefix}late:*"):
        redis.delete(key)


def test_attached_post_that_is_no_reply_comes_into_the_inbox_once(thread: MirroredThread) -> None:
    """An added post that is no reply comes into the inbox only once."""
    bots = [{"username": "helper", "channels": [PLACE], "roles": "system_admin"}]
    made = thread.stage.stand_in.setup({"bots": bots})["bots"]["helper"]
    _post(thread, "I help", now_ms() - 10 * MINUTE_MS, token=made["token"])
    counts = []
    for _ in range(3):
        _let_late_posts_be_due(thread)
        counts.append(collect(thread.stage.runtime, LICENCE, on_page=lambda: None))
        with thread.database.transaction() as session:
            reply_ids = list(session.scalars(select(Reply.id)))
        thread.resolve(*reply_ids)

    assert counts == [1, 0, 0]
    assert _texts(thread) == {}


def test_post_from_before_yesterday_is_not_taken_for_late(thread: MirroredThread) -> None:
    """A post older than a day is not recorded, since the team may have handled it long ago."""
    _dated(thread, "ages ago", at_ms=now_ms() - 25 * HOUR_MS)

    _look(thread)

    assert _texts(thread) == {}


def test_reply_that_is_deleted_before_its_thread_is_taken_back(thread: MirroredThread) -> None:
    """A reply whose deletion a look saw is taken back, though its thread is deleted later."""
    kept, deleted = thread.say("kept").id, thread.say("Your code is 4711").id
    _look(thread)
    thread.stage.member().delete_post(deleted)
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    thread.stage.bot().delete_post(thread.root_post_id)
    _look(thread)

    assert _texts(thread) == {kept: ("recorded", "kept"), deleted: ("deleted", None)}


def test_replies_that_are_deleted_one_by_one_are_taken_back_before_their_thread_goes(
    thread: MirroredThread,
) -> None:
    """A reply whose deletion a look saw is taken back, even if a worker resolves it only later."""
    posts = [thread.say(f"reply {number}").id for number in range(3)]
    _look(thread)
    for post_id in posts:
        thread.stage.member().delete_post(post_id)
        collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    thread.stage.bot().delete_post(thread.root_post_id)
    _look(thread)

    assert _texts(thread) == dict.fromkeys(posts, ("deleted", None))


def test_reply_whose_deletion_no_look_saw_is_kept(
    thread: MirroredThread,
) -> None:
    """A deletion that no look saw before the thread's deletion takes nothing back."""
    post = thread.say("Your code is 4711").id
    _look(thread)
    thread.stage.member().delete_post(post)
    thread.stage.bot().delete_post(thread.root_post_id)
    _look(thread)

    assert _texts(thread) == {post: ("recorded", "Your code is 4711")}


@pytest.mark.parametrize("quiet", [timedelta(days=31), timedelta(days=400)], ids=str)
@pytest.mark.parametrize("has_been_looked_at", [True, False], ids=["known", "never looked at"])
def test_thread_that_was_quiet_for_long_is_still_looked_at(
    thread: MirroredThread, has_been_looked_at: bool, quiet: timedelta
) -> None:
    """A reply in a private channel is recorded even after a long quiet time."""
    if has_been_looked_at:
        _look(thread)
    long_ago = utc_now() - quiet
    with thread.database.transaction() as session:
        times = {"created_at": long_ago, "last_active_at": long_ago}
        session.execute(update(Conversation).values(**times))
    post = thread.say("hello again")

    licences = licences_with_threads(thread.database)
    _look(thread)

    assert licences == [LICENCE]
    assert _texts(thread) == {post.id: ("recorded", "hello again")}
