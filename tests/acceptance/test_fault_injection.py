"""The promises hold under load when processes are really killed and servers really stopped."""

from __future__ import annotations

from functools import partial

import pytest

from tests.acceptance import faults, reply_faults
from tests.acceptance.broken_build import Patch
from tests.acceptance.conftest import RunFaultTest
from tests.acceptance.fault_tests import FaultTest
from tests.acceptance.promises import BrokenPromiseError
from tests.acceptance.reply_fault_tests import OFTEN_S, ReplyFaultTest

POSTGRESQL = "postgresql"
full_load = pytest.mark.full_load

# The messages that may fail when the server dies. For each thread of both workers these are the
# message that it was sending, and three more until the licence's circuit is open.
BY_RULE = 2 * 8 * (1 + 3)

# Each fault on one database, and kills of workers on both.
FAULT_TESTS = [
    FaultTest("workers killed one after the other", faults.kill_workers),
    FaultTest("both workers killed at once", faults.kill_both_workers, POSTGRESQL),
    FaultTest("killed between post and commit", faults.kill_between_post_and_commit),
    FaultTest("Redis killed", faults.kill_redis, POSTGRESQL),
    FaultTest("Mattermost killed", faults.kill_mattermost, may_fail=BY_RULE),
    FaultTest("posts made 20 s late", faults.make_posts_20_s_late),
    FaultTest("answers 20 s late", faults.answer_20_s_late),
    FaultTest("the database locked", faults.lock_sqlite),
    FaultTest("workers told to stop, as a deploy does", faults.terminate_workers),
    FaultTest("connections cut after the post was taken", faults.cut_connections),
    FaultTest("posts saved slowly", faults.save_slowly),
    FaultTest("rate limited", faults.ask_for_a_pause),
    FaultTest("files lost by the server", faults.lose_files, file_every=2),
    FaultTest("beat started twice", faults.start_beat_twice),
]
# The same faults on the other database, if the database matters, and a load without any fault.
FULL_LOAD_FAULT_TESTS = [
    FaultTest("workers killed one after the other", faults.kill_workers, POSTGRESQL),
    FaultTest("both workers killed at once", faults.kill_both_workers),
    FaultTest("killed between post and commit", faults.kill_between_post_and_commit, POSTGRESQL),
    FaultTest("Redis killed", faults.kill_redis),
    FaultTest("Mattermost killed", faults.kill_mattermost, POSTGRESQL, may_fail=BY_RULE),
    FaultTest("posts made 20 s late", faults.make_posts_20_s_late, POSTGRESQL),
    FaultTest("workers told to stop, as a deploy does", faults.terminate_workers, POSTGRESQL),
    FaultTest("beat started twice", faults.start_beat_twice, POSTGRESQL),
    FaultTest("nothing goes wrong", faults.nothing),
    FaultTest("nothing goes wrong", faults.nothing, POSTGRESQL),
]


@pytest.mark.parametrize(
    "fault_test",
    [*FAULT_TESTS, *(pytest.param(each, marks=full_load) for each in FULL_LOAD_FAULT_TESTS)],
    ids=str,
)
def test_every_message_arrives_once_and_in_order(
    fault_test: FaultTest, run_fault_test: RunFaultTest
) -> None:
    """Each message is posted once, in order, under one root, within 60 s of the last fault."""
    figures = run_fault_test(fault_test)

    assert figures.failed <= fault_test.may_fail


# A taken lane is both locked and not due, so this patch removes both.
LOCK_REMOVED = Patch(
    "client/ireserve_mattermost/lane_scripts.py",
    {
        "  elseif redis.call('SET', lock, ARGV[1], 'NX', 'PX', ARGV[2]) then": (
            "  elseif redis.call('SET', lock, ARGV[1], 'PX', ARGV[2]) then"
        ),
        "    redis.call('ZADD', KEYS[1], now_ms + ARGV[2], name)": "",
    },
)
SETTLEMENT_REMOVED = Patch(
    "tasks/outbound/ledger.py",
    {"        return self.before not in {NEW, DeliveryState.HELD}": "        return False"},
)
SWEEP_REMOVED = Patch(
    "tasks/sweep.py",
    {'        "licences woken": wake_overdue,': '        "licences woken": lambda runtime: 0,'},
)


@full_load
@pytest.mark.parametrize(
    ("fault_test", "broken"),
    [
        pytest.param(
            FaultTest("without the lane's lock", faults.save_slowly, patch=LOCK_REMOVED),
            # A worker that finds the lane empty also removes it while another worker uses it.
            "posted twice|in its order|roots|the card|left behind",
            id="lane lock removed",
        ),
        pytest.param(
            FaultTest(
                "without the settlement",
                faults.kill_between_post_and_commit,
                patch=SETTLEMENT_REMOVED,
            ),
            "posted twice|roots",
            id="settlement removed",
        ),
        pytest.param(
            FaultTest(
                "without the sweep", faults.kill_between_post_and_commit, patch=SWEEP_REMOVED
            ),
            "left behind",
            id="sweep removed",
        ),
    ],
)
def test_broken_build_is_found_out(
    fault_test: FaultTest, broken: str, run_fault_test: RunFaultTest
) -> None:
    """A build without one safeguard breaks a promise under the fault, but works without a fault."""
    with pytest.raises(BrokenPromiseError, match=broken):
        run_fault_test(fault_test)


Paused = partial(
    ReplyFaultTest, pause_s=reply_faults.PAUSE_S, check=reply_faults.expect_paused_replies_in_order
)


@pytest.mark.parametrize(
    "fault_test",
    [
        ReplyFaultTest(
            "web and worker killed", reply_faults.kill_web_and_worker, catch_up_s=OFTEN_S
        ),
        ReplyFaultTest(
            "worker killed as it fetches a file", reply_faults.kill_worker_while_it_fetches
        ),
        ReplyFaultTest("Redis down for all replies", reply_faults.keep_redis_down),
        ReplyFaultTest(
            "web killed between insert and wake", reply_faults.kill_web_between_insert_and_wake
        ),
        Paused("worker killed in the pause", reply_faults.kill_worker_in_the_pause),
        pytest.param(
            Paused(
                "workers killed in and behind the pause",
                reply_faults.kill_workers_in_and_behind_the_pause,
                POSTGRESQL,
            ),
            marks=full_load,
        ),
    ],
    ids=str,
)
def test_every_reply_is_recorded_once(
    fault_test: ReplyFaultTest, run_fault_test: RunFaultTest
) -> None:
    """Each reply is recorded once, with its files, within 60 s of the last fault."""
    run_fault_test(fault_test)
