"""The faults during a load: processes are really killed, servers really stopped."""

from __future__ import annotations

import signal
import sqlite3

from tests.acceptance.fault_tests import FaultRun
from tests.postgres_server import PostgresServer
from tests.stage.deployed import bot_of
from tests.waiting import wait_until

# Longer than the deployment waits for an answer (READ_TIMEOUT_S, 5 s in the tests).
LATE_S = 20
# Shorter than that, but long enough for other messages of the conversation to wake a worker.
SLOW_S = 2
# Two workers then send about fifty posts a second, fewer than i-Reserve enqueues.
BUSY_S = 0.3
LOST_FILES = 2
HUNG_LICENCE = "L2"
# Longer than any run.
FOR_GOOD_S = 3_600


def nothing(run: FaultRun) -> None:
    """Cause no fault."""
    run.load.wait_until_arrived(0.9)


def kill_workers(run: FaultRun) -> None:
    """Kill one worker after the other."""
    for _ in run.moments(3):
        run.supervisor.kill_one_worker(run.rng)


def kill_both_workers(run: FaultRun) -> None:
    """Kill both workers at the same time."""
    for _ in run.moments(1):
        run.supervisor.kill_all_workers()


def kill_between_post_and_commit(run: FaultRun) -> None:
    """Kill both workers when the server has made posts whose answers have not arrived.

    By then all messages are enqueued, so that no later message wakes the lanes. The slow server
    makes sure that many of them still wait.
    """
    _make_cluster(run)
    run.stage.stand_in.set_fault("slow", scope="posts", seconds=BUSY_S)
    run.load.wait_until_enqueued()
    run.faults += 1
    run.stage.stand_in.set_fault("accept_then_late", scope="posts", times=4, seconds=LATE_S)
    wait_until(lambda: _posts_without_an_answer(run) >= 3, what="posts without an answer")
    run.supervisor.kill_all_workers()
    run.stage.stand_in.clear_faults()


def _make_cluster(run: FaultRun) -> None:
    """Switch off the deduplication by pending_post_id, as between nodes of a cluster."""
    run.stage.stand_in.set_options(PendingPostTtlS=0.0)


def _posts_without_an_answer(run: FaultRun) -> int:
    entries = run.stage.stand_in.received(method="POST", path="/posts")
    return sum(bool(entry.post_id) and entry.fault == "accept_then_late" for entry in entries)


def terminate_workers(run: FaultRun) -> None:
    """Stop a worker as a deploy does, three times."""
    for _ in run.moments(3):
        run.supervisor.kill_one_worker(run.rng, signal.SIGTERM)


def kill_redis(run: FaultRun) -> None:
    """Kill Redis and start it again, three times; i-Reserve repeats each failed call."""
    for _ in run.moments(3):
        run.stage.redis.stop(with_signal=signal.SIGKILL)
        run.wait_during_outage(0.1, 1.0)
        run.stage.redis.start()


def lock_sqlite(run: FaultRun) -> None:
    """Hold the database's write lock for some seconds, twice."""
    path = run.stage.deployment.environment["DATABASE_URL"].removeprefix("sqlite:///")
    for _ in run.moments(2):
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        run.wait_during_outage(2.0, 4.0)
        blocker.execute("COMMIT")
        blocker.close()


def restart_postgresql(run: FaultRun, server: PostgresServer) -> None:
    """Restart PostgreSQL some seconds after a stop, and again after a crash."""
    for moment in run.moments(2):
        server.stop(with_signal=signal.SIGQUIT if moment == 2 else signal.SIGINT)
        run.wait_during_outage(1.0, 3.0)
        server.start()


def kill_mattermost(run: FaultRun) -> None:
    """Kill the server, then a worker after a failed message; start the server with its data.

    Another worker then names the failed messages in the thread, and tells i-Reserve.
    """
    for _ in run.moments(1):
        run.stage.stand_in.stop(with_signal=signal.SIGKILL)
        wait_until(lambda: "failed" in run.load.states().values(), what="a message that failed")
        run.supervisor.kill_one_worker(run.rng)
        run.wait_during_outage(2.0, 4.0)
        run.stage.stand_in.start()


def cut_connections(run: FaultRun) -> None:
    """Close the connection after the server has made the post, ten times."""
    for _ in run.moments(5):
        run.stage.stand_in.set_fault("accept_then_drop", scope="posts", times=2)


def answer_20_s_late(run: FaultRun) -> None:
    """Make posts at once, and answer 20 s later."""
    for _ in run.moments(3):
        run.stage.stand_in.set_fault("accept_then_late", scope="posts", times=2, seconds=LATE_S)


def make_posts_20_s_late(run: FaultRun) -> None:
    """Make two posts only after 20 s; meanwhile wake workers for their lanes."""
    with run.load_held():
        run.stage.stand_in.set_fault("slow", scope="posts", times=2, seconds=LATE_S)
    unsettled = wait_until(
        lambda: found if len(found := run.load.unsettled()) == 2 else None,
        what="two posts whose answers were lost",
    )
    for conversation in unsettled:
        run.load.enqueue_again(run.host, conversation)


def save_slowly(run: FaultRun) -> None:
    """Take two seconds to save some posts; meanwhile wake other workers for their lanes."""
    _make_cluster(run)
    for _ in run.moments(3, hold=True):
        run.stage.stand_in.set_fault("slow_save", times=3, seconds=SLOW_S)
        for conversation in wait_until(run.load.held_up, what="a post that is saved slowly"):
            run.load.enqueue_again(run.host, conversation)


def ask_for_a_pause(run: FaultRun) -> None:
    """Answer 429 with Retry-After."""
    for _ in run.moments(3):
        run.stage.stand_in.set_fault("rate_limited", scope="posts", times=3, retry_after_s=1)


def lose_files(run: FaultRun) -> None:
    """Accept files, and drop some without an error; wait until the thread names each."""
    for moment in run.moments(3, hold=True):
        run.stage.stand_in.set_fault("lose_file", times=LOST_FILES)
        _wait_until_named_as_lost(run, moment * LOST_FILES)


def _wait_until_named_as_lost(run: FaultRun, count: int) -> None:
    def named() -> int:
        marks = [(entry.props or {}).get("ireserve", {}) for entry in run.stage.accepted()]
        return sum(str(mark.get("part", "")).endswith("-lost") for mark in marks)

    wait_until(lambda: named() == count, what=f"{count} files that are named as lost")


def hang_one_server(run: FaultRun) -> None:
    """Let one licence's server never answer during the run."""
    run.faults += 1
    run.stage.stand_in.set_fault("slow", user=bot_of(HUNG_LICENCE), seconds=FOR_GOOD_S)


def start_beat_twice(run: FaultRun) -> None:
    """Start a second beat by mistake."""
    for _ in run.moments(1):
        run.stage.deployment.start("beat")
