"""Who may read a reply, and what happens to a reply with nothing to read."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import select

from models import Reply, ReplyState, Visibility
from tasks.mattermost import MattermostClient, Post
from tasks.replies.catch_up import collect
from tasks.replies.colleagues import Colleagues
from tests.stage.stage import CHANNEL, LICENCE, TEAM, Stage
from tests.stage.thread import MirroredThread


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, with members anna and bob in its team."""
    stage.stand_in.setup({"users": [{"username": "bob.de-vries"}]})
    return MirroredThread.open(stage)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("@bob.de-vries please call her", id="colleague"),
        pytest.param("@Bob.De-Vries: call her", id="capitals"),
        pytest.param("@bob.de-vries.", id="full stop behind it"),
        pytest.param("🔒 **@bob.de-vries** call her", id="behind no text"),
        pytest.param("> what he said\n\n@bob.de-vries look", id="under a quote"),
        pytest.param("@jan @bob.de-vries look", id="second name"),
        pytest.param("@all look", id="all"),
        pytest.param("@Channel: look", id="channel"),
        pytest.param("@here", id="here"),
    ],
)
def test_reply_that_begins_with_a_colleagues_name_is_a_note(
    thread: MirroredThread, message: str
) -> None:
    """A reply that begins with a colleague's name is a note."""
    row = thread.recorded(thread.say(message))

    assert (row.state, row.visibility) == (ReplyState.RECORDED, Visibility.INTERNAL)
    assert thread.marks(row.post_id) == [("bot", "lock")]


@pytest.mark.parametrize("message", ["@jan your room is ready", "Ask @bob.de-vries", "info@bob.nl"])
def test_other_names_leave_a_reply_public(thread: MirroredThread, message: str) -> None:
    """A visitor's name, or a colleague's name further on, makes no note."""
    row = thread.recorded(thread.say(message))

    assert row.visibility is Visibility.PUBLIC


def test_name_that_cannot_be_asked_for_makes_a_note(thread: MirroredThread) -> None:
    """If a name cannot be looked up, the reply is a note, and the look-up is repeated."""
    colleagues = Colleagues()
    client = thread.stage.bot()

    with thread.fault("error_500"):
        in_doubt = colleagues.has_any(client, ["jan"], licence_id=LICENCE)

    assert in_doubt
    assert not colleagues.has_any(client, ["jan"], licence_id=LICENCE)


def test_name_is_asked_for_once(thread: MirroredThread) -> None:
    """Several replies to one name cause one request."""
    # A name that no other test of this process has looked up.
    name = f"colleague-{uuid4().hex[:8]}"

    for number in range(3):
        thread.recorded(thread.say(f"@{name} {number}"))

    assert thread.asked(f"/users/username/{name}") == 1


CARD: dict[str, object] = {"attachments": [{"text": "Your voucher is ABC"}]}


@pytest.mark.parametrize(
    "message", ["", "   ", "\u200b", "&#8203;", "\u3164", "&nbsp;\n&nbsp;"], ids=ascii
)
def test_reply_with_nothing_to_show_is_not_told(thread: MirroredThread, message: str) -> None:
    """A reply with nothing to show gets a warning, and is not told."""
    row = thread.recorded(thread.say(message, props=CARD))

    assert row.state is ReplyState.EMPTY
    assert (row.revision, row.pending_event, row.text) == (0, None, None)
    assert thread.marks(row.post_id) == [("bot", "warning")]


def test_reply_that_gets_a_text_later_is_told(thread: MirroredThread) -> None:
    """An edit that adds a text turns an empty post into a reply, with the receipt of a reply."""
    row = thread.recorded(thread.say("", props=CARD))
    thread.stage.member().patch_post(row.post_id, message="Your voucher is ABC")

    again = thread.ask_again(row.id)

    assert (again.state, again.revision, again.text) == (
        ReplyState.RECORDED,
        1,
        "Your voucher is ABC",
    )
    assert thread.marks(row.post_id) == [("bot", "white_check_mark")]


