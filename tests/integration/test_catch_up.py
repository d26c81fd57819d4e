"""Catch-up finds all that no webhook brought, once and in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from demo.mattermost import ids, posting
from models import CatchUpCursor, Conversation, Reply, ReplySource, ReplyState
from tasks.mattermost import MattermostClient, Post
from tasks.mattermost.answer_headers import AnswerHeaders
from tasks.replies import channel_changes
from tasks.replies.catch_up import collect, collect_replies
from tasks.replies.channel_changes import changes_since
from tasks.replies.inbox import receive
from tasks.replies.look import wake_all
from tests.stage.stage import CHANNEL, LICENCE, TEAM, Stage
from tests.webhook_calls import add_licence


def _nothing() -> None:
    """Stand in for a lock that needs no extending."""


def _collect(stage: Stage) -> int:
    return collect(stage.runtime, LICENCE, on_page=_nothing)


def _inbox(stage: Stage) -> list[Reply]:
    with stage.runtime.database.transaction() as session:
        return list(session.scalars(select(Reply).order_by(Reply.id)))


def _write(stage: Stage, *texts: str) -> list[Post]:
    root = stage.conversation().root_post_id or ""
    member = stage.member()
    return [
        member.create_post(channel_id=stage.channel_id, root_id=root, message=text)
        for text in texts
    ]


def _in_order(posts: list[Post]) -> list[str]:
    """Return the ids in Mattermost's order, for posts of one millisecond too."""
    return [post.id for post in sorted(posts, key=lambda post: (post.create_at_ms, post.id))]


def _resolved(stage: Stage) -> None:
    """Mark all replies as recorded in their current version."""
    posts = {post.id: post.update_at_ms for post in stage.channel_posts()}
    with stage.runtime.database.transaction() as session:
        conversation = session.scalars(select(Conversation)).one()
        for reply in session.scalars(select(Reply)):
            reply.state = ReplyState.RECORDED
            reply.conversation_row = conversation.id
            reply.post_update_at_ms = posts[reply.post_id]


def test_missed_replies_are_taken_in_once_and_in_order(stage: Stage) -> None:
    """Missed replies come into the inbox once and in order."""
    stage.start()
    posts = _write(stage, "one", "two", "three")

    first, second = _collect(stage), _collect(stage)

    assert (first, second) == (3, 0)
    assert [(reply.post_id, reply.state.value, reply.source.value) for reply in _inbox(stage)] == [
        (post_id, "received", "catch_up") for post_id in _in_order(posts)
    ]


