"""Replies that wait for the end of their licence's pause, and what i-Reserve is told of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from models import Reply, ReplyState, utc_now
from tasks.replies.pauses import GROWTH, LONGEST_WAIT
from tests.stage.stage import Stage
from tests.stage.task_messages import taken
from tests.stage.thread import MirroredThread

TASK, QUEUE = "ireserve.take_reply", "ireserve"
PAUSE_S = 10


def open_paused(stage: Stage) -> MirroredThread:
    """Start a conversation of a licence with a pause, and an i-Reserve that wants replies."""
    thread = MirroredThread.open(stage)
    thread.configure(reply_task=TASK, reply_queue=QUEUE)
    thread.change_licence(reply_pause_s=PAUSE_S)
    return thread


def paused_reply(thread: MirroredThread, message: str) -> Reply:
    """Write a reply and resolve it for the first time, when its pause begins."""
    row = thread.recorded(thread.say(message))
    assert (row.state, row.reason, row.text) == (ReplyState.RECEIVED, "paused", None)
    return row


def end_pauses(thread: MirroredThread) -> None:
    """End all pauses so early that a reply now waits the longest time for an earlier one."""
    with thread.database.transaction() as session:
        ended = utc_now() - LONGEST_WAIT / GROWTH
        over = {"paused_until": ended, "received_at": ended - timedelta(seconds=PAUSE_S)}
        session.execute(update(Reply).where(Reply.paused_until.is_not(None)).values(**over))


def told_replies(thread: MirroredThread) -> list[tuple[Any, ...]]:
    """Take what i-Reserve was told since the last call: event, revision, visibility, text."""
    names = ("event", "revision", "visibility", "plain_text")
    messages = taken(thread.stage.runtime.settings.redis_url, QUEUE)
    return [tuple(each.keywords[name] for name in names) for each in messages]
