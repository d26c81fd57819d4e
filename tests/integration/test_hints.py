"""A member who answers outside a thread gets a hint, once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import Conversation, Hint, utc_now
from tasks.mattermost import MattermostClient, Post
from tasks.rendering.english import ENGLISH
from tasks.replies.catch_up import collect
from tasks.replies.giving_receipts import give_due_receipts
from tasks.replies.hints import HINT_INTERVAL
from tasks.replies.known_reply import RECEIPT_DELAY
from tests.stage.stage import LICENCE
from tests.stage.thread import MirroredThread

See = Callable[[MirroredThread, Post], None]


def _by_webhook(thread: MirroredThread, post: Post) -> None:
    thread.take_in(post)


def _by_catch_up(thread: MirroredThread, _: Post) -> None:
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)


both_ways = pytest.mark.parametrize(
    "see", [pytest.param(_by_webhook, id="webhook"), pytest.param(_by_catch_up, id="catch-up")]
)


def _write(
    thread: MirroredThread, message: str, *, client: MattermostClient | None = None, **more: object
) -> Post:
    """Write in the channel, outside any thread."""
    return thread.say(message, client=client, root_id="", **more)


def _make_due(thread: MirroredThread) -> None:
    with thread.database.transaction() as session:
        is_planned = Hint.due_at.is_not(None)
        session.execute(update(Hint).where(is_planned).values(due_at=utc_now()))


def _hinted(thread: MirroredThread) -> list[str]:
    """Give all hints now; return the ids of the posts with a hint."""
    _make_due(thread)
    give_due_receipts(thread.stage.runtime, LICENCE)
    found = thread.stage.bot().get_posts_page(thread.stage.channel_id, page=0, per_page=200)
    return [post.root_id for post in found if post.message == ENGLISH.hint]


@both_ways
def test_answer_outside_of_a_thread_gets_a_hint(thread: MirroredThread, see: See) -> None:
    """A post outside a thread gets a hint in a thread under it, and no inbox row."""
    post = _write(thread, "Yes, it is free in August.")

    see(thread, post)

    assert _hinted(thread) == [post.id]
    assert thread.due() == []


@both_ways
def test_hint_comes_once_a_member_and_day(thread: MirroredThread, see: See) -> None:
    """A member gets one hint a day."""
    posts = [_write(thread, f"number {number}") for number in range(4)]
    for post in posts[:3]:
        see(thread, post)
        see_again = _hinted(thread)
    with thread.database.transaction() as session:
        hint = session.scalars(select(Hint)).one()
        hint.decided_at -= HINT_INTERVAL

    later = _write(thread, "the next day")
    thread.take_in(later)

    assert see_again == [posts[0].id]
    assert sorted(_hinted(thread)) == sorted([posts[0].id, later.id])


def test_hint_is_due_some_time_after_its_post(thread: MirroredThread) -> None:
    """A hint comes some time after the post, so that the author's client shows it."""
    before = utc_now()
    thread.take_in(_write(thread, "Yes, it is free."))

    given = give_due_receipts(thread.stage.runtime, LICENCE)

    with thread.database.snapshot() as session:
        due_at = session.scalars(select(Hint.due_at)).one()
    assert given == 0
    assert due_at is not None
    assert due_at >= before + RECEIPT_DELAY


def test_hint_whose_answer_is_lost_is_not_given_twice(thread: MirroredThread) -> None:
    """A hint whose answer is lost is not given again, since it is claimed before it is posted."""
    thread.take_in(_write(thread, "Yes, it is free."))
    _make_due(thread)
    with thread.fault("accept_then_drop", scope="posts", times=1):
        give_due_receipts(thread.stage.runtime, LICENCE)

    assert len(_hinted(thread)) == 1


@both_ways
@pytest.mark.parametrize(
    "message",
    [
        pytest.param("@bram can you take Jan?", id="mention of a colleague"),
        pytest.param("@channel lunch", id="mention of all"),
        pytest.param("🔒 note: Jan calls back", id="note"),
    ],
)
def test_talk_among_colleagues_gets_no_hint(thread: MirroredThread, see: See, message: str) -> None:
    """A post outside a thread that begins with a mention or as a note gets no hint."""
    thread.stage.stand_in.setup({"users": [{"username": "bram"}]})

    see(thread, _write(thread, message))

    assert _hinted(thread) == []


@both_ways
def test_post_of_a_bot_gets_no_hint(thread: MirroredThread, see: See) -> None:
    """No bot's post gets a hint."""
    made = thread.stage.stand_in.setup(
        {"bots": [{"username": "other", "channels": ["support/webchat"]}]}
    )
    other = MattermostClient(thread.stage.stand_in.url, made["bots"]["other"]["token"])

    for client in (thread.stage.bot(), other):
        see(thread, _write(thread, "a report", client=client))

    assert _hinted(thread) == []


@both_ways
def test_post_of_a_slash_command_gets_no_hint(thread: MirroredThread, see: See) -> None:
    """A post made by a command or an integration gets no hint."""
    see(thread, _write(thread, "a canned answer", props={"from_webhook": "true"}))

    assert _hinted(thread) == []


@both_ways
def test_reply_in_the_thread_gets_no_hint(thread: MirroredThread, see: See) -> None:
    """A reply in a thread gets no hint."""
    see(thread, thread.say("Yes, it is free."))

    assert _hinted(thread) == []


@both_ways
def test_licence_may_do_without_hints(thread: MirroredThread, see: See) -> None:
    """A setting of the licence switches hints off."""
    thread.change_licence(hints=False)

    see(thread, _write(thread, "Yes, it is free."))

    assert _hinted(thread) == []


def test_channel_in_which_no_visitor_writes_gets_no_hint(thread: MirroredThread) -> None:
    """A day after the last message, posts in the channel get no hint."""
    with thread.database.transaction() as session:
        session.execute(
            update(Conversation).values(last_active_at=utc_now() - timedelta(days=1, minutes=1))
        )

    thread.take_in(_write(thread, "Good morning."))

    assert _hinted(thread) == []


def test_old_post_gets_no_hint(thread: MirroredThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post that is older than ``MAX_POST_AGE`` gets no hint."""
    post = _write(thread, "Good morning.")
    monkeypatch.setattr("tasks.replies.hints.MAX_POST_AGE", timedelta(0))

    _by_catch_up(thread, post)

    assert _hinted(thread) == []


def test_deleted_post_gets_no_hint(thread: MirroredThread) -> None:
    """A deleted post gets no hint."""
    post = _write(thread, "Yes, it is free.")
    thread.take_in(post)
    thread.stage.member().delete_post(post.id)

    assert _hinted(thread) == []
