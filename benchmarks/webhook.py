"""Measure the webhook endpoint, against a bare Flask route with one SELECT and one INSERT."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import rate
from benchmarks.report import Comparison, Report, Target, alternating
from benchmarks.servers import OUR_APP, databases, web_process
from demo.redis_server import running_redis
from models import Database
from models.migrations import upgrade
from tests.webhook_calls import add_licence, payload

TARGET = Target.at_least(0.8)
BARE_APP = "benchmarks.bare"
# The number of a web process's threads.
CONNECTIONS = 8
REQUESTS = 2_000
WARM_UP_REQUESTS = 500


def run(*, rounds: int) -> Report:
    """Return the comparison on each database; the same server runs both applications."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        redis_url = stack.enter_context(running_redis(directory / "redis")).url
        addresses = stack.enter_context(databases(directory))
        comparisons = [
            _compare(kind, url, redis_url=redis_url, directory=directory, rounds=rounds)
            for kind, url in addresses.items()
        ]
    return Report("webhook", tuple(comparisons))


def _compare(
    kind: str, database_url: str, *, redis_url: str, directory: Path, rounds: int
) -> Comparison:
    database = Database(database_url)
    upgrade(database)
    add_licence(database)
    database.dispose()
    calls = _calls()
    with ExitStack() as stack:
        ports = {
            app: stack.enter_context(
                web_process(
                    app, database_url=database_url, redis_url=redis_url, directory=directory
                )
            )
            for app in (OUR_APP, BARE_APP)
        }
        for port in ports.values():
            rate(port, calls, count=WARM_UP_REQUESTS, connections=CONNECTIONS)
        rates = _alternate(ports, calls, rounds=rounds)
    return Comparison(kind, "requests/s", TARGET, tuple(rates[OUR_APP]), tuple(rates[BARE_APP]))


def _alternate(
    ports: dict[str, int], calls: Iterator[bytes], *, rounds: int
) -> dict[str, list[float]]:
    """Measure both applications in turn; return their rates by round."""
    rates: dict[str, list[float]] = {app: [] for app in ports}
    for order in alternating(rounds):
        for app in list(ports)[::order]:
            measured = rate(ports[app], calls, count=REQUESTS, connections=CONNECTIONS)
            rates[app].append(measured)
    return rates


def _calls() -> Iterator[bytes]:
    """Yield Mattermost's requests, each for another post."""
    for number in itertools.count():
        body = json.dumps(payload(post_id=f"{number:026d}")).encode()
        yield (
            b"POST /mattermost/replies HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"User-Agent: Mattermost-Bot/1.1\r\nAccept: application/json\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        ) + body
