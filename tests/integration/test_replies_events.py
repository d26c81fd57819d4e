"""Each end of an attempt to record a reply logs one event with a fixed name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from models import ReplyEvent, utc_now
from tasks.replies.backoff import GIVE_UP_AFTER_S, MAX_ATTEMPTS
from tasks.replies.endings import Ending, EndKind, note_ending
from tasks.replies.rows import load
from tests.stage.stage import LICENCE
from tests.stage.thread import MirroredThread


def _new(thread: MirroredThread) -> int:
    return thread.receive(thread.say("Hi").id)


def _edited(thread: MirroredThread) -> int:
    row = thread.recorded(thread.say("at six"))
    thread.stage.member().patch_post(row.post_id, message="at seven")
    thread.change(row.id, state="received")
    return row.id


def _seen_again(thread: MirroredThread) -> int:
    row = thread.recorded(thread.say("at six"))
    thread.change(row.id, state="received")
    return row.id


def _deleted(thread: MirroredThread) -> int:
    row = thread.recorded(thread.say("oops"))
    thread.stage.member().delete_post(row.post_id)
    thread.change(row.id, state="received")
    return row.id


def _untold(thread: MirroredThread) -> int:
    row = thread.recorded(thread.say("Hi"))
    thread.change(row.id, pending_event=ReplyEvent.RECORDED)
    return row.id


def _unknown_for_the_last_time(thread: MirroredThread) -> int:
    reply_id = thread.receive("y" * 26)
    thread.change(reply_id, attempts=MAX_ATTEMPTS - 1)
    return reply_id


def _of_a_disabled_licence(thread: MirroredThread) -> int:
    reply_id = _new(thread)
    thread.change_licence(enabled=False)
    return reply_id


def _refused_for_the_last_time(thread: MirroredThread) -> int:
    reply_id = _of_a_disabled_licence(thread)
    thread.change(reply_id, received_at=utc_now() - timedelta(seconds=GIVE_UP_AFTER_S))
    return reply_id


@pytest.mark.parametrize(
    ("prepare", "event", "level"),
    [
        pytest.param(_new, "reply_recorded", "info", id="recorded"),
        pytest.param(_edited, "reply_edited", "info", id="edited"),
        pytest.param(_seen_again, "reply_unchanged", "info", id="unchanged"),
        pytest.param(_deleted, "reply_deleted", "info", id="deleted"),
        pytest.param(_untold, "reply_handed_over", "info", id="handed over"),
        pytest.param(
            lambda thread: thread.receive(thread.say("topic", root_id="").id),
            "post_ignored",
            "info",
            id="no reply",
        ),
        pytest.param(_unknown_for_the_last_time, "post_ignored", "info", id="no such post"),
        pytest.param(_of_a_disabled_licence, "reply_waits", "warning", id="waits"),
        pytest.param(_refused_for_the_last_time, "reply_not_recorded", "error", id="given up"),
    ],
)
def test_each_outcome_has_one_event_of_its_own(
    thread: MirroredThread, prepare: Callable[[MirroredThread], int], event: str, level: str
) -> None:
    """Each end of an attempt has its own event with reply, post and licence."""
    reply_id = prepare(thread)

    with capture_logs() as logs:
        thread.resolve(reply_id)

    (line,) = [each for each in logs if each["event"].startswith(("reply_", "post_"))]
    assert (line["event"], line["log_level"]) == (event, level)
    assert (line["reply_id"], line["licence_id"]) == (reply_id, LICENCE)
    assert line["post_id"]


def test_worker_that_finds_a_reply_locked_says_so(thread: MirroredThread) -> None:
    """A worker logs that another worker has the reply's lock."""
    post_id = thread.say("Hi").id
    reply_id = thread.receive(post_id)

    with thread.stage.runtime.locks.of_reply(LICENCE, post_id), capture_logs() as logs:
        report = thread.resolve(reply_id)

    assert str(report) == "1 busy"
    assert _events(logs) == ["reply_busy"]


def test_worker_that_lost_the_lock_says_so_and_writes_nothing(
    thread: MirroredThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that lost the reply's lock writes nothing and logs the loss."""
    reply_id = _new(thread)
    monkeypatch.setattr("ireserve_mattermost.locks.FRESH_S", 0.0)
    monkeypatch.setattr("ireserve_mattermost.locks.LOCK_S", 0.05)

    with thread.fault("slow", seconds=0.3), capture_logs() as logs:
        report = thread.resolve(reply_id)

    row = thread.reply(reply_id)
    assert row is not None
    assert (str(report), _events(logs), row.revision) == ("1 lost", ["reply_lost"], 0)


@pytest.mark.parametrize("kind", sorted(set(EndKind) - {EndKind.UNTOLD}))
def test_no_end_is_silent(kind: EndKind, thread: MirroredThread) -> None:
    """Each end of an attempt is logged, except ``UNTOLD``, which ``hand_over`` has logged."""
    reply_id = _new(thread)
    with thread.database.reading() as connection:
        (known,) = load(connection, [reply_id])

    with capture_logs() as logs:
        note_ending(thread.stage.runtime.tallies, known, Ending(kind))

    assert len(_events(logs)) == 1


def _events(logs: list[Any]) -> list[str]:
    return [each["event"] for each in logs if each["event"].startswith(("reply_", "post_"))]
