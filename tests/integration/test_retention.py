"""Retention removes old data in small steps, and nothing that is still open."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, update

from ireserve_mattermost.lanes import Lane
from models import Conversation, Delivery, Reply, ReplyAttachment, UnownedFile, utc_now
from models.steps import Steps
from tasks.mattermost import Post
from tasks.outbound.retention import MAY_BE_REMOVED, remove_deliveries
from tasks.privacy.retention import remove_expired, remove_files, remove_rows
from tasks.replies.backoff import GIVEN_UP
from tasks.replies.catch_up import collect
from tasks.watch.removals import Removable
from tests.operators import Operator, environment_of
from tests.stage.stage import LICENCE, Stage
from tests.stage.thread import CONVERSATION, MirroredThread

ROOT = Path(__file__).parents[2]
LONG_AGO = timedelta(days=400)
KEPT = {
    "retention_conversations_days": 365,
    "retention_replies_days": 365,
    "retention_deliveries_days": 365,
}
LANE = Lane.of_conversation(LICENCE, CONVERSATION)


@pytest.fixture
def thread(stage: Stage) -> MirroredThread:
    """A conversation with its thread, on a server whose deduplication has expired."""
    # For 30 s Mattermost would take a post with the same key for the earlier one.
    stage.stand_in.set_options(PendingPostTtlS=0.0)
    return MirroredThread.open(stage)


def _age(thread: MirroredThread) -> None:
    """Date all rows long ago."""
    then = utc_now() - LONG_AGO
    with thread.database.transaction() as session:
        session.execute(update(Conversation).values(last_active_at=then))
        session.execute(update(Delivery).values(started_at=then, finished_at=then))
        session.execute(update(Reply).values(received_at=then, recorded_at=then, posted_at=then))


def _count(thread: MirroredThread, table: Any) -> int:
    with thread.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def _stored(thread: MirroredThread) -> list[str]:
    return sorted(each.name for each in thread.stage.store.rglob("*") if each.is_file())


def _keep(thread: MirroredThread, **days: int) -> None:
    thread.configure(**days)


def test_nothing_is_removed_unless_it_is_said_for_how_long_it_is_kept(
    thread: MirroredThread,
) -> None:
    """Without a setting nothing is removed."""
    thread.recorded(thread.say("hello", file_ids=thread.upload(b"x")))
    _age(thread)

    done = remove_rows(thread.stage.runtime)

    assert done == {}
    assert [_count(thread, table) for table in (Conversation, Reply, Delivery)] == [1, 1, 1]


def test_old_conversation_goes_with_replies_and_files_and_a_young_one_stays(
    thread: MirroredThread,
) -> None:
    """An old conversation goes with replies and files; its deliveries stay without its thread."""
    thread.stage.reply("m1", "hello")
    thread.recorded(thread.say("hello", file_ids=thread.upload(b"x")))
    _age(thread)
    thread.stage.start("c2")
    _keep(thread, retention_conversations_days=365)

    done = remove_rows(thread.stage.runtime)
    files = remove_files(thread.stage.runtime)

    assert (done, files) == ({Removable.CONVERSATIONS: 1}, 1)
    assert thread.stage.conversation().conversation_id == "c2"
    assert sorted(row.key for row in thread.stage.ledger()) == ["reply:m1", "root:1"]
    assert (_count(thread, Reply), _stored(thread)) == (0, [])


def test_conversation_with_more_replies_than_a_step_has_rows_goes_whole(
    thread: MirroredThread,
) -> None:
    """A conversation with many replies goes in several steps, with the last of them."""
    for number in range(45):
        thread.recorded(thread.say(f"reply {number}"))
    _age(thread)
    _keep(thread, retention_conversations_days=365)

    done = remove_rows(thread.stage.runtime)

    assert done == {Removable.CONVERSATIONS: 1}
    assert (_count(thread, Conversation), _count(thread, Reply)) == (0, 0)


def _message_waits(thread: MirroredThread) -> None:
    thread.stage.append("reply", conversation_id=CONVERSATION, message_id="m1", text="waits")


def _message_is_undecided(thread: MirroredThread) -> None:
    with thread.database.transaction() as session:
        session.execute(update(Delivery).values(state="unsettled"))


def _reply_is_not_told(thread: MirroredThread) -> None:
    _change_replies(thread, pending_event="recorded")


def _reply_is_asked_for_again(thread: MirroredThread) -> None:
    _change_replies(thread, state="received", next_attempt_at=utc_now())


def _reply_of_a_thread_that_is_not_known_waits(thread: MirroredThread) -> None:
    thread.receive(thread.say("not asked for yet").id)


def _change_replies(thread: MirroredThread, **values: Any) -> None:
    with thread.database.transaction() as session:
        session.execute(update(Reply).values(**values))


@pytest.mark.parametrize(
    "opened",
    [
        _message_waits,
        _message_is_undecided,
        _reply_is_not_told,
        _reply_is_asked_for_again,
        _reply_of_a_thread_that_is_not_known_waits,
    ],
)
def test_conversation_in_which_something_is_open_stays(
    thread: MirroredThread, opened: Callable[[MirroredThread], None]
) -> None:
    """A conversation with open messages or replies stays, however old."""
    thread.recorded(thread.say("hello"))
    _age(thread)
    opened(thread)
    replies = _count(thread, Reply)
    _keep(thread, retention_conversations_days=365)

    done = remove_rows(thread.stage.runtime)

    assert done == {Removable.CONVERSATIONS: 0}
    assert (_count(thread, Conversation), _count(thread, Reply)) == (1, replies)


def test_conversation_into_which_a_worker_sends_stays(thread: MirroredThread) -> None:
    """A conversation whose lane is locked stays."""
    _age(thread)
    _keep(thread, retention_conversations_days=365)

    with thread.stage.runtime.lanes.try_lock(LANE):
        done = remove_rows(thread.stage.runtime)

    assert done == {Removable.CONVERSATIONS: 0}


def test_reply_that_was_given_up_keeps_no_conversation(thread: MirroredThread) -> None:
    """A reply that was given up does not keep an old conversation."""
    thread.recorded(thread.say("hello"))
    _age(thread)
    _change_replies(thread, state="received", next_attempt_at=GIVEN_UP)
    _keep(thread, retention_conversations_days=365)

    assert remove_rows(thread.stage.runtime) == {Removable.CONVERSATIONS: 1}


def test_next_message_begins_a_new_thread_and_the_old_one_is_unknown(
    thread: MirroredThread,
) -> None:
    """After removal, a message starts a new thread, and the old thread's replies are ignored."""
    old_root = thread.root_post_id
    _age(thread)
    _keep(thread, retention_conversations_days=365)
    remove_rows(thread.stage.runtime)

    thread.stage.reply("m1", "me again")
    late = thread.take_in(thread.say("too late", root_id=old_root))
    new = thread.recorded(thread.say("welcome back"))

    assert thread.root_post_id != old_root
    assert late is not None
    assert (late.state.value, late.reason, late.revision) == ("empty", "moved_thread", 0)
    assert (new.text, thread.stage.states()["reply:m1"]) == ("welcome back", ("sent", None))


