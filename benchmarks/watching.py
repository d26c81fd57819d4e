"""Measure ``status`` and the metrics for Prometheus, on tables with years of traffic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.request import Request, urlopen

from redis import Redis

from benchmarks.filling import CONVERSATIONS, DELIVERIES_EACH, fill
from benchmarks.report import Comparison, Report, Target
from benchmarks.servers import OUR_APP, ROOT, databases, web_process
from demo.redis_server import running_redis
from ireserve_mattermost.lanes import LAST_SENT, TALLIES
from models import Database
from models.keyring import new_key
from models.migrations import upgrade
from tasks.cli.status import read_status
from tasks.watch.last_times import LAST_RECORDED
from tasks.watch.tallies import DELAY_BUCKETS_S
from tests.webhook_calls import add_licence

LICENCES = 2_000
# The promise for ``status`` and for the metrics.
MOST_S = 1.0
TARGET = Target.at_most(1.0)
TOKEN = "token-of-prometheus"


def run(*, rounds: int, step: int = 1) -> Report:
    """Return the time of each on each database, against the promised second.

    ``step`` fills the tables with each ``step``-th conversation only. An odd step reaches every
    licence.
    """
    comparisons: list[Comparison] = []
    notes: list[str] = []
    os.environ["METRICS_TOKEN"] = TOKEN
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        for kind, url in stack.enter_context(databases(directory)).items():
            redis_url = stack.enter_context(running_redis(directory / f"redis-{kind}")).url
            rows = _prepare(url, redis_url, step=step)
            comparisons.append(_compare(f"{kind}, status", _status_of(url, redis_url), rounds))
            with web_process(
                OUR_APP, database_url=url, redis_url=redis_url, directory=directory
            ) as port:
                scrape = partial(_scrape, port)
                comparisons.append(_compare(f"{kind}, metrics", scrape, rounds))
                answer = scrape()
            command_s = _seconds(partial(_command, url, redis_url))
            notes.append(
                f"{kind}: {rows:,} deliveries, {LICENCES:,} licences; an answer has "
                f"{len(answer) / 1e6:.1f} MB; `status --json` from start to end {command_s:.1f} s"
            )
    return Report("watching", tuple(comparisons), tuple(notes))


def _compare(setting: str, look: Callable[[], object], rounds: int) -> Comparison:
    took_s = tuple(_seconds(look) for _ in range(rounds))
    return Comparison(setting, "s", TARGET, took_s, (MOST_S,) * rounds)


def _prepare(url: str, redis_url: str, *, step: int) -> int:
    """Fill the tables, and Redis as after that traffic; return the number of deliveries."""
    database = Database(url)
    upgrade(database)
    for number in range(1, LICENCES + 1):
        add_licence(database, f"L{number}", tokens=())
    fill(database, step=step, licences=LICENCES)
    database.dispose()
    now_ms = round(time.time() * 1_000)
    with Redis.from_url(redis_url) as redis, redis.pipeline(transaction=False) as pipeline:
        for number in range(1, LICENCES + 1):
            pipeline.hset(TALLIES, mapping=_tally(f"L{number}"))
            pipeline.hset(LAST_SENT, f"L{number}", now_ms)
            pipeline.hset(LAST_RECORDED, f"L{number}", now_ms)
        pipeline.execute()
    return CONVERSATIONS // step * DELIVERIES_EACH


def _tally(licence_id: str) -> dict[str | bytes, int]:
    """Return a licence's tallies, in which every counter is set."""
    messages = [f"message:{kind}:{state}" for kind in _KINDS for state in ("sent", "failed")]
    replies = [f"reply:{path}:{state}" for path in ("webhook", "catch_up") for state in _STATES]
    delays = [f"delay:{bucket}" for bucket in DELAY_BUCKETS_S]
    return {f"{licence_id}:{each}": 5_000 for each in (*messages, *replies, *delays, "delay_ms")}


_KINDS = ("root", "reply", "notification")
_STATES = ("recorded", "edited", "deleted", "ignored")


def _status_of(url: str, redis_url: str) -> Callable[[], object]:
    """Return a function that reads the status of all licences, and checks that it is complete."""
    database, redis = Database(url), Redis.from_url(redis_url)

    def look() -> None:
        with database.snapshot() as session:
            found = read_status(session, redis, None)
        assert len(found) == LICENCES
        assert found[0].mirrored == 2 * 5_000

    return look


def _scrape(port: int) -> bytes:
    """Request the metrics as Prometheus does; return the body."""
    request = Request(f"http://127.0.0.1:{port}/mattermost/metrics")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    with urlopen(request, timeout=60) as answer:
        body: bytes = answer.read()
    return body


def _command(url: str, redis_url: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "ENCRYPTION_KEYS": new_key(),
    }
    command = [str(Path(sys.executable).parent / "ireserve-mattermost"), "status", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert len(json.loads(done.stdout)["licences"]) == LICENCES


def _seconds(look: Callable[[], object]) -> float:
    began = time.perf_counter()
    look()
    return time.perf_counter() - began
