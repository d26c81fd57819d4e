"""Catch-up reads a channel without gaps and in Mattermost's order, over pages and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from demo.mattermost import ids, posting
from tasks.mattermost import MattermostClient, Post
from tasks.mattermost.answer_headers import AnswerHeaders
from tasks.replies import channel_changes
from tasks.replies.channel_changes import changes_since
from tests.stage.channel_looks import extend_nothing, in_order, inbox_of, look, record_all, write
from tests.stage.stage import Stage


def test_replies_of_one_millisecond_are_taken_in_by_their_ids(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replies of one millisecond come into the inbox once, in the order of their ids."""
    stage.start()
    moment_ms = ids.now_ms()
    monkeypatch.setattr(posting, "now_ms", lambda: moment_ms)
    posts = write(stage, *[f"message {number}" for number in range(10)])

    counts = [look(stage), look(stage)]

    assert {post.create_at_ms for post in posts} == {moment_ms}
    assert counts == [10, 0]
    assert [reply.post_id for reply in inbox_of(stage)] == sorted(post.id for post in posts)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 7 posts and a full answer of 20, so that 45 posts take several pages."""
    monkeypatch.setattr(channel_changes, "SINCE_LIMIT", 20)
    monkeypatch.setattr(channel_changes, "PAGE_SIZE", 7)


@pytest.mark.usefixtures("small_limits")
def test_gap_beyond_the_servers_limit_is_collected_whole_and_in_order(stage: Stage) -> None:
    """When the list of changes is full, catch-up reads the channel by pages, without gaps."""
    stage.start()
    old = write(stage, "old one", "old two")
    look(stage)
    record_all(stage)
    posts = write(stage, *[f"message {number}" for number in range(45)])
    stage.member().patch_post(old[0].id, message="edited meanwhile")
    stage.member().delete_post(old[1].id)

    count = look(stage)

    inbox = inbox_of(stage)
    assert count == 47
    assert [reply.post_id for reply in inbox] == in_order([*old, *posts])
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
    """A client for a channel of given posts, with a server's paging by time."""

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

    changes = changes_since(
        channel, "c", since_ms=999, known_post_ids=lambda: [], on_page=extend_nothing
    )

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
def test_ties_in_one_millisecond_are_not_skipped_at_a_pages_end(
    moment_of: Callable[[int], int],
) -> None:
    """No post is lost between pages, though the server omits the anchor's millisecond."""
    posts = [_post(number, moment_of(number)) for number in range(60)]
    order: dict[str, Any] = {"since_ms": 999, "on_page": extend_nothing}

    changes = changes_since(_Channel(posts), "c", known_post_ids=lambda: [], **order)

    assert [post.id for post in changes.posts] == [post.id for post in posts]
