"""What goes wrong in the middle of a load: processes really killed, servers really gone."""

from __future__ import annotations

import signal
import sqlite3

from tests.acceptance.fire import Scene
from tests.acceptance.site import bot_of
from tests.postgres_server import PostgresServer
from tests.waiting import wait_until

# Longer than the deployment waits for an answer (READ_TIMEOUT_S, 5 s in the tests).
LATE_S = 20
# Shorter than that, and long enough for other messages of the conversation to wake somebody.
SLOW_S = 2
# Two workers send some fifty posts a second then, fewer than i-Reserve enqueues.
BUSY_S = 0.3
# With 16 threads some 50 posts a second, fewer than i-Reserve enqueues.
BACKLOG_S = 0.3
LOST_FILES = 2
HUNG_LICENCE = "L2"
# Longer than any run.
FOR_GOOD_S = 3_600


def nothing(scene: Scene) -> None:
    """Let everything go well."""
    scene.load.wait_until_arrived(0.9)


def kill_workers(scene: Scene) -> None:
    """Kill one worker after the other."""
    for _ in scene.moments(3):
        scene.supervisor.kill_one_worker(scene.dice)


def kill_both_workers(scene: Scene) -> None:
    """Kill both workers at once."""
    for _ in scene.moments(1):
        scene.supervisor.kill_all_workers()


def kill_between_post_and_commit(scene: Scene) -> None:
    """Kill both workers when the server has posts of theirs and they do not know it yet.

    All is enqueued by then, so that no later message wakes the lanes that they leave behind; and
    the server is so slow until then that much of it still waits.
    """
    _make_cluster(scene)
    scene.site.stand_in.set_fault("slow", scope="posts", seconds=BUSY_S)
    scene.load.wait_until_enqueued()
    scene.faults += 1
    scene.site.stand_in.set_fault("accept_then_late", scope="posts", times=4, seconds=LATE_S)
    wait_until(lambda: _posts_without_an_answer(scene) >= 3, what="posts without an answer")
    scene.supervisor.kill_all_workers()
    scene.site.stand_in.clear_faults()


def _make_cluster(scene: Scene) -> None:
    """Let no request know another's pending_post_id, as on the nodes of a cluster."""
    scene.site.stand_in.set_options(PendingPostTtlS=0.0)


def _posts_without_an_answer(scene: Scene) -> int:
    entries = scene.site.stand_in.received(method="POST", path="/posts")
    return sum(bool(entry.post_id) and entry.fault == "accept_then_late" for entry in entries)


def terminate_workers(scene: Scene) -> None:
    """Stop a worker as a deploy does, three times."""
    for _ in scene.moments(3):
        scene.supervisor.kill_one_worker(scene.dice, signal.SIGTERM)


def kill_redis(scene: Scene) -> None:
    """Kill Redis and start it again, three times; i-Reserve calls again when it was told so."""
    for _ in scene.moments(3):
        scene.site.redis.stop(with_signal=signal.SIGKILL)
        scene.stay_away(0.1, 1.0)
        scene.site.redis.start()


def lock_sqlite(scene: Scene) -> None:
    """Hold the database's write lock for some seconds, twice."""
    path = scene.site.deployment.environment["DATABASE_URL"].removeprefix("sqlite:///")
    for _ in scene.moments(2):
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        scene.stay_away(2.0, 4.0)
        blocker.execute("COMMIT")
        blocker.close()


def restart_postgresql(scene: Scene, server: PostgresServer) -> None:
    """Restart PostgreSQL some seconds after it was stopped, and once more after a crash."""
    for moment in scene.moments(2):
        server.stop(with_signal=signal.SIGQUIT if moment == 2 else signal.SIGINT)
        scene.stay_away(1.0, 3.0)
        server.start()


def kill_mattermost(scene: Scene) -> None:
    """Kill the server and start it again some seconds later, with its data."""
    for _ in scene.moments(1):
        scene.site.stand_in.stop(with_signal=signal.SIGKILL)
        scene.stay_away(2.0, 4.0)
        scene.site.stand_in.start()


def cut_connections(scene: Scene) -> None:
    """Close the connection after the post was taken, ten times."""
    for _ in scene.moments(5):
        scene.site.stand_in.set_fault("accept_then_drop", scope="posts", times=2)


def answer_20_s_late(scene: Scene) -> None:
    """Take posts at once, and answer 20 s later."""
    for _ in scene.moments(3):
        scene.site.stand_in.set_fault("accept_then_late", scope="posts", times=2, seconds=LATE_S)


def make_posts_20_s_late(scene: Scene) -> None:
    """Make two posts only when 20 s are over; meanwhile workers are woken for their lanes."""
    for _ in scene.moments(1):
        scene.site.stand_in.set_fault("slow", scope="posts", times=2, seconds=LATE_S)
        unsettled = wait_until(
            lambda: found if len(found := scene.load.unsettled()) == 2 else None,
            what="two posts whose answers were lost",
        )
        for conversation in unsettled:
            scene.load.enqueue_again(scene.host, conversation)


def save_slowly(scene: Scene) -> None:
    """Take two seconds to save some posts; meanwhile other workers are woken for their lanes."""
    _make_cluster(scene)
    for _ in scene.moments(3):
        scene.site.stand_in.set_fault("slow_save", times=3, seconds=SLOW_S)
        for conversation in wait_until(scene.load.held_up, what="a post that is saved slowly"):
            scene.load.enqueue_again(scene.host, conversation)


def ask_for_a_pause(scene: Scene) -> None:
    """Answer 429 with Retry-After."""
    for _ in scene.moments(3):
        scene.site.stand_in.set_fault("rate_limited", scope="posts", times=3, retry_after_s=1)


def lose_files(scene: Scene) -> None:
    """Take files, and drop some of them without a word; each is named in its thread."""
    for moment in scene.moments(3):
        scene.site.stand_in.set_fault("lose_file", times=LOST_FILES)
        _wait_until_named_as_lost(scene, moment * LOST_FILES)


def _wait_until_named_as_lost(scene: Scene, count: int) -> None:
    def named() -> int:
        marks = [(entry.props or {}).get("ireserve", {}) for entry in scene.site.accepted()]
        return sum(str(mark.get("part", "")).endswith("-lost") for mark in marks)

    wait_until(lambda: named() == count, what=f"{count} files that are named as lost")


def hang_one_server(scene: Scene) -> None:
    """Let one licence's server answer nothing for the whole run."""
    scene.faults += 1
    scene.site.stand_in.set_fault("slow", user=bot_of(HUNG_LICENCE), seconds=FOR_GOOD_S)


def start_beat_twice(scene: Scene) -> None:
    """Start a second beat by mistake."""
    for _ in scene.moments(1):
        scene.site.deployment.start("beat")