def test_replies_of_one_millisecond_are_taken_in_by_their_ids(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replies of one millisecond are ordered by id, the same at each look."""
    stage.start()
    moment_ms = ids.now_ms()
    monkeypatch.setattr(posting, "now_ms", lambda: moment_ms)
    posts = _write(stage, *[f"message {number}" for number in range(10)])

    counts = [_collect(stage), _collect(stage)]

    assert {post.create_at_ms for post in posts} == {moment_ms}
    assert counts == [10, 0]
    assert [reply.post_id for reply in _inbox(stage)] == sorted(post.id for post in posts)


def test_what_a_webhook_has_brought_is_not_taken_in_again(stage: Stage) -> None:
    """A reply that a webhook brought is not added again."""
    stage.start()
    posts = _in_order(_write(stage, "one", "two", "three"))
    with stage.runtime.database.connection() as connection:
        receive(connection, licence_id=LICENCE, post_id=posts[1], source=ReplySource.WEBHOOK)

    count = _collect(stage)

    assert count == 2
    assert [reply.post_id for reply in _inbox(stage)] == [posts[1], posts[0], posts[2]]


def test_the_same_post_of_another_licence_is_another_reply(stage: Stage) -> None:
    """The same post id of two licences is two replies."""
    stage.start()
    (post,) = _write(stage, "one")
    add_licence(stage.runtime.database, "L2", tokens=())
    with stage.runtime.database.connection() as connection:
        receive(connection, licence_id="L2", post_id=post.id, source=ReplySource.WEBHOOK)
        connection.execute(update(Reply).values(state=ReplyState.RECORDED))

    counts = [_collect(stage) for _ in range(2)]

    assert counts == [1, 0]
    assert [(reply.licence_id, reply.post_id, reply.state.value) for reply in _inbox(stage)] == [
        ("L2", post.id, "recorded"),
        (LICENCE, post.id, "received"),
    ]


@pytest.mark.parametrize(
    ("replies", "wake_ups"),
    [
        pytest.param(0, [], id="none"),
        pytest.param(51, [50, 1], id="a few"),
        pytest.param(5_000, [250] * 20, id="an outage"),
    ],
)
def test_many_replies_need_few_wake_ups(
    replies: int, wake_ups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many replies cause few wake-ups, since a licence has few threads."""
    woken: list[list[int]] = []

    def take(ids: Sequence[int], *, licence_ids: Sequence[str]) -> bool:
        assert licence_ids == [LICENCE]
        woken.append(list(ids))
        return True

    monkeypatch.setattr("tasks.replies.look.wake_replies", take)

    wake_all(range(replies), licence_id=LICENCE)

    assert [len(ids) for ids in woken] == wake_ups
    assert [number for ids in woken for number in ids] == list(range(replies))


def test_private_channel_works_by_catch_up(stage: Stage) -> None:
    """Replies in a private channel, which has no webhooks, are found."""
    stage.stand_in.setup({"channels": [{"team": TEAM, "name": CHANNEL, "type": "P"}]})
    stage.start()
    (post,) = _write(stage, "in private")

    _collect(stage)

    assert [reply.post_id for reply in _inbox(stage)] == [post.id]


def test_only_replies_in_mirrored_threads_are_taken_in(stage: Stage) -> None:
    """Only members' replies in mirrored threads come into the inbox."""
    stage.start()
    stage.reply("m1", "by the bot")
    member = stage.member()
    outside = member.create_post(channel_id=stage.channel_id, message="outside")
    member.create_post(channel_id=stage.channel_id, root_id=outside.id, message="elsewhere")

    _collect(stage)

    assert _inbox(stage) == []


def test_edited_and_deleted_replies_are_resolved_again(stage: Stage) -> None:
    """An edit or deletion of a recorded reply brings it into the inbox again."""
    stage.start()
    edited, deleted, untouched = _write(stage, "one", "two", "three")
    _collect(stage)
    _resolved(stage)
    stage.member().patch_post(edited.id, message="better")
    stage.member().delete_post(deleted.id)

    count = _collect(stage)

    states = {reply.post_id: reply.state.value for reply in _inbox(stage)}
    assert count == 2
    assert states == {
        edited.id: "received",
        deleted.id: "received",
        untouched.id: "recorded",
    }


def test_reply_deleted_before_it_was_ever_seen_is_not_taken_in(stage: Stage) -> None:
    """A reply that was deleted before any look is not added."""
    stage.start()
    (post,) = _write(stage, "oops")
    stage.member().delete_post(post.id)

    _collect(stage)

    assert _inbox(stage) == []


def test_lost_thread_takes_no_recorded_reply_with_it(stage: Stage) -> None:
    """Deleting the root keeps recorded replies, which the visitor has read."""
    stage.start()
    _write(stage, "one", "two")
    _collect(stage)
    _resolved(stage)
    stage.bot().delete_post(stage.conversation().root_post_id or "")

    count = _collect(stage)

    assert count == 0
    assert [reply.state.value for reply in _inbox(stage)] == ["recorded", "recorded"]


def test_licences_do_not_see_each_others_threads(stage: Stage) -> None:
    """A licence's catch-up ignores another licence's thread in the same channel."""
    stage.start("c1")
    _write(stage, "one")
    stage.start("c2")
    add_licence(stage.runtime.database, "L2", tokens=())
    with stage.runtime.database.transaction() as session:
        first = Conversation.conversation_id == "c1"
        session.execute(update(Conversation).where(first).values(licence_id="L2"))

    _collect(stage)

    assert _inbox(stage) == []


def test_unreadable_channel_does_not_stop_the_others(stage: Stage) -> None:
    """A channel without the bot does not stop the look at another channel."""
    stage.start()
    (post,) = _write(stage, "one")
    with stage.runtime.database.transaction() as session:
        session.add(
            Conversation(
                licence_id=LICENCE,
                conversation_id="c0",
                channel_id="0" * 26,
                root_post_id="b" * 26,
            )
        )

    _collect(stage)

    assert [reply.post_id for reply in _inbox(stage)] == [post.id]


def test_dead_server_moves_no_cursor_and_opens_the_circuit(stage: Stage) -> None:
    """A dead server opens the circuit and moves no cursor, so a later look reads on."""
    stage.start()
    (post,) = _write(stage, "one")
    stage.stand_in.set_fault("down")
    counts = [_collect(stage) for _ in range(3)]
    is_open = stage.runtime.circuits.state(LICENCE).is_open
    stage.stand_in.clear_faults()
    stage.runtime.circuits.close(LICENCE)

    _collect(stage)

    assert (counts, is_open) == ([0, 0, 0], True)
    assert [reply.post_id for reply in _inbox(stage)] == [post.id]


def test_collecting_starts_a_look_for_each_live_licence(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each licence with a conversation of the last month gets a look."""
    monkeypatch.setattr("tasks.replies.catch_up.current_runtime", lambda: stage.runtime)

    before = collect_replies()
    stage.start()
    after = collect_replies()

    assert (before, after) == ("0 licences", "1 licences")


def test_cursor_is_mattermosts_time(stage: Stage) -> None:
    """The next look begins at the newest change, by the server's clock."""
    stage.start()
    (post,) = _write(stage, "one")

    _collect(stage)

    with stage.runtime.database.transaction() as session:
        cursor = session.scalars(select(CatchUpCursor)).one()
    assert cursor.since_ms >= post.update_at_ms
    assert cursor.channel_id == stage.channel_id


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 7 and a full answer at 20, so that few posts are many."""
    monkeypatch.setattr(channel_changes, "SINCE_LIMIT", 20)
    monkeypatch.setattr(channel_changes, "PAGE_SIZE", 7)


@pytest.mark.usefixtures("small_limits")
def test_gap_beyond_the_servers_limit_is_collected_whole_and_in_order(stage: Stage) -> None:
    """When the list of changes is full, catch-up reads the channel by pages, without gaps."""
    stage.start()
    old = _write(stage, "old one", "old two")
    _collect(stage)
    _resolved(stage)
    posts = _write(stage, *[f"message {number}" for number in range(45)])
    stage.member().patch_post(old[0].id, message="edited meanwhile")
    stage.member().delete_post(old[1].id)

    count = _collect(stage)

    inbox = _inbox(stage)
    assert count == 47
    assert [reply.post_id for reply in inbox] == _in_order([*old, *posts])
    assert {reply.state.value for reply in inbox} == {"received"}


def _post(number: int, create_at_ms: int) -> Post:
    return Post.parse(
        {
            "id": f"{number:026}",
            "channel_id": "c" * 26,
            "user_id": "u" * 26,
            "root_id": "r" * 26,
            "message": "",
            "create_at": create_at_ms,
            "update_at": create_at_ms,
            "edit_at": 0,
            "delete_at": 0,
            "original_id": "",
            "type": "",
            "props": {},
        }
    )


class _Channel(MattermostClient):
    """A channel of given posts with a server's paging: strictly before the anchor's time."""

    answer_headers = AnswerHeaders()

    def __init__(self, posts: list[Post]) -> None:
        self._newest_first = sorted(posts, key=lambda post: -post.create_at_ms)

    def get_posts_since(self, channel_id: str, *, since_ms: int) -> list[Post]:
        """Return an arbitrary full answer."""
        return self._newest_first[: channel_changes.SINCE_LIMIT]

    def get_posts_page(self, channel_id: str, *, page: int = 0, per_page: int = 60) -> list[Post]:
        """Return the newest posts."""
        return self._newest_first[:per_page]

    def get_posts_before(self, channel_id: str, *, post_id: str, per_page: int = 200) -> list[Post]:
        """Return the newest posts that are strictly older than the anchor."""
        anchor = next(post for post in self._newest_first if post.id == post_id)
        older = [post for post in self._newest_first if post.create_at_ms < anchor.create_at_ms]
        return older[:per_page]


def test_posts_of_one_millisecond_come_by_their_ids_however_the_server_lists_them() -> None:
    """Each look orders posts of one millisecond by id, whatever the server's order."""
    channel = _Channel([_post(number, 1_000) for number in (3, 1, 2)])

    changes = changes_since(channel, "c", since_ms=999, known_post_ids=lambda: [], on_page=_nothing)

    assert [post.id for post in changes.posts] == [_post(number, 0).id for number in (1, 2, 3)]


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize(
    "moment_of",
    [
        pytest.param(lambda number: 1_000 + number, id="each its own millisecond"),
        pytest.param(lambda number: 1_000 + number // 2, id="two in a millisecond"),
        pytest.param(lambda number: 1_000 + number // 5, id="five in a millisecond"),
    ],
)
def test_ties_in_one_millisecond_are_not_skipped_at_a_page_s_end(
    moment_of: Callable[[int], int],
) -> None:
    """No post is lost between pages, though the server omits the anchor's millisecond."""
    posts = [_post(number, moment_of(number)) for number in range(60)]
    order: dict[str, Any] = {"since_ms": 999, "on_page": _nothing}

    changes = changes_since(_Channel(posts), "c", known_post_ids=lambda: [], **order)

    assert [post.id for post in changes.posts] == [post.id for post in posts]
