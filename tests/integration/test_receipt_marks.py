"""Which mark a post gets: by what became of the reply, and by the licence's setting."""

from __future__ import annotations

import pytest

from models import Receipts, ReplyState, utc_now
from tasks.replies.backoff import GIVE_UP_AFTER_S
from tests.stage.stage import Stage
from tests.stage.thread import MirroredThread


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, and an i-Reserve that takes replies."""
    thread = MirroredThread.open(stage)
    thread.configure(reply_task="ireserve.take_reply", reply_queue="ireserve")
    return thread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Welcome", "white_check_mark", id="reply"),
        pytest.param("note: careful", "lock", id="note"),
    ],
)
def test_receipt_says_what_became_of_the_reply(
    thread: MirroredThread, text: str, expected: str
) -> None:
    """A public reply gets a check mark, and a note a lock."""
    post = thread.say(text)

    thread.recorded(post)

    assert thread.marks(post.id) == [("bot", expected)]


def test_receipt_follows_the_visibility(thread: MirroredThread) -> None:
    """When a note becomes a reply, the check mark replaces the lock."""
    row = thread.recorded(thread.say("note: careful"))
    thread.stage.member().patch_post(row.post_id, message="Welcome")

    thread.ask_again(row.id)

    assert thread.marks(row.post_id) == [("bot", "white_check_mark")]


def test_receipt_of_a_reply_that_was_given_up_is_a_warning_until_it_is_mended(
    thread: MirroredThread,
) -> None:
    """A reply that was given up has a warning until it is recorded."""
    post = thread.say("hello", file_ids=thread.upload(b"x"))
    reply_id = thread.receive(post.id)
    thread.change(reply_id, received_at=utc_now().replace(year=utc_now().year - 1), attempts=0)
    assert GIVE_UP_AFTER_S < 365 * 86_400
    with thread.fault("html_200", times=1):
        thread.resolve(reply_id)
    warned = thread.marks(post.id)

    thread.resolve(reply_id)

    assert warned == [("bot", "warning")]
    assert thread.marks(post.id) == [("bot", "white_check_mark")]


@pytest.mark.parametrize(
    ("receipts", "expected"),
    [
        pytest.param(Receipts.ALL, ["white_check_mark", "lock", "warning"], id="all"),
        pytest.param(Receipts.NOTES, ["lock", "warning"], id="notes and trouble"),
        pytest.param(Receipts.NONE, [], id="none"),
    ],
)
def test_licence_says_which_posts_are_marked(
    thread: MirroredThread, receipts: Receipts, expected: list[str]
) -> None:
    """The licence's setting decides which posts get receipts."""
    thread.set_receipts(receipts)
    posts = [thread.say(text) for text in ("hello", "note: careful", "\u2800")]

    for post in posts:
        thread.recorded(post)

    given = [name for post in posts for _, name in thread.marks(post.id)]
    assert given == expected


def test_mark_goes_with_the_note_where_replies_have_none(thread: MirroredThread) -> None:
    """If only notes get receipts, a note that becomes a reply loses its lock."""
    thread.set_receipts(Receipts.NOTES)
    row = thread.recorded(thread.say("note: careful"))
    thread.stage.member().patch_post(row.post_id, message="Welcome")

    thread.ask_again(row.id)

    assert thread.marks(row.post_id) == []


def test_receipt_that_fails_never_fails_the_reply(thread: MirroredThread) -> None:
    """In an archived channel, replies are recorded though receipts fail."""
    post = thread.say("hello")
    thread.stage.stand_in.setup(
        {"channels": [{"team": "support", "name": "webchat", "archived": True}]}
    )

    row = thread.recorded(post)
    marks = [thread.marks(post.id) for _ in range(2)]

    assert row.state is ReplyState.RECORDED
    assert marks == [[], []]
    assert thread.asked("/reactions", method="POST") == 1
