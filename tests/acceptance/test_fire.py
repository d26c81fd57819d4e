"""The promises under fire: processes really killed and servers really gone, in the middle of it."""

from __future__ import annotations

from functools import partial

import pytest

from tests.acceptance import faults, reply_fire
from tests.acceptance.broken_build import Patch
from tests.acceptance.conftest import Burn
from tests.acceptance.fire import Fire
from tests.acceptance.promises import BrokenPromiseError
from tests.acceptance.reply_fire import OFTEN_S, ReplyFire

POSTGRESQL = "postgresql"
full_load = pytest.mark.full_load

# What may end as failed when the server dies, for each thread of both workers: the message that it
# was sending, and three more until the licence's circuit is open.
BY_RULE = 2 * 8 * (1 + 3)

# Each fault on one database, and kills of workers on both.
FIRES = [
    Fire("workers killed one after the other", faults.kill_workers),
    Fire("both workers killed at once", faults.kill_both_workers, POSTGRESQL),
    Fire("killed between post and commit", faults.kill_between_post_and_commit),
    Fire("Redis killed", faults.kill_redis, POSTGRESQL),
    Fire("Mattermost killed", faults.kill_mattermost, may_fail=BY_RULE),
    Fire("posts made 20 s late", faults.make_posts_20_s_late),
    Fire("answers 20 s late", faults.answer_20_s_late),
    Fire("the database locked", faults.lock_sqlite),
    Fire("workers told to stop, as a deploy does", faults.terminate_workers),
    Fire("connections cut after the post was taken", faults.cut_connections),
    Fire("posts saved slowly", faults.save_slowly),
    Fire("rate limited", faults.ask_for_a_pause),
    Fire("files lost by the server", faults.lose_files, file_every=2),
    Fire("beat started twice", faults.start_beat_twice),
    Fire("nothing goes wrong", faults.nothing),
]
# The other database, where it plays a part.
FULL_FIRES = [
    Fire("workers killed one after the other", faults.kill_workers, POSTGRESQL),
    Fire("both workers killed at once", faults.kill_both_workers),
    Fire("killed between post and commit", faults.kill_between_post_and_commit, POSTGRESQL),
    Fire("Redis killed", faults.kill_redis),
    Fire("Mattermost killed", faults.kill_mattermost, POSTGRESQL, may_fail=BY_RULE),
    Fire("posts made 20 s late", faults.make_posts_20_s_late, POSTGRESQL),
    Fire("workers told to stop, as a deploy does", faults.terminate_workers, POSTGRESQL),
    Fire("beat started twice", faults.start_beat_twice, POSTGRESQL),
    Fire("nothing goes wrong", faults.nothing, POSTGRESQL),
]


@pytest.mark.parametrize(
    "fire", [*FIRES, *(pytest.param(fire, marks=full_load) for fire in FULL_FIRES)], ids=str
)
def test_every_message_arrives_once_and_in_order(fire: Fire, burn: Burn) -> None:
    """Whatever dies: each message once, in order, under one root, within 60 s of the last fault."""
    figures = burn(fire)

    assert figures.failed <= fire.may_fail


# A lane that is handed out is locked, and not due for as long: both would have to be missing.
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


@pytest.mark.parametrize(
    ("fire", "broken"),
    [
        pytest.param(
            Fire("without the lane's lock", faults.save_slowly, patch=LOCK_REMOVED),
            "posted twice|in its order|roots|the card",
            id="lane lock removed",
        ),
        pytest.param(
            Fire(
                "without the settlement",
                faults.kill_between_post_and_commit,
                patch=SETTLEMENT_REMOVED,
            ),
            "posted twice|roots",
            id="settlement removed",
        ),
        pytest.param(
            Fire("without the sweep", faults.kill_between_post_and_commit, patch=SWEEP_REMOVED),
            "left behind",
            id="sweep removed",
        ),
    ],
)
def test_broken_build_is_found_out(fire: Fire, broken: str, burn: Burn) -> None:
    """With one line taken out the fire breaks a promise, though plain messages still arrive."""
    with pytest.raises(BrokenPromiseError, match=broken):
        burn(fire)


Paused = partial(
    ReplyFire, pause_s=reply_fire.PAUSE_S, check=reply_fire.expect_paused_replies_in_order
)


@pytest.mark.parametrize(
    "fire",
    [
        ReplyFire("web and worker killed", reply_fire.kill_web_and_worker, catch_up_s=OFTEN_S),
        ReplyFire("worker killed as it fetches a file", reply_fire.kill_worker_while_it_fetches),
        ReplyFire("Redis down for all replies", reply_fire.keep_redis_down),
        ReplyFire(
            "web killed between insert and wake", reply_fire.kill_web_between_insert_and_wake
        ),
        Paused("worker killed in the pause", reply_fire.kill_worker_in_the_pause),
        pytest.param(
            Paused(
                "workers killed in and behind the pause",
                reply_fire.kill_workers_in_and_behind_the_pause,
                POSTGRESQL,
            ),
            marks=full_load,
        ),
    ],
    ids=str,
)
def test_every_reply_is_recorded_once(fire: ReplyFire, burn: Burn) -> None:
    """Whatever dies: each reply is recorded once, with its files, within 60 s of the last fault."""
    burn(fire)