def test_reply_that_is_emptied_by_an_edit_is_taken_back(thread: MirroredThread) -> None:
    """An edit that empties a reply takes the reply back, and a later text records it again."""
    row = thread.recorded(thread.say("at six", props=CARD))
    thread.stage.member().patch_post(row.post_id, message=" ")
    emptied = thread.ask_again(row.id)
    thread.stage.member().patch_post(row.post_id, message="at seven")

    again = thread.ask_again(row.id)

    assert (emptied.state, emptied.text, emptied.revision) == (ReplyState.DELETED, None, 2)
    assert (again.state, again.text, again.revision) == (ReplyState.RECORDED, "at seven", 3)


def test_empty_reply_that_is_deleted_leaves_the_inbox(thread: MirroredThread) -> None:
    """An empty reply that is deleted leaves the inbox, and nothing is told."""
    row = thread.recorded(thread.say("", props=CARD))
    thread.stage.member().delete_post(row.post_id)
    thread.change(row.id, state="received", attempts=0)

    thread.resolve(row.id)

    assert thread.reply(row.id) is None


def test_file_without_a_text_is_a_reply(thread: MirroredThread) -> None:
    """A file without a text is a reply with an empty text."""
    row = thread.recorded(thread.say("", file_ids=thread.upload(b"picture")))

    assert (row.state, row.visibility) == (ReplyState.RECORDED, Visibility.PUBLIC)
    assert (row.text, row.plain_text) == ("", "")


def _under_a_notification(thread: MirroredThread) -> Post:
    thread.stage.notify()
    posts = thread.stage.channel_posts()
    (notification,) = [post for post in posts if post.id != thread.root_post_id]
    return thread.say("I have called them", root_id=notification.id)


def _in_a_moved_thread(thread: MirroredThread) -> Post:
    """Copy the root with its props and delete it, as a move of a thread does."""
    bot = thread.stage.bot()
    (root,) = [post for post in thread.stage.channel_posts() if post.id == thread.root_post_id]
    copy = bot.create_post(
        channel_id=thread.stage.channel_id, message=root.message, props=root.props
    )
    return thread.say("Yes, it is free.", root_id=copy.id)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(_under_a_notification, "notification_thread", id="notification"),
        pytest.param(_in_a_moved_thread, "moved_thread", id="moved thread"),
        pytest.param(
            lambda thread: thread.say("Hi, thanks!", props={"from_webhook": "true"}),
            "webhook",
            id="canned answer",
        ),
    ],
)
def test_person_who_writes_where_no_visitor_reads_gets_a_warning(
    thread: MirroredThread, make: Callable[[MirroredThread], Post], reason: str
) -> None:
    """A post where no visitor reads gets a warning, and i-Reserve is not told."""
    row = thread.recorded(make(thread))

    after = thread.ask_again(row.id)

    assert thread.marks(row.post_id) == [("bot", "warning")]
    for each in (row, after):
        assert (each.state, each.reason, each.text) == (ReplyState.EMPTY, reason, None)
        assert (each.revision, each.pending_event) == (0, None)


def test_catch_up_tells_the_author_of_a_canned_answer(thread: MirroredThread) -> None:
    """A canned answer that catch-up found gets the warning, too."""
    post = thread.say("Hi, thanks!", props={"from_webhook": "true"})

    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    with thread.database.snapshot() as session:
        thread.resolve(*session.scalars(select(Reply.id)))

    assert thread.marks(post.id) == [("bot", "warning")]


def test_another_bot_under_a_notification_is_told_nothing(thread: MirroredThread) -> None:
    """Another bot's post under a notification gets no warning."""
    thread.stage.notify()
    posts = thread.stage.channel_posts()
    (notification,) = [post for post in posts if post.id != thread.root_post_id]
    place = f"{TEAM}/{CHANNEL}"
    made = thread.stage.stand_in.setup({"bots": [{"username": "other", "channels": [place]}]})
    client = MattermostClient(thread.stage.stand_in.url, made["bots"]["other"]["token"])

    post = thread.say("beep", root_id=notification.id, client=client)

    assert thread.take_in(post) is None
    assert thread.marks(post.id) == []
