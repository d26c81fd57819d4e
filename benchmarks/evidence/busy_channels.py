"""Measure looks at busy channels of 1,000 licences, and their effect on other licences."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import requests

from benchmarks.post_server import (
    BOT_TOKEN,
    BOT_USER_ID,
    PostServer,
    root_id_of,
    running_post_server,
)
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.servers import in_this_process
from models import Conversation, Database, Licence
from models.keyring import new_key
from models.migrations import upgrade
from settings import Settings
from tasks.replies.busy_channels import look_while_due
from tasks.replies.due_looks import DueLooks
from tasks.replies.live_channels import busy_licences
from tasks.runtime import Runtime, build_runtime
from tests.stage.burdens import LATER_P95_MS, Burden, Effect, allowed_median_ms
from tests.stage.many_servers import CHANNEL_ID
from tests.stage.shared_workers import SharedWorkers

LICENCES = 1_000
# As a worker with eight threads does it: 40 tasks, of which four run at the same time.
THREADS, AT_ONCE, TASKS = 8, 4, 40
SERVICE_MS = 20.0
# A look takes seven exchanges: one with Mattermost, five with Redis, one with the database. The
# yardstick takes only the first.
TARGET = Target.at_most(4.0)
TICK_S = 3.0
# For the effect on others: their messages beside this many busy licences, as in `others`.
BUSY = tuple(f"busy-{number}" for number in range(LICENCES))
ROUNDS_FOR_EACH = 5
WATCHED_S = 20.0
TIMEOUT_S = 20


def run(*, rounds: int) -> Report:
    """Return the comparison on each database, and the delays of others' messages."""
    comparisons, notes = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        in_this_process(Path(name)) as (redis_url, addresses),
        running_post_server(service_ms=SERVICE_MS) as server,
    ):
        for kind, url in addresses.items():
            with _installation(server, database_url=url, redis_url=redis_url) as runtime:
                comparison, note = _compare(kind, runtime, server, rounds=rounds)
            comparisons.append(comparison)
            notes.append(note)
    found = [_measure_others() for _ in range(rounds // ROUNDS_FOR_EACH)]
    comparisons += _comparisons(found)
    return Report("busy_channels", tuple(comparisons), tuple(notes))


def _become_busy(workers: SharedWorkers) -> float:
    """Store a conversation of each licence that was active just now."""
    workers.others.behave(list(BUSY), service_s=SERVICE_MS / 1_000)
    database = Database(workers.deployment.environment["DATABASE_URL"])
    with database.transaction() as session:
        session.add_all(
            Conversation(
                licence_id=name, conversation_id="c1", channel_id=CHANNEL_ID, root_post_id="r" * 26
            )
            for name in BUSY
        )
    database.dispose()
    return time.time()


def _measure_others() -> Effect:
    """Run two workers with the healthy licences' load, without and with the looks."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/others.db"
        database = Database(url)
        upgrade(database)
        database.dispose()
        burden = Burden("1,000 licences are busy", BUSY, _become_busy, WATCHED_S)
        return burden.measure(Path(name), database_url=url)


def _comparisons(found: Sequence[Effect]) -> list[Comparison]:
    sides = {
        "median": [(each.later.median_ms, allowed_median_ms(each)) for each in found],
        "p95": [(each.later.p95_ms, LATER_P95_MS) for each in found],
    }
    within = Target.at_most(1.0)
    return [
        Comparison(f"messages: {figure}", "ms", within, *zip(*pairs, strict=True))
        for figure, pairs in sides.items()
    ]


def _compare(
    kind: str, runtime: Runtime, server: PostServer, *, rounds: int
) -> tuple[Comparison, str]:
    ways: dict[str, Callable[[], object]] = {
        "ours": partial(_tick, runtime),
        "bare": partial(_ask_all, server),
    }
    # This first round makes the connections and stores the replies.
    _tick(runtime)
    took: dict[str, list[float]] = {way: [] for way in ways}
    cpu_s = []
    for order in alternating(rounds):
        for way in list(ways)[::order]:
            server.forget()
            began, busy = time.perf_counter(), time.process_time()
            ways[way]()
            took[way].append(time.perf_counter() - began)
            if way == "ours":
                cpu_s.append(time.process_time() - busy)
            assert server.taken().count == LICENCES
    seconds, each_ms = median(took["ours"]), median(cpu_s) / LICENCES * 1_000
    note = (
        f"{kind}: {LICENCES} licences in {seconds:.1f} s, {LICENCES / seconds:.0f} looks/s with "
        f"{AT_ONCE} at once; {each_ms:.1f} ms of a core a look, so that one core looks at "
        f"{TICK_S / each_ms * 1_000:.0f} every {TICK_S:.0f} s; the query for who is busy takes "
        f"{_query_ms(runtime):.1f} ms"
    )
    return Comparison(kind, "s", TARGET, tuple(took["ours"]), tuple(took["bare"])), note


def _tick(runtime: Runtime) -> None:
    """Do the work of one tick's tasks until each licence was looked at."""
    DueLooks(runtime.redis).add(busy_licences(runtime.database))
    with ThreadPoolExecutor(TASKS) as pool:
        looked = sum(pool.map(lambda _: look_while_due(runtime), range(TASKS)))
    assert looked == LICENCES


def _ask_all(server: PostServer) -> None:
    """Make the same requests in the simplest way, with the same number of threads."""
    numbers = count()

    def ask() -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {BOT_TOKEN}"
            while (number := next(numbers)) < LICENCES:
                url = f"{server.url}/api/v4/channels/{_channel(number)}/posts"
                answer = session.get(url, params={"since": 1}, timeout=TIMEOUT_S)
                assert answer.json()["order"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(ask) for _ in range(AT_ONCE)]:
            done.result()


def _query_ms(runtime: Runtime) -> float:
    began = time.perf_counter()
    busy_licences(runtime.database)
    return (time.perf_counter() - began) * 1_000


def _channel(number: int) -> str:
    return f"c{number:025}"


@contextmanager
def _installation(server: PostServer, *, database_url: str, redis_url: str) -> Iterator[Runtime]:
    """Yield a worker's runtime, with a conversation in its own channel for each licence."""
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        encryption_keys=new_key(),
        # Long enough that a slow machine does not cut the measurement short.
        catch_up_busy_s=60,
    )
    runtime = build_runtime(settings, threads=THREADS)
    upgrade(runtime.database)
    token = runtime.licences._keyring.encrypt(BOT_TOKEN)
    with runtime.database.transaction() as session:
        for number in range(LICENCES):
            session.add(_licence(server, number, token))
        session.flush()
        for number in range(LICENCES):
            session.add(_conversation(number))
    yield runtime
    runtime.database.dispose()


def _licence(server: PostServer, number: int, token: str) -> Licence:
    return Licence(
        id=f"L{number}",
        server_url=server.url,
        team_id="t" * 26,
        team_name="support",
        default_channel_id=_channel(number),
        default_channel_name="webchat",
        bot_user_id=BOT_USER_ID,
        bot_username="ireserve",
        bot_token_encrypted=token,
        max_post_size=16_383,
        max_file_size_bytes=100 * 1024 * 1024,
    )


def _conversation(number: int) -> Conversation:
    return Conversation(
        licence_id=f"L{number}",
        conversation_id="c1",
        channel_id=_channel(number),
        root_post_id=root_id_of(_channel(number)),
    )
