"""Files of a message are uploaded in order, ten to a post, and fail one by one."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from ireserve_mattermost.lanes import Lane
from models import DeliveryState
from tasks.outbound import ledger
from tasks.rendering.english import ENGLISH
from tasks.runtime import build_runtime
from tests.stage.stage import VISITOR, Stage

pytestmark = pytest.mark.one_database


def _store(stage: Stage, *names: str) -> list[dict[str, Any]]:
    for name in names:
        (stage.store / name).write_bytes(b"content of " + name.encode())
    return [{"name": name, "path": name} for name in names]


def test_files_are_attached_in_order(stage: Stage) -> None:
    """Three files are in the post in their given order."""
    stage.start()
    stage.reply("m1", "three", attachments=_store(stage, "b.txt", "a.txt", "c.txt"))

    post = stage.channel_posts()[1]

    assert [file.name for file in post.files] == ["b.txt", "a.txt", "c.txt"]


def test_more_than_ten_files_take_further_replies(stage: Stage) -> None:
    """23 files become three posts of 10, 10 and 3, the first with the text."""
    stage.start()
    names = [f"{number:02}.txt" for number in range(1, 24)]
    stage.reply("m1", "many", attachments=_store(stage, *names))

    posts = stage.channel_posts()[1:]

    assert [len(post.files) for post in posts] == [10, 10, 3]
    assert [file.name for post in posts for file in post.files] == names
    assert "many" in posts[0].message
    assert all("Jan" in post.message for post in posts)


def test_missing_file_is_named_and_costs_only_itself(stage: Stage) -> None:
    """A missing file is named in the message, and the other file is attached."""
    stage.start()
    there = _store(stage, "there.txt")
    gone = [{"name": "gone.txt", "path": "gone.txt"}]
    stage.reply("m1", "two", attachments=[*gone, *there])

    post = stage.channel_posts()[1]

    assert [file.name for file in post.files] == ["there.txt"]
    assert "gone" in post.message
    assert "could not be attached" in post.message
    assert stage.states()["reply:m1"] == ("sent", None)


def test_file_alone_needs_no_text(stage: Stage) -> None:
    """A message without text is posted with its file and the sender's name."""
    stage.start()
    stage.reply("m1", attachments=_store(stage, "only.txt"))

    post = stage.channel_posts()[1]

    assert [file.name for file in post.files] == ["only.txt"]
    assert "Jan" in post.message


def test_refused_file_is_named_with_the_reason(stage: Stage) -> None:
    """A file that the server refuses is named with the reason in the message."""
    stage.start()
    stage.stand_in.set_options(EnableFileAttachments=False)
    stage.reply("m1", "look", attachments=_store(stage, "photo.txt"))

    post = stage.channel_posts()[1]

    assert post.files == ()
    assert "photo" in post.message
    assert "switched off" in post.message


def test_file_that_the_server_drops_silently_is_named_in_a_further_reply(stage: Stage) -> None:
    """A file that the server drops without an error is named in a further reply."""
    stage.start()
    stage.stand_in.set_fault("lose_file", scope="posts", times=1)
    stage.reply("m1", "two", attachments=_store(stage, "a.txt", "b.txt"))

    root, post, note = stage.channel_posts()

    assert len(post.files) == 1
    lost = ({"a.txt", "b.txt"} - {file.name for file in post.files}).pop()
    assert lost.split(".")[0] in note.message
    assert note.root_id == root.id
    assert stage.states()["reply:m1"] == ("sent", None)


def test_lost_file_is_named_although_another_has_its_name(stage: Stage) -> None:
    """A lost file is named even if another file has the same name."""
    stage.start()
    stage.stand_in.set_fault("lose_file", scope="posts", times=1)
    twice = [{**attachment, "name": "image.jpg"} for attachment in _store(stage, "a.jpg", "b.jpg")]
    stage.reply("m1", "two", attachments=twice)

    _, post, note = stage.channel_posts()

    assert [file.name for file in post.files] == ["image.jpg"]
    assert note.message.count("image.jpg could not be attached") == 1


