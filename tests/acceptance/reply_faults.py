"""The faults while the team replies: processes are really killed, Redis really stopped."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select

from models import Reply
from tests.acceptance.fault_tests import SETTLE_S
from tests.acceptance.promises import BrokenPromiseError
from tests.acceptance.reply_fault_tests import REPLY_QUEUE, ReplyFaultRun
from tests.stage.deployed_thread import DeployedThread
from tests.stage.task_messages import published
from tests.waiting import wait_until

FILE_BYTES = 300_000
# Longer than the deployment waits for an answer.
SLOW_S = 20
# Long enough, on a busy machine, to write ten replies, edit one and kill a worker.
PAUSE_S = 8


def kill_web_between_insert_and_wake(run: ReplyFaultRun) -> None:
    """Kill the web process when it has stored replies but could not wake a worker.

    Redis hangs meanwhile. Redis has never answered this web process, and a connection sends no
    command before the first answer. So no wake-up waits in a buffer either.
    """
    thread, redis = run.thread, run.thread.stage.redis
    web = thread.start_web()
    assert redis.process is not None
    redis.process.send_signal(signal.SIGSTOP)
    thread.say(5)
    wait_until(lambda: thread.count_received() == 5, what="five replies in the inbox")
    web.kill()
    redis.process.send_signal(signal.SIGCONT)


def kill_worker_while_it_fetches(run: ReplyFaultRun) -> None:
    """Kill the worker after it has requested a reply's file and before the file has come."""
    thread, content = run.thread, os.urandom(FILE_BYTES)
    thread.start_web()
    file_id = thread.upload(content)
    stand_in = thread.stage.stand_in
    stand_in.set_fault("slow", scope="files", times=1, seconds=SLOW_S)
    thread.say_with_file(file_id, content)
    wait_until(
        lambda: stand_in.received(method="GET", path=f"/files/{file_id}"), what="the file's fetch"
    )
    run.supervisor.kill_all_workers()


def keep_redis_down(run: ReplyFaultRun) -> None:
    """Keep Redis down while replies come in; the web process still answers each webhook."""
    thread, redis = run.thread, run.thread.stage.redis
    thread.start_web()
    redis.stop(with_signal=signal.SIGKILL)
    thread.say(run.replies)
    wait_until(
        lambda: thread.count_received() == run.replies,
        timeout_s=30,
        what="all replies in the inbox",
    )
    answers = {call.status for call in thread.stage.stand_in.webhook_calls()}
    assert answers == {200}, answers
    redis.start()


def kill_web_and_worker(run: ReplyFaultRun) -> None:
    """Kill the web process and the worker while replies come in; catch-up brings the rest."""
    thread = run.thread
    web = thread.start_web()
    with ThreadPoolExecutor(1) as background:
        saying = background.submit(thread.say, 5 * run.replies)
        wait_until(lambda: thread.count_recorded() > 10, timeout_s=30, what="some replies")
        run.supervisor.kill_all_workers()
        web.kill()
        saying.result()


def kill_worker_in_the_pause(run: ReplyFaultRun) -> None:
    """Kill the worker while ten replies wait; one is edited and one deleted meanwhile."""
    thread = run.thread
    thread.start_web()
    thread.say(10)
    wait_until(lambda: _count_paused(thread) == 10, timeout_s=PAUSE_S, what="ten replies that wait")
    edited, deleted, *_ = thread.said_in_order()
    with thread.stage.member() as member:
        member.patch_post(edited, message="as edited")
        member.delete_post(deleted)
    del thread.said[deleted]
    run.supervisor.kill_all_workers()


def kill_workers_in_and_behind_the_pause(run: ReplyFaultRun) -> None:
    """Also kill the next worker, after it has sent some of the replies to i-Reserve."""
    kill_worker_in_the_pause(run)
    wait_until(lambda: run.thread.count_recorded() > 2, timeout_s=60, what="some of the replies")
    run.supervisor.kill_all_workers()


def _count_paused(thread: DeployedThread) -> int:
    with thread.stage.database.transaction() as session:
        waiting = select(func.count()).where(Reply.paused_until.is_not(None))
        return session.scalar(waiting) or 0


def expect_paused_replies_in_order(run: ReplyFaultRun) -> None:
    """Check that i-Reserve got each reply's last text, in order, and not the deleted reply.

    Raises:
        BrokenPromiseError: a reply has another text, or came before an earlier reply.
    """
    wait_until(lambda: _count_paused(run.thread) == 0, timeout_s=SETTLE_S, what="all told")
    told = _told(run.thread)
    edited, *_ = expected = [post for post in run.thread.said_in_order() if post in run.thread.said]
    if list(dict.fromkeys(each["post_id"] for each in told)) != expected:
        raise BrokenPromiseError("not the replies, or not in their order")
    if {(each["event"], each["revision"], each["visibility"]) for each in told} != {
        ("recorded", 1, "public")
    }:
        raise BrokenPromiseError("told as something else than a new reply")
    if {each["text"] for each in told if each["post_id"] == edited} != {"as edited"}:
        raise BrokenPromiseError("not told as edited")


def _told(thread: DeployedThread) -> list[dict[str, Any]]:
    """Return the replies in i-Reserve's queue, oldest first; no worker takes them here."""
    return [message.keywords for message in published(thread.stage.redis.url, REPLY_QUEUE)]
