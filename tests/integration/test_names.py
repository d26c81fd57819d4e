"""The sender's name is a line above each text, or the author of the post."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from models import Licence, Names
from tasks.licences.access import Licences
from tasks.mattermost import Post
from tasks.replies.catch_up import collect
from tests.stage.stage import LICENCE, Stage

pytestmark = pytest.mark.one_database

VISITOR = {
    "from_webhook": "true",
    "override_username": "🙋 Jan",
    "override_icon_emoji": "raising_hand",
}
AGENT = {
    "from_webhook": "true",
    "override_username": "Anna (i-Reserve)",
    "override_icon_emoji": "headphones",
}


def forget(stage: Stage) -> None:
    """Empty the worker's cache of licences instead of waiting until it expires."""
    runtime = stage.runtime
    licences = Licences(runtime.database, runtime.licences._keyring)
    stage.runtime = replace(runtime, licences=licences)


def set_up(stage: Stage, *, names: Names = Names.AUTHOR, allowed: bool = True) -> None:
    """Store the licence's setting of names, and what the server allows."""
    set_own_names_allowed(stage, allowed)
    with stage.runtime.database.transaction() as session:
        session.execute(
            update(Licence)
            .where(Licence.id == LICENCE)
            .values(names=names, allows_own_names=allowed)
        )
    forget(stage)


def set_own_names_allowed(stage: Stage, allowed: bool) -> None:
    """Switch posts' own names and icons on or off, as the server's administrator."""
    stage.stand_in.set_options(EnablePostUsernameOverride=allowed, EnablePostIconOverride=allowed)


def catch_up(stage: Stage) -> None:
    """Run the licence's catch-up as beat does."""
    collect(stage.runtime, LICENCE, on_page=lambda: None)
    forget(stage)


def replies(stage: Stage) -> list[Post]:
    """Return the posts in the thread."""
    return [post for post in stage.channel_posts() if post.root_id]


def author(post: Post) -> dict[str, Any]:
    """Return the props that name the post's author."""
    return {name: post.props[name] for name in VISITOR if name in post.props}


def test_visitor_and_agent_are_the_authors_of_their_posts(stage: Stage) -> None:
    """With names as authors, a post has its sender as author, only the text, and our mark."""
    set_up(stage)

    stage.reply("m1", "Hallo")
    stage.reply("m2", "Dag", sender_name="Anna", sender_role="agent")

    first, second = replies(stage)
    assert (first.message, second.message) == ("Hallo", "Dag")
    assert (author(first), author(second)) == (VISITOR, AGENT)
    assert first.props["ireserve"]["message_id"] == "m1"


@pytest.mark.parametrize(
    ("names", "allowed"), [(Names.HEADER, True), (Names.HEADER, False), (Names.AUTHOR, False)]
)
def test_a_line_says_who_speaks_where_no_author_does(
    names: Names, allowed: bool, stage: Stage
) -> None:
    """A line names the sender if the licence wants it, or if the server allows no own names."""
    set_up(stage, names=names, allowed=allowed)

    stage.reply("m1", "Hallo")
    stage.reply("m2", "Dag", sender_name="Anna", sender_role="agent")

    first, second = replies(stage)
    assert first.message == "🙋 **Jan**\nHallo"
    assert second.message == "🎧 **Anna** (i-Reserve)\n\nDag"
    assert (author(first), author(second)) == ({}, {})


def test_switch_that_is_turned_off_brings_the_line_back(stage: Stage) -> None:
    """Catch-up notices the server's switch: while it is off, posts have the line again."""
    set_up(stage)
    stage.reply("m1", "one")

    set_own_names_allowed(stage, False)
    catch_up(stage)
    stage.reply("m2", "two")
    set_own_names_allowed(stage, True)
    catch_up(stage)
    stage.reply("m3", "three")

    assert [post.message for post in replies(stage)] == ["one", "🙋 **Jan**\ntwo", "three"]


def test_server_is_asked_only_for_those_who_want_to_know(stage: Stage) -> None:
    """Catch-up asks for the switch only if the licence wants names as authors."""
    asked = []
    for names in Names:
        set_up(stage, names=names)
        stage.reply(f"m-{names.value}")
        stage.stand_in.clear_received()
        catch_up(stage)
        asked.append(len(stage.stand_in.received(path="/config/client")))

    assert asked == [0, 1]


def test_server_that_tells_only_half_changes_nothing(stage: Stage) -> None:
    """If the server does not say whether it allows own names, nothing changes."""
    set_up(stage)
    stage.reply("m1", "one")

    fault = stage.stand_in.set_fault("unauthorized")
    catch_up(stage)
    stage.stand_in.clear_faults(fault.id)
    stage.reply("m2", "two")

    assert [post.message for post in replies(stage)] == ["one", "two"]


def test_files_of_an_author_are_told_without_the_name(stage: Stage) -> None:
    """With names as authors, files need no text, and a second post says which files it has."""
    set_up(stage)
    for number in range(1, 12):
        (stage.store / f"{number}.txt").write_text("x")
    files = [{"name": f"{number}.txt", "path": f"{number}.txt"} for number in range(1, 12)]

    stage.reply("m1", attachments=files)

    first, second = replies(stage)
    assert (first.message, len(first.files)) == ("", 10)
    assert (second.message, len(second.files)) == ("_file 11 of 11_", 1)
    assert (author(first), author(second)) == (VISITOR, VISITOR)
