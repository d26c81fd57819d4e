"""Busy channels get a look every few seconds, within limits of threads and requests."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from demo.mattermost import StandIn
from models import CatchUpCursor, Conversation, Licence, Receipts, Reply, ReplyState, utc_now
from tasks.app import app
from tasks.licences.shares import Shares
from tasks.replies.busy_channels import MAX_TASKS, collect_busy, look_while_due
from tasks.replies.catch_up import collect
from tasks.replies.due_looks import DueLook, DueLooks
from tasks.replies.live_channels import busy_licences
from tests.stage.database_cost import counted
from tests.stage.stage import LICENCE
from tests.stage.thread import MirroredThread
from tests.waiting import wait_until
from tests.webhook_calls import add_licence

pytestmark = pytest.mark.usefixtures("private_channel")


def _tick(thread: MirroredThread) -> int:
    """Do the work of one tick; return the number of licences looked at."""
    runtime = thread.stage.runtime
    DueLooks(runtime.redis).add(busy_licences(runtime.database))
    return look_while_due(runtime)


def _states(thread: MirroredThread) -> dict[str, str]:
    with thread.database.transaction() as session:
        return {row.post_id: row.state.value for row in session.scalars(select(Reply))}


def _resolve(thread: MirroredThread) -> None:
    with thread.database.transaction() as session:
        waiting = select(Reply.id).where(Reply.state == ReplyState.RECEIVED)
        reply_ids = list(session.scalars(waiting))
    thread.resolve(*reply_ids)


def _looks(thread: MirroredThread) -> int:
    return thread.asked(f"/channels/{thread.stage.channel_id}/posts")


def test_reply_edit_and_deletion_in_a_busy_channel_are_seen_at_the_next_tick(
    thread: MirroredThread,
) -> None:
    """One quick look finds a reply, an edit and a deletion in a busy channel."""
    kept, gone = thread.say("one").id, thread.say("two").id
    _tick(thread)
    first = _states(thread)
    _resolve(thread)
    thread.stage.member().patch_post(kept, message="better")
    thread.stage.member().delete_post(gone)
    _tick(thread)
    _resolve(thread)

    with thread.database.transaction() as session:
        texts = {row.post_id: row.text for row in session.scalars(select(Reply))}
    assert first == {kept: "received", gone: "received"}
    assert _states(thread) == {kept: "recorded", gone: "deleted"}
    assert texts == {kept: "better", gone: None}


def test_look_that_finds_nothing_new_asks_one_question_and_writes_nothing(
    thread: MirroredThread,
) -> None:
    """A look that finds no change makes one request and writes no row."""
    thread.set_receipts(Receipts.NONE)
    post = thread.say("one")
    _tick(thread)
    _resolve(thread)
    thread.stage.stand_in.clear_received()

    with counted(thread.database) as cost:
        for _ in range(3):
            _tick(thread)

    assert _looks(thread) == len(thread.stage.stand_in.received()) == 3
    assert cost.writes == []
    assert _states(thread) == {post.id: "recorded"}


def test_quick_look_leaves_the_cursor(thread: MirroredThread) -> None:
    """A quick look leaves the cursor, so the next whole look covers the same time."""
    collect(thread.stage.runtime, LICENCE, on_page=lambda: None)
    with thread.database.transaction() as session:
        before = session.scalar(select(CatchUpCursor.since_ms))

    thread.say("one")
    _tick(thread)

    with thread.database.transaction() as session:
        assert session.scalar(select(CatchUpCursor.since_ms)) == before


@pytest.mark.parametrize(
    ("said_ago", "looks"),
    [
        pytest.param(timedelta(0), 1, id="just now"),
        pytest.param(timedelta(minutes=5), 1, id="five minutes ago"),
        pytest.param(timedelta(minutes=7), 0, id="seven minutes ago"),
    ],
)
def test_channel_is_busy_for_a_few_minutes_after_the_last_word(
    thread: MirroredThread, said_ago: timedelta, looks: int
) -> None:
    """A channel is busy for a few minutes after the last message."""
    with thread.database.transaction() as session:
        session.execute(update(Conversation).values(last_active_at=utc_now() - said_ago))

    _tick(thread)

    assert _looks(thread) == looks


def test_message_of_the_visitor_makes_its_channel_busy(thread: MirroredThread) -> None:
    """A visitor's message makes its channel busy, too."""
    with thread.database.transaction() as session:
        hour_ago = utc_now() - timedelta(hours=1)
        session.execute(update(Conversation).values(last_active_at=hour_ago))
    before = _tick(thread)

    thread.stage.reply("m1", "are you there?")

    assert (before, _tick(thread)) == (0, 1)


def test_server_that_is_away_is_not_looked_at(thread: MirroredThread) -> None:
    """Three looks without an answer open the circuit, and then no look is tried."""
    thread.stage.stand_in.set_fault("down")
    for _ in range(3):
        _tick(thread)
    asked = _looks(thread)
    _tick(thread)

    assert (asked, _looks(thread)) == (3, 3)


