"""Posts that Mattermost deleted permanently are a finding of the doctor, and no event."""

from __future__ import annotations

import pytest
import requests

from models import ReplyState
from tasks.mattermost import Post
from tasks.replies.catch_up import collect
from tests.operators import Operator
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import MirroredThread


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since the posts vanish in Mattermost."""
    return sqlite_url


def delete_for_good(stage: Stage, post: Post) -> None:
    """Delete a post permanently, so that no list has it."""
    stage.stand_in.set_options(EnableAPIPostDeletion=True)
    admin = stage.stand_in.setup({})["admin"]["token"]
    answer = requests.delete(
        f"{stage.stand_in.url}/api/v4/posts/{post.id}?permanent=true",
        headers={"Authorization": f"Bearer {admin}"},
        timeout=5,
    )
    assert answer.status_code == 200


def test_posts_that_are_gone_for_good_are_one_warning(stage: Stage, operator: Operator) -> None:
    """Any number of vanished posts is one warning, and their replies stay recorded."""
    thread = MirroredThread.open(stage)
    posts = [thread.say(f"reply {number}") for number in range(5)]
    replies = [thread.recorded(post) for post in posts]
    before = operator.findings(LICENCE, exit_code=1)["known posts"]
    for post in posts[:3]:
        delete_for_good(stage, post)

    collect(stage.runtime, LICENCE, on_page=lambda: None)

    state, sentence, cure = operator.findings(LICENCE, exit_code=1)["known posts"]
    gone = [row for each in replies[:3] if (row := thread.reply(each.id)) is not None]
    assert before[:2] == ("ok", "Mattermost knows each of the 6 newest")
    assert state == "warn"
    assert sentence.startswith("3 of the 6 newest are gone without a trace")
    assert "deletes them by its API" in cure
    assert [row.state for row in gone] == [ReplyState.RECORDED] * 3
    assert [row.pending_event for row in gone] == [None] * 3


def test_post_that_was_deleted_as_usual_is_no_warning(stage: Stage, operator: Operator) -> None:
    """An ordinary deletion is no warning, since catch-up reports it."""
    thread = MirroredThread.open(stage)
    post = thread.say("reply")
    thread.recorded(post)
    stage.member().delete_post(post.id)

    assert operator.findings(LICENCE, exit_code=1)["known posts"][0] == "ok"


def test_root_that_is_gone_for_good_is_replaced_with_the_next_message(
    stage: Stage, operator: Operator
) -> None:
    """A vanished root is a finding, and the next message makes a new thread."""
    stage.start()
    stage.reply("m1", "before")
    root = stage.channel_posts()[0]
    delete_for_good(stage, root)
    warned = operator.findings(LICENCE, exit_code=1)["known posts"][0]

    stage.reply("m2", "after")

    assert warned == "warn"
    assert [post.message.splitlines()[-1] for post in stage.channel_posts()[1:]] == ["after"]
    assert operator.findings(LICENCE, exit_code=1)["known posts"][0] == "ok"