@pytest.mark.parametrize(
    "count", [pytest.param(3, id="with the text"), pytest.param(13, id="in a further post")]
)
def test_lost_file_of_a_dead_worker_is_named(stage: Stage, count: int) -> None:
    """The next worker names the file that a dead worker's post lacks."""
    stage.start()
    attachments = [
        {"name": "scan", "path": file["path"], "content_type": "image/png"}
        for file in _store(stage, *(f"{number}.png" for number in range(count)))
    ]
    stage.reply("m1", "many", attachments=attachments)
    _take_off(stage, stage.channel_posts()[-1].id)
    lane = stage.append(
        "reply",
        conversation_id="c1",
        message_id="m1",
        text="many",
        attachments=attachments,
        **VISITOR,
    )
    _set_sending(stage)

    stage.drain(lane)

    *_, note = stage.channel_posts()
    why = ENGLISH.file_reasons.lost_by_server
    assert note.message == f"⚠ scan could not be attached: {why}"
    assert len(stage.channel_posts()) == (3 if count == 3 else 4)


def _take_off(stage: Stage, post_id: str) -> None:
    """Remove the first file from a post, as if the server had never attached it."""
    post = stage.bot().get_post(post_id)
    answer = requests.put(
        f"{stage.stand_in.url}/api/v4/posts/{post_id}/patch",
        json={"file_ids": list(post.file_ids[1:])},
        headers={"Authorization": f"Bearer {stage.bot_token}"},
        timeout=10,
    )
    answer.raise_for_status()


def _set_sending(stage: Stage) -> None:
    row = next(row for row in stage.ledger() if row.key == "reply:m1")
    with stage.runtime.database.connection() as connection:
        ledger.set_aside(
            connection, row.id, state=DeliveryState.SENDING, reason="", detail="", post_count=0
        )


def test_limit_that_the_server_has_changed_is_not_named(stage: Stage) -> None:
    """The note about a file that is too large names no limit if the stored one is outdated."""
    stage.start()
    stage.stand_in.set_options(MaxFileSize=5)
    stage.reply("m1", "look", attachments=_store(stage, "photo.txt"))

    post = stage.channel_posts()[1]

    assert post.files == ()
    assert post.message.endswith("photo.txt could not be attached: larger than this server's limit")


def test_file_name_mentions_no_member(stage: Stage) -> None:
    """A file name mentions no member."""
    stage.start()
    stage.reply("m1", "x", attachments=[{"name": "@channel.png", "path": "gone.png"}])

    assert "@channel" not in stage.channel_posts()[1].message


def test_message_waits_for_a_store_that_is_away(stage: Stage) -> None:
    """A message waits while our store is away, and is then sent with its file."""
    attachments = _store(stage, "a.txt")
    away = stage.store.rename(stage.store.with_name("away"))

    waiting = stage.reply("m1", "look", attachments=attachments)
    away.rename(stage.store)
    report = stage.drain(Lane.of_conversation("L1", "c1"))

    assert (str(waiting), str(report)) == ("1 waiting", "1 sent")
    assert [file.name for file in stage.channel_posts()[-1].files] == ["a.txt"]


def test_message_goes_without_its_file_when_the_store_stays_away(stage: Stage) -> None:
    """After ``HOLD_S`` the message is sent with a note instead of the file."""
    attachments = _store(stage, "a.txt")
    stage.store.rename(stage.store.with_name("away"))
    settings = stage.runtime.settings.model_copy(update={"hold_s": 0})
    stage.runtime.database.dispose()
    stage.runtime = build_runtime(settings, threads=1)

    report = stage.reply("m1", "look", attachments=attachments)

    assert str(report) == "1 sent"
    assert "a.txt" in stage.channel_posts()[-1].message
    assert stage.channel_posts()[-1].file_ids == ()


def test_path_cannot_leave_the_store(stage: Stage) -> None:
    """A path that leads out of the attachment store is not read."""
    (stage.store.parent / "secret.txt").write_text("secret")
    stage.start()
    stage.reply("m1", "x", attachments=[{"name": "a.txt", "path": "../secret.txt"}])

    post = stage.channel_posts()[1]

    assert post.files == ()
    assert "could not be attached" in post.message


def test_files_are_not_uploaded_again_after_a_lost_answer(stage: Stage) -> None:
    """After a lost answer the post is found with its file, which is not uploaded again."""
    stage.start()
    stage.stand_in.set_fault("accept_then_drop", scope="posts", times=1)
    stage.reply("m1", "x", attachments=_store(stage, "a.txt"))

    posts = stage.channel_posts()[1:]

    assert [[file.name for file in post.files] for post in posts] == [["a.txt"]]
    assert len(stage.stand_in.received(method="POST", path="/files")) == 1