def test_server_that_asks_for_a_pause_is_not_asked_meanwhile(thread: MirroredThread) -> None:
    """A 429 to a look pauses the licence's looks and messages."""
    thread.stage.stand_in.set_fault("rate_limited", times=1, retry_after_s=30)
    _tick(thread)
    asked = _looks(thread)
    _tick(thread)

    assert (asked, _looks(thread)) == (1, 1)
    assert thread.stage.runtime.circuits.state(LICENCE).blocked_until > 0


def test_looks_leave_half_of_the_servers_limit_to_messages(thread: MirroredThread) -> None:
    """A hundred ticks cause no 429, and the message after them is posted."""
    thread.stage.stand_in.set_options(RateLimitEnable=True, RateLimitPerSec=1, RateLimitMaxBurst=19)

    began = time.monotonic()
    for _ in range(100):
        _tick(thread)
    # The server allows one more request each second.
    allowed_later = math.ceil(time.monotonic() - began)
    sent = str(thread.stage.reply("m1", "hello"))

    outcomes = {entry.outcome for entry in thread.stage.stand_in.received()}
    assert _looks(thread) <= 10 + allowed_later
    assert (outcomes, sent) == ({"200", "201"}, "1 sent")


def test_channel_that_the_server_refuses_is_asked_for_once_a_minute(thread: MirroredThread) -> None:
    """A refused channel gets one look and one log line a minute, not one each tick."""
    bot_id = thread.stage.bot().get_me().id
    _remove_from_channel(thread.stage.stand_in, thread.stage.channel_id, bot_id)

    with capture_logs() as logs:
        for _ in range(5):
            _tick(thread)

    assert [entry["event"] for entry in logs] == ["catch_up_failed"]
    assert _looks(thread) == 1


def _remove_from_channel(stand_in: StandIn, channel_id: str, user_id: str) -> None:
    state = stand_in.backend.state
    member = state.channel_members[channel_id][user_id]
    state.put(replace(member, left=True))


def test_busy_licences_are_few_tasks_in_the_queue(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a thousand busy licences, a tick adds only ``MAX_TASKS - 1`` tasks to the queue."""
    many = [f"L{number:04}" for number in range(1_000)]
    monkeypatch.setattr("tasks.replies.busy_channels.current_runtime", lambda: thread.stage.runtime)
    monkeypatch.setattr("tasks.replies.busy_channels.busy_licences", lambda _: many)
    sent: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: sent.append(name))

    collect_busy()

    assert sent == ["mattermost.look_at_busy"] * (MAX_TASKS - 1)


def test_due_licence_is_taken_once_and_slow_ones_come_last(thread: MirroredThread) -> None:
    """A due licence is taken once, and slow licences come last."""
    due = DueLooks(thread.stage.runtime.redis)
    due.note(DueLook("A", was_slow=False), is_slow=True)

    due.add(["A", "B"])
    due.add(["A", "B", "C"])
    taken = [due.take() for _ in range(4)]

    assert taken == [
        DueLook("B", was_slow=False),
        DueLook("C", was_slow=False),
        DueLook("A", was_slow=True),
        None,
    ]


def _hang_beside(thread: MirroredThread, names: list[str]) -> None:
    """Add licences on the same server, which hangs for their bot."""
    place, stand_in = "hang/webchat", thread.stage.stand_in
    spec = {
        "teams": [{"name": "hang"}],
        "channels": [{"team": "hang", "name": "webchat"}],
        "bots": [{"username": "slow", "channels": [place]}],
    }
    made = stand_in.setup(spec)
    token = thread.stage.runtime.licences._keyring.encrypt(made["bots"]["slow"]["token"])
    for name in names:
        add_licence(thread.database, name, tokens=())
        with thread.database.transaction() as session:
            values = {"server_url": stand_in.url, "bot_token_encrypted": token}
            session.execute(update(Licence).where(Licence.id == name).values(**values))
            session.add(
                Conversation(
                    licence_id=name,
                    conversation_id="c1",
                    channel_id=made["channels"][place]["id"],
                    root_post_id=f"{name:a<26}",
                )
            )
    stand_in.set_fault("slow", seconds=2, user="slow")


def test_servers_that_hang_do_not_hold_up_the_looks_at_others(thread: MirroredThread) -> None:
    """Hanging servers hold only their share of threads, and other looks go on."""
    runtime = replace(thread.stage.runtime, look_shares=Shares(2))
    post = thread.say("hello")
    _hang_beside(thread, ["H1", "H2", "H3", "H4"])
    DueLooks(runtime.redis).add(busy_licences(runtime.database))
    lookers = [threading.Thread(target=look_while_due, args=(runtime,)) for _ in range(5)]
    for looker in lookers:
        looker.start()

    wait_until(lambda: post.id in _states(thread), timeout_s=1.5, what="the reply beside the hung")

    for looker in lookers:
        looker.join()
