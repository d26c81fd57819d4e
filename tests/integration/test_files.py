"""Files of a message: uploaded in order, ten to a post, and each that fails costs only itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import Office


def _store(office: Office, *names: str) -> list[dict[str, Any]]:
    for name in names:
        (office.store / name).write_bytes(b"content of " + name.encode())
    return [{"name": name, "path": name} for name in names]


def test_files_are_attached_in_order(office: Office) -> None:
    """Three files are in the post in the order in which they were given."""
    office.start()
    office.reply("m1", "three", attachments=_store(office, "b.txt", "a.txt", "c.txt"))

    post = office.channel_posts()[1]

    assert [file.name for file in post.files] == ["b.txt", "a.txt", "c.txt"]


def test_more_than_ten_files_take_further_replies(office: Office) -> None:
    """23 files become three posts of 10, 10 and 3, the first with the text."""
    office.start()
    names = [f"{number:02}.txt" for number in range(1, 24)]
    office.reply("m1", "many", attachments=_store(office, *names))

    posts = office.channel_posts()[1:]

    assert [len(post.files) for post in posts] == [10, 10, 3]
    assert [file.name for post in posts for file in post.files] == names
    assert "many" in posts[0].message
    assert all("Jan" in post.message for post in posts)


def test_missing_file_is_named_and_costs_only_itself(office: Office) -> None:
    """The message is posted with the file that is there, and names the one that is not."""
    office.start()
    there = _store(office, "there.txt")
    gone = [{"name": "gone.txt", "path": "gone.txt"}]
    office.reply("m1", "two", attachments=[*gone, *there])

    post = office.channel_posts()[1]

    assert [file.name for file in post.files] == ["there.txt"]
    assert "gone" in post.message
    assert "could not be attached" in post.message
    assert office.states()["reply:m1"] == ("sent", None)


def test_file_alone_needs_no_text(office: Office) -> None:
    """A message without text is posted with its file and the sender's name."""
    office.start()
    office.reply("m1", attachments=_store(office, "only.txt"))

    post = office.channel_posts()[1]

    assert [file.name for file in post.files] == ["only.txt"]
    assert "Jan" in post.message


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"MaxFileSize": 5}, "limit", id="too large"),
        pytest.param({"EnableFileAttachments": False}, "switched off", id="uploads disabled"),
    ],
)
def test_refused_file_is_named_with_the_reason(
    office: Office, options: dict[str, Any], reason: str
) -> None:
    """What the server refuses is named in the message that is posted without it."""
    office.start()
    office.stand_in.set_options(**options)
    office.reply("m1", "look", attachments=_store(office, "photo.txt"))

    post = office.channel_posts()[1]

    assert post.files == ()
    assert "photo" in post.message
    assert reason in post.message


def test_file_that_the_server_drops_silently_is_named_in_a_further_reply(office: Office) -> None:
    """The server answers 201 and leaves a file out: the team is told which."""
    office.start()
    office.stand_in.set_fault("lose_file", scope="posts", times=1)
    office.reply("m1", "two", attachments=_store(office, "a.txt", "b.txt"))

    root, post, note = office.channel_posts()

    assert len(post.files) == 1
    lost = ({"a.txt", "b.txt"} - {file.name for file in post.files}).pop()
    assert lost.split(".")[0] in note.message
    assert note.root_id == root.id
    assert office.states()["reply:m1"] == ("sent", None)


def test_name_that_would_ping_is_defused(office: Office) -> None:
    """A file's name is visitor data as well."""
    office.start()
    office.reply("m1", "x", attachments=[{"name": "@channel.png", "path": "gone.png"}])

    assert "@channel" not in office.channel_posts()[1].message


def test_path_cannot_leave_the_store(office: Office) -> None:
    """A path that leads out of the attachment store is not read."""
    (office.store.parent / "secret.txt").write_text("secret")
    office.start()
    office.reply("m1", "x", attachments=[{"name": "a.txt", "path": "../secret.txt"}])

    post = office.channel_posts()[1]

    assert post.files == ()
    assert "could not be attached" in post.message


def test_files_of_a_dead_worker_are_not_attached_twice(office: Office) -> None:
    """After a lost answer the post with its files is found, and nothing is uploaded again."""
    office.start()
    office.stand_in.set_fault("accept_then_drop", scope="posts", times=1)
    office.reply("m1", "x", attachments=_store(office, "a.txt"))

    posts = office.channel_posts()[1:]

    assert [[file.name for file in post.files] for post in posts] == [["a.txt"]]
    assert len(office.stand_in.received(method="POST", path="/files")) == 1