def test_old_replies_go_with_their_files_and_the_conversation_stays(
    thread: MirroredThread,
) -> None:
    """Old replies go with their files, except open ones."""
    old, untold = (
        thread.recorded(thread.say(text, file_ids=thread.upload(b"x")))
        for text in ("old", "untold")
    )
    _age(thread)
    young = thread.recorded(thread.say("young", file_ids=thread.upload(b"y")))
    thread.change(untold.id, pending_event="recorded")
    _keep(thread, retention_replies_days=365)

    done = remove_rows(thread.stage.runtime)
    files = remove_files(thread.stage.runtime)

    left = [thread.reply(row.id) is not None for row in (old, untold, young)]
    assert (done, files, left) == ({Removable.REPLIES: 1}, 1, [False, True, True])
    assert (_count(thread, Conversation), len(_stored(thread))) == (1, 2)


def test_old_reply_that_changes_in_mattermost_does_not_come_again(
    thread: MirroredThread,
) -> None:
    """A removed reply whose post changes is not recorded again."""
    long_ago_ms = round((utc_now() - LONG_AGO).timestamp() * 1_000)
    admin = thread.stage.stand_in.setup({})["admin"]
    answer = requests.post(
        f"{thread.stage.stand_in.url}/api/v4/posts",
        # Only an administrator may set a post's time.
        headers={"Authorization": f"Bearer {admin['token']}"},
        json={
            "channel_id": thread.stage.channel_id,
            "root_id": thread.root_post_id,
            "message": "old",
            "create_at": long_ago_ms,
        },
        timeout=10,
    )
    row = thread.recorded(Post.parse(answer.json()))
    _age(thread)
    with thread.database.transaction() as session:
        session.execute(update(Conversation).values(last_active_at=utc_now()))
    _keep(thread, retention_replies_days=365)
    remove_rows(thread.stage.runtime)
    thread.stage.member().add_reaction(
        user_id=thread.stage.member().get_me().id, post_id=row.post_id, emoji_name="+1"
    )
    young = thread.say("young")

    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)

    with thread.database.snapshot() as session:
        assert list(session.scalars(select(Reply.post_id))) == [young.id]


