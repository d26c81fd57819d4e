"""The promises under fire: processes really killed and servers really gone, in the middle of it."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.mattermost import StandIn
from demo.redis_server import RedisServer
from models import Database
from tests.acceptance.conftest import Site
from tests.acceptance.fire import Load, Supervisor, under_load
from tests.deployment import Deployment
from tests.postgres_server import PostgresServer
from tests.waiting import wait_until

LICENCES = ("L1", "L2", "L3")
# Conversations, and messages in each; the full loads (`--full-load`) take some minutes.
USUAL_LOAD, FULL_LOAD = (30, 10), (100, 20)
BURSTS, FULL_BURSTS = (50, 20), (200, 50)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POSTGRES = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def site(
    own_redis: RedisServer, database_url: str, stand_in: StandIn, tmp_path: Path
) -> Iterator[Site]:
    """A deployment on a Redis of its own."""
    deployment = Deployment.create(tmp_path, redis_url=own_redis.url, database_url=database_url)
    made = Site(deployment, stand_in, {})
    made.add_licence("L1")
    stand_in.set_fault("service_time", min_ms=1, max_ms=20, seed=1)
    yield made
    deployment.stop()


@pytest.fixture
def load(site: Site, request: pytest.FixtureRequest) -> Load:
    """The messages of many conversations of three licences, in bursts, a tenth of them doubled."""
    usual, full = getattr(request, "param", (USUAL_LOAD, FULL_LOAD))
    conversations, messages = full if request.config.getoption("--full-load") else usual
    return Load(site, LICENCES, conversations, messages, seed=7)


@pytest.mark.parametrize("load", [(BURSTS, FULL_BURSTS)], indirect=True, ids=["bursts"])
def test_messages_in_bursts_arrive_once_and_in_order(
    site: Site, load: Load, database: Database
) -> None:
    """Two workers of 8 threads, and nothing goes wrong: none is lost, doubled or out of order."""
    with under_load(site, load):
        load.wait_until_enqueued(0.99)
        load.wait_until_settled(database, timeout_s=300)

    assert load.assert_kept_its_promises(database) == {"sent": load.total}


def _kill_workers(site: Site, load: Load, supervisor: Supervisor) -> None:
    dice = random.Random(3)
    for _ in range(4):
        time.sleep(dice.uniform(0.5, 3.0))
        supervisor.kill(dice)


def _kill_both_workers(site: Site, load: Load, supervisor: Supervisor) -> None:
    load.wait_until_enqueued(0.3)
    for worker in list(supervisor.workers):
        worker.send_signal(signal.SIGKILL)


def _terminate_workers(site: Site, load: Load, supervisor: Supervisor) -> None:
    dice = random.Random(4)
    for _ in range(3):
        time.sleep(dice.uniform(0.5, 3.0))
        supervisor.kill(dice, signal.SIGTERM)


def _drop_connections(site: Site, load: Load, supervisor: Supervisor) -> None:
    for _ in range(5):
        time.sleep(0.5)
        site.stand_in.set_fault("accept_then_drop", scope="posts", times=2)


def _refuse_for_a_while(site: Site, load: Load, supervisor: Supervisor) -> None:
    for _ in range(3):
        time.sleep(0.5)
        site.stand_in.set_fault("rate_limited", scope="posts", times=3, retry_after_s=1)


def _answer_late(site: Site, load: Load, supervisor: Supervisor) -> None:
    load.wait_until_enqueued(0.3)
    site.stand_in.set_fault("accept_then_late", scope="posts", times=2, seconds=7)


def _start_beat_twice(site: Site, load: Load, supervisor: Supervisor) -> None:
    site.deployment.start("beat")
    load.wait_until_enqueued(0.3)


Fault = Callable[[Site, Load, Supervisor], None]


@SQLITE
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(_kill_workers, id="workers killed one after the other"),
        pytest.param(_kill_both_workers, id="both workers killed at once"),
        pytest.param(_terminate_workers, id="workers told to stop, as a deploy does"),
        pytest.param(_drop_connections, id="connections cut after the post was taken"),
        pytest.param(_refuse_for_a_while, id="rate limited"),
        pytest.param(_answer_late, id="answers later than we wait"),
        pytest.param(_start_beat_twice, id="beat started twice"),
    ],
)
def test_every_message_is_sent_once_and_in_order(
    site: Site, load: Load, database: Database, fault: Fault
) -> None:
    """Whatever happened in between: each message once, in order, under one root; none failed."""
    with under_load(site, load) as supervisor:
        fault(site, load, supervisor)
        load.wait_until_enqueued(0.99)
        load.wait_until_settled(database, timeout_s=90)

    states = load.assert_kept_its_promises(database)
    assert states == {"sent": load.total}


@SQLITE
def test_killed_redis_loses_nothing_that_was_enqueued(
    site: Site, load: Load, database: Database, own_redis: RedisServer
) -> None:
    """Redis is killed and started again three times; i-Reserve calls again when it was told so."""
    dice = random.Random(5)
    with under_load(site, load):
        for _ in range(3):
            time.sleep(dice.uniform(1.0, 2.0))
            own_redis.stop(with_signal=signal.SIGKILL)
            time.sleep(0.3)
            own_redis.start()
        load.wait_until_enqueued(0.99)
        load.wait_until_settled(database, timeout_s=120)

    states = load.assert_kept_its_promises(database)
    assert states == {"sent": load.total}


@POSTGRES
def test_restarted_postgresql_loses_and_doubles_nothing(
    site: Site, load: Load, database: Database, postgres_server: PostgresServer
) -> None:
    """PostgreSQL goes away in the middle and comes back some seconds later."""
    with under_load(site, load):
        load.wait_until_enqueued(0.3)
        postgres_server.stop()
        time.sleep(2.0)
        postgres_server.start()
        database.dispose()
        load.wait_until_enqueued(0.99)
        load.wait_until_settled(database, timeout_s=90)

    states = load.assert_kept_its_promises(database)
    assert states == {"sent": load.total}


@POSTGRES
def test_killed_workers_on_postgresql(site: Site, load: Load, database: Database) -> None:
    """The same on the other database."""
    with under_load(site, load) as supervisor:
        _kill_workers(site, load, supervisor)
        load.wait_until_enqueued(0.99)
        load.wait_until_settled(database, timeout_s=90)

    states = load.assert_kept_its_promises(database)
    assert states == {"sent": load.total}


@SQLITE
def test_locked_sqlite_is_waited_for(site: Site, load: Load, database: Database) -> None:
    """Somebody holds the database's write lock for some seconds."""
    with under_load(site, load):
        load.wait_until_enqueued(0.3)
        path = site.deployment.environment["DATABASE_URL"].removeprefix("sqlite:///")
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        time.sleep(4.0)
        blocker.execute("COMMIT")
        blocker.close()
        load.wait_until_enqueued(0.99)
        load.wait_until_settled(database, timeout_s=90)

    states = load.assert_kept_its_promises(database)
    assert states == {"sent": load.total}


@SQLITE
def test_dead_server_is_one_licences_trouble(site: Site, load: Load, database: Database) -> None:
    """One licence's server hangs for the whole run: the others' messages all arrive."""
    site.add_licence("L2")
    site.stand_in.set_fault("slow", user="bot-l2", seconds=30)
    others = [n for n in range(load.conversations) if load.licence_of(n) != "L2"]

    with under_load(site, load):
        load.wait_until_enqueued(0.99)
        wait_until(
            lambda: (
                sum(
                    state == "sent" and not lane.startswith("L2:")
                    for (lane, _), state in load.settled(database).items()
                )
                == len(others) * load.messages
            ),
            timeout_s=60,
            what="the other licences' messages",
        )