def test_settled_deliveries_go_and_open_or_failed_ones_stay(thread: MirroredThread) -> None:
    """Settled deliveries go; open ones, and failed ones with a payload, stay."""
    stage = thread.stage
    stage.reply("sent", "text")
    for message_id in ("failed", "discarded"):
        stage.stand_in.set_fault("plugin_rejection", scope="posts", times=1)
        stage.reply(message_id, "text")
    with thread.database.transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.key == "reply:discarded").values(payload=None)
        )
        session.execute(update(Delivery).where(Delivery.key == "root:1").values(state="sending"))
    _age(thread)
    stage.reply("young", "text")
    _keep(thread, retention_deliveries_days=365)

    done = remove_rows(stage.runtime)

    assert done == {Removable.DELIVERIES: 2}
    assert sorted(stage.states()) == ["reply:failed", "reply:young", "root:1"]


def test_known_message_is_posted_again_once_its_delivery_is_gone(thread: MirroredThread) -> None:
    """A message id is posted once within the retention, and again after it."""
    stage = thread.stage
    stage.reply("m1", "hello")
    stage.reply("m1", "hello")
    within = len(stage.channel_posts())
    _age(thread)
    _keep(thread, retention_deliveries_days=365)
    remove_rows(stage.runtime)

    stage.reply("m1", "hello")

    assert (within, len(stage.channel_posts())) == (2, 3)


def test_run_that_was_killed_is_finished_by_the_next_one(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill no file is unknown, and the next run removes the rest."""
    for number in range(30):
        thread.recorded(thread.say(f"reply {number}", file_ids=thread.upload(b"x")))
    _age(thread)
    _keep(thread, retention_conversations_days=365)
    environment_of(thread.stage.runtime.settings, monkeypatch)
    monkeypatch.setenv("RETENTION_CONVERSATIONS_DAYS", "365")

    program = [sys.executable, "-m", "tests.stage.dying_retention"]
    died = subprocess.run(program, cwd=ROOT, capture_output=True, timeout=60, check=False)
    left = _count(thread, Reply)
    known = _count(thread, ReplyAttachment) + _count(thread, UnownedFile)
    stored = len(_stored(thread))
    thread.stage.runtime.redis.delete(*thread.stage.runtime.redis.keys("*:lock:*"))
    remove_rows(thread.stage.runtime)
    remove_files(thread.stage.runtime)

    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert (left, known, stored) == (10, 30, 30)
    assert (_count(thread, Conversation), _count(thread, Reply), _stored(thread)) == (0, 0, [])


def test_one_worker_at_a_time_does_it(thread: MirroredThread) -> None:
    """Only one worker at a time runs retention."""
    _age(thread)
    _keep(thread, **KEPT)

    with thread.stage.runtime.locks.of_retention():
        assert remove_rows(thread.stage.runtime) == {}


def test_run_ends_with_its_time_and_the_next_goes_on(thread: MirroredThread) -> None:
    """A run ends at its time limit, and the next goes on; without work it runs hourly."""
    _age(thread)
    _keep(thread, retention_deliveries_days=365)
    runtime = thread.stage.runtime

    no_time = remove_rows(runtime, budget_s=0.0)
    then = remove_rows(runtime)
    resting = remove_rows(runtime)

    assert (no_time, then, resting) == (
        {Removable.DELIVERIES: 0},
        {Removable.DELIVERIES: 1},
        {},
    )


def test_status_says_what_was_removed(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status shows what was removed, the last run, and the files still to be removed."""
    settings = thread.stage.runtime.settings
    environment_of(settings, monkeypatch)
    monkeypatch.setenv("RETENTION_CONVERSATIONS_DAYS", "365")
    thread.recorded(thread.say("hello", file_ids=thread.upload(b"x")))
    _age(thread)
    before = Operator(settings).json("status")["retention"]
    _keep(thread, retention_conversations_days=365)
    monkeypatch.setattr("tasks.privacy.retention.current_runtime", lambda: thread.stage.runtime)

    said = remove_expired()
    after = Operator(settings).json("status")["retention"]

    nothing = {"conversations": 0, "replies": 0, "deliveries": 0, "files": 0}
    assert before == {"removed": nothing, "ran_at": None, "files_to_remove": 0}
    assert said == "1 conversations, 1 files"
    assert after["removed"] == {**nothing, "conversations": 1, "files": 1}
    assert (after["ran_at"] is None, after["files_to_remove"]) == (False, 0)


def test_walk_ends_at_the_first_page_without_an_old_row(thread: MirroredThread) -> None:
    """Retention does not read all young rows."""
    thread.stage.reply("m1", "text")
    steps = Steps(thread.database)
    with thread.database.transaction() as session:
        # Only a walk through all rows would find the newest row.
        old = utc_now() - LONG_AGO
        session.execute(update(Delivery).where(Delivery.key == "reply:m1").values(finished_at=old))

    removed = sum(
        remove_deliveries(steps, before=utc_now() - timedelta(days=1), which=MAY_BE_REMOVED)
    )

    assert removed == 0
